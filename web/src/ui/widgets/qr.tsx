// qr.tsx - a QR code that is drawn at once, where the page brings what draws it.
import { useMemo } from 'preact/hooks';
import { draw } from '../../scan/draw.js';
import { QrFigure } from './qr_figure.js';

export function QrCode({ text, label }: { text: string; label: string }) {
	return <QrFigure drawn={useMemo(() => draw(text), [text])} label={label} />;
}
