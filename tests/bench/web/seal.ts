// seal.ts - sealing a file as the app does, and the same chunks by bare WebCrypto: MiB a second. The
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

type Rates = { bare: number; ours: number; whole: number };

// bare: WebCrypto alone. ours: by the app, nonces and what is authenticated from the core. whole: what
// an upload is made of: a file read, sealed, hashed by the core, joined to pieces.
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
	const cipher = await ChunkCipher.of(stream(), bytes);
	const ours = () => speed(bytes, () => inTurns(count, (i) => cipher.seal(i, chunk(i))));
	const file = new Blob(Array.from({ length: count }, (_, i) => chunk(i)));
	const whole = () => speed(bytes, async () => {
		const source = new SealSource(file, new Uint8Array(header), cipher, engine.hasher());
		while (await source.next(8 * MIB) !== null)
			continue;
		source.free();
	});
	await bare();
	await ours();
	const rates: Rates[] = [];
	for (let i = 0; i < rounds; i++) {
		const [a, b, c, d] = [await bare(), await ours(), await ours(), await bare()]; // each after both
		rates.push({ bare: mean(a, d), ours: mean(b, c), whole: await whole() });
	}
	engine.free();
	return rates;
}

(globalThis as unknown as { measureSeal: typeof measure }).measureSeal = measure;
