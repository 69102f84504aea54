// codes.ts - the entry of the worker that reads and draws QR codes, so that the page never waits for it.
// Its script is fetched with the first code; it is no part of what starts the app.
import { decodeQR } from 'qr/decode.js';
import { draw, type Drawn } from './draw.js';

export interface Look {
	pixels: ArrayBuffer; // RGBA, row by row
	width: number;
	height: number;
	patience: number; // milliseconds for what is askew, blurred or badly lit
}
export type Asked = Look | string; // a string is to be drawn
export type Answer = string | Drawn;

function read({ pixels, width, height, patience }: Look): string {
	try {
		const image = { width, height, data: new Uint8Array(pixels) };
		return decodeQR(image, { format: 'RGBA', effort: Infinity, timeLimit: patience });
	} catch {
		return ''; // there is none, or it cannot be made out
	}
}

onmessage = ({ data }: MessageEvent<Asked>) => postMessage(typeof data === 'string' ? draw(data) : read(data));
