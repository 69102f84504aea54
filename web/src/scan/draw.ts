// draw.ts - a QR code as the path of its dark modules.
import { encode } from 'uqr';

export interface Drawn {
	size: number; // modules along a side, with the quiet zone
	path: string;
}

export function draw(text: string): Drawn {
	const { data, size } = encode(text, { ecc: 'M', border: 3 });
	let path = '';
	data.forEach((row, y) => row.forEach((dark, x) => {
		if (dark)
			path += `M${x} ${y}h1v1h-1z`;
	}));
	return { size, path };
}
