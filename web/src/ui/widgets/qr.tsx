// qr.tsx - a QR code as one SVG path; always dark on light, as cameras like it.
import { useMemo } from 'preact/hooks';
import { encode } from 'uqr';

function pathOf(text: string): { size: number; path: string } {
	const { data, size } = encode(text, { ecc: 'M', border: 3 });
	let path = '';
	data.forEach((row, y) => row.forEach((dark, x) => {
		if (dark)
			path += `M${x} ${y}h1v1h-1z`;
	}));
	return { size, path };
}

export function QrCode({ text, label }: { text: string; label: string }) {
	const { size, path } = useMemo(() => pathOf(text), [text]);
	return (
		<svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
			<rect width={size} height={size} class="qr-light" />
			<path d={path} class="qr-dark" />
		</svg>
	);
}
