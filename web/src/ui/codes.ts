// codes.ts - the page's way to the worker that reads QR codes, before the camera or in a picture, and draws
// them.
import { codesAddress } from '../addresses.js';
import type { Answer, Asked } from '../scan/codes.js';
import type { Drawn } from '../scan/draw.js';

const FRAME = { side: 640, patience: 60 }; // pixels; milliseconds
const PICTURE = { side: 1600, patience: 2000 };

interface Part {
	x: number;
	y: number;
	width: number;
	height: number;
}

function copy(source: CanvasImageSource, part: Part, most: number): ImageData | null {
	const scale = Math.min(1, most / Math.max(part.width, part.height));
	const canvas = document.createElement('canvas');
	canvas.width = Math.max(1, Math.round(part.width * scale));
	canvas.height = Math.max(1, Math.round(part.height * scale));
	const pen = canvas.getContext('2d', { willReadFrequently: true });
	pen?.drawImage(source, part.x, part.y, part.width, part.height, 0, 0, canvas.width, canvas.height);
	return pen?.getImageData(0, 0, canvas.width, canvas.height) ?? null;
}

// All reject where the worker cannot be had.
export class Codes {
	readonly #worker = new Worker(codesAddress());
	readonly #waiting: ((answer: Answer) => void)[] = []; // the worker answers in order
	readonly #broken: Promise<never>;

	constructor() {
		this.#broken = new Promise((_, reject) => {
			this.#worker.onerror = reject;
		});
		this.#broken.catch(() => undefined); // those who ask hear of it
		this.#worker.onmessage = (event: MessageEvent<Answer>) => this.#waiting.shift()?.(event.data);
	}

	// What the code says in the middle of the video, which is what the page shows of it; '': none.
	video(video: HTMLVideoElement): Promise<string> {
		const { videoWidth: width, videoHeight: height } = video;
		const side = Math.min(width, height);
		return this.#look(copy(video, { x: (width - side) / 2, y: (height - side) / 2, width: side, height: side }, FRAME.side), FRAME.patience);
	}

	async picture(file: Blob): Promise<string> {
		const picture = await createImageBitmap(file).catch(() => null);
		if (picture === null)
			return '';
		const pixels = copy(picture, { x: 0, y: 0, width: picture.width, height: picture.height }, PICTURE.side);
		picture.close();
		return this.#look(pixels, PICTURE.patience);
	}

	draw(text: string): Promise<Drawn> {
		return this.#ask<Drawn>(text, []);
	}

	close(): void {
		this.#worker.terminate();
	}

	#look(picture: ImageData | null, patience: number): Promise<string> {
		if (picture === null)
			return Promise.resolve('');
		const { width, height, data } = picture;
		return this.#ask<string>({ pixels: data.buffer, width, height, patience }, [data.buffer]);
	}

	#ask<A extends Answer>(asked: Asked, moved: Transferable[]): Promise<A> {
		this.#worker.postMessage(asked, moved);
		return Promise.race([this.#broken, new Promise<A>((resolve) => this.#waiting.push(resolve as (answer: Answer) => void))]);
	}
}
