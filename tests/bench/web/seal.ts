// seal.ts - sealing a file as an upload does, and the same chunks by bare WebCrypto: MiB a second. The
// two take turns, so that whatever else the machine does hits both.
import { ChunkCipher, chunkPlain, sealedChunks } from '../../../web/src/core/sealed_file.js';
import { SealSource } from '../../../web/src/core/seal_source.js';
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

type Rates = { bare: number; sealed: number; read: number };

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

// bare: WebCrypto's AES-GCM alone. sealed: what an upload makes of a file, by its own code: chunks
// sealed, their SHA-256s, the file's digest, pieces to send and their checksums. read: the same of a
// Blob, whose bytes come from another process of the browser.
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
	const bare = () => speed(bytes, () => inTurns(count, (i) =>
		crypto.subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 128 }, key, chunk(i))));
	const upload = (file: Blob) => speed(bytes, async () => {
		const source = new SealSource(file, await ChunkCipher.of(stream(), bytes), engine.fileDigest(header));
		for (let piece; (piece = await source.next(8 * MIB)) !== null; )
			await crypto.subtle.digest('SHA-256', piece.leaves);
		source.seal(token);
		source.free();
	});
	const blob = new Blob(Array.from({ length: count }, (_, i) => chunk(i)));
	await bare();
	await upload(atHand(bytes));
	const rates: Rates[] = [];
	for (let i = 0; i < rounds; i++) {
		const ours = () => upload(atHand(bytes));
		const [a, b, c, d] = [await bare(), await ours(), await ours(), await bare()]; // each after both
		rates.push({ bare: mean(a, d), sealed: mean(b, c), read: await upload(blob) });
	}
	engine.free();
	return rates;
}

(globalThis as unknown as { measureSeal: typeof measure }).measureSeal = measure;
