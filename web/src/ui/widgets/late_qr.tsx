// late_qr.tsx - a QR code that is drawn by the worker of ui/codes.ts; its place is there at once. Where the
// worker cannot be had there is none, but what it says stands beside it in writing.
import { useEffect, useState } from 'preact/hooks';
import { Codes } from '../codes.js';
import type { Drawn } from '../../scan/draw.js';
import { QrFigure } from './qr_figure.js';

const BLANK: Drawn = { size: 1, path: '' };

export function LateQrCode({ text, label }: { text: string; label: string }) {
	const [drawn, setDrawn] = useState<Drawn | null>(BLANK);
	useEffect(() => {
		const codes = new Codes();
		codes.draw(text).then(setDrawn).catch(() => setDrawn(null)).finally(() => codes.close());
		return () => codes.close();
	}, [text]);
	return drawn === null ? null : <QrFigure drawn={drawn} label={label} />;
}
