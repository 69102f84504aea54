// qr_figure.tsx - a QR code as one SVG path; always dark on light, as cameras like it.
import type { Drawn } from '../../scan/draw.js';

export function QrFigure({ drawn: { size, path }, label }: { drawn: Drawn; label: string }) {
	return (
		<svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
			<rect width={size} height={size} class="qr-light" />
			<path d={path} class="qr-dark" />
		</svg>
	);
}
