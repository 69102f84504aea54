// seal.ts - sealing a file as an upload does, and the same chunks by bare WebCrypto: MiB a second. The
// two take turns, so that whatever else the machine does hits both.
import { ChunkCipher, chunkPlain, sealedChunks } from '../../../web/src/core/sealed_file.js';
import { SealSource } from '../../../web/src/core/seal_source.js';
import { MOST_PIECE } from '../../../web/src/core/upload.js';
import { loadEngines } from '../../../web/src/core/wasm_engine.js';

const MIB = 1024 * 1024;
const AT_ONCE = 32;

async function speed(bytes: number, work: () => Promise<void>): Promise<number> {
	const began = performance.now();
	await work();
	return bytes / MIB / ((performance.now() - began) / 1000);
}

async function inTurns(count: number, seal: (index: number) => Promise<unknown>): Promise<void> {
	for (let from = 0; from < count; from += AT_ONCE)
		await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => seal(from + i)));
}

// Of the same bytes twice.
function mean(a: number, b: number): number {
	return 2 / (1 / a + 1 / b);
}

type Rates = { bare: number; sealed: number; both: number; made: number; read: number };

// A file whose bytes are at hand, in parts as a browser gives them: reading it costs nothing.
function atHand(bytes: number): Blob {
	const part = new Uint8Array(MIB).fill(7);
	let left = bytes;
	const pull = (c: ReadableStreamDefaultController<Uint8Array>): void => {
		const n = Math.min(left, part.length);
		left -= n;
		if (n === 0) c.close();
		else c.enqueue(part.subarray(0, n));
	};
	return { size: bytes, stream: () => new ReadableStream({ pull }), slice: () => new Blob() } as unknown as Blob;
}

// bare: WebCrypto's AES-GCM alone. sealed: by the app, nonces and what is authenticated from the core.
// both: WebCrypto's AES-GCM and then its SHA-256 of the same chunks, nothing else. made: what an upload
// makes of a file, by its own code: chunks sealed, their SHA-256s, the file's digest, pieces to send and
// their checksums. read: the same of a Blob, whose bytes come from another process of the browser.
async function measure(wasm: string, bytes: number, rounds: number): Promise<Rates[]> {
	const engine = (await loadEngines(wasm, '')).create();
	const token = engine.fileNew();
	const header = engine.fileHeader(token);
	const stream = () => engine.fileStream(token, header);
	const shape = { plainBytes: bytes, chunkBytes: stream().chunkBytes };
	const count = sealedChunks(shape);
	const plain = new Uint8Array(shape.chunkBytes).fill(7);
	const chunk = (i: number) => plain.subarray(0, chunkPlain(shape, i));

	const given = stream();
	const key = await crypto.subtle.importKey('raw', new Uint8Array(given.key), 'AES-GCM', false, ['encrypt']);
	const iv = new Uint8Array(12);
	const encrypt = (i: number) => crypto.subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 128 }, key, chunk(i));
	const bare = () => speed(bytes, () => inTurns(count, encrypt));
	const both = () => speed(bytes, () => inTurns(count, (i) =>
		encrypt(i).then((sealed) => crypto.subtle.digest('SHA-256', sealed))));
	const cipher = await ChunkCipher.of(stream(), bytes);
	const sealed = () => speed(bytes, () => inTurns(count, (i) => cipher.seal(i, chunk(i))));
	const upload = (file: Blob) => speed(bytes, async () => {
		const source = new SealSource(file, await ChunkCipher.of(stream(), bytes), engine.fileDigest(header));
		for (let piece; (piece = await source.next(MOST_PIECE)) !== null; )
			await crypto.subtle.digest('SHA-256', piece.leaves);
		source.seal(token);
		source.free();
	});
	const blob = new Blob(Array.from({ length: count }, (_, i) => chunk(i)));
	const made = () => upload(atHand(bytes));
	for (const warm of [bare, sealed, both, made]) await warm();
	const rates: Rates[] = [];
	for (let i = 0; i < rounds; i++) {
		const [a, b, c, d] = [await bare(), await sealed(), await sealed(), await bare()]; // each after both
		const [e, f, g, h] = [await both(), await made(), await made(), await both()];
		const pairs = { bare: mean(a, d), sealed: mean(b, c), both: mean(e, h), made: mean(f, g) };
		rates.push({ ...pairs, read: await upload(blob) });
	}
	engine.free();
	return rates;
}

(globalThis as unknown as { measureSeal: typeof measure }).measureSeal = measure;
