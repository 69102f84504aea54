// reader.ts - the entry of the worker that reads QR codes, so that the page never waits for it. Its
// script is fetched with the first camera or picture; it is no part of what starts the app.
import { decodeQR } from 'qr/decode.js';

export interface Look {
	pixels: ArrayBuffer; // RGBA, row by row
	width: number;
	height: number;
	patience: number; // milliseconds for what is askew, blurred or badly lit
}

function read({ pixels, width, height, patience }: Look): string {
	try {
		const image = { width, height, data: new Uint8Array(pixels) };
		return decodeQR(image, { format: 'RGBA', effort: Infinity, timeLimit: patience });
	} catch {
		return ''; // there is none, or it cannot be made out
	}
}

onmessage = (event: MessageEvent<Look>) => postMessage(read(event.data));
