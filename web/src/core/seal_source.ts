// seal_source.ts - the sealed form of a file, piece by piece, in order, each made once.
import type { Hasher } from './engine.js';
import { type Bytes, joined } from './bytes.js';
import { ProblemError } from './problem.js';
import { ChunkCipher, chunkPlain, HEADER_BYTES, sealedBytes, sealedChunks, TAG_BYTES } from './sealed_file.js';

const AT_ONCE = 32; // chunks in WebCrypto's hands

export interface Piece {
	start: number; // offset in the sealed form
	end: number;
	bytes: Bytes;
	digest: Uint8Array; // SHA-256 of the sealed form up to its end
}

const CHANGED = 'The file changed, or cannot be read any more.';

// A file from its beginning on, by its stream: slices of it take three times as long. The browser does
// not let a file be opened that changed since it was chosen; so it is opened once more at the end.
class FileReading {
	private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
	private held: Uint8Array = new Uint8Array(); // what came and was not asked for yet

	constructor(private readonly file: Blob) {
		this.reader = file.stream().getReader();
	}

	private async part(): Promise<Uint8Array> {
		const { value } = await this.reader.read().catch(() => ({ value: undefined }));
		if (value === undefined) throw new ProblemError('CONFLICT', CHANGED);
		return value;
	}

	// Exactly so many bytes.
	async next(wanted: number): Promise<Bytes> {
		const out = new Uint8Array(wanted);
		for (let at = 0; at < wanted; ) {
			const part: Uint8Array = this.held.length > 0 ? this.held : await this.part();
			const used = part.subarray(0, wanted - at);
			out.set(used, at);
			at += used.length;
			this.held = part.subarray(used.length);
		}
		return out;
	}

	// While it was read it did not change.
	async prove(): Promise<void> {
		await this.file.slice(0, 1).arrayBuffer().catch(() => {
			throw new ProblemError('CONFLICT', CHANGED);
		});
	}

	end(): void {
		this.reader.cancel().catch(() => undefined);
	}
}

export class SealSource {
	private chunk = 0;
	private offset = 0;
	private readonly reading: FileReading;

	constructor(
		file: Blob,
		private readonly header: Bytes,
		private readonly cipher: ChunkCipher,
		private readonly hasher: Hasher,
	) {
		this.reading = new FileReading(file);
	}

	get total(): number {
		return sealedBytes(this.cipher.shape);
	}

	// How much of the sealed form was made.
	get made(): number {
		return this.offset;
	}

	// SHA-256 of what was made.
	digest(): Uint8Array {
		return this.hasher.digest();
	}

	private readSome(from: number, count: number): Promise<Bytes> {
		let wanted = 0;
		for (let i = 0; i < count; i++) wanted += chunkPlain(this.cipher.shape, from + i);
		return this.reading.next(wanted);
	}

	private sealSome(from: number, count: number, plain: Bytes): Promise<Bytes[]> {
		const sealing: Promise<Bytes>[] = [];
		for (let i = 0, at = 0; i < count; i++) {
			const n = chunkPlain(this.cipher.shape, from + i);
			sealing.push(this.cipher.seal(from + i, plain.subarray(at, at + n)));
			at += n;
		}
		return Promise.all(sealing);
	}

	// The next whole chunks, about `size` bytes, the header before the first; null at the end.
	async next(size: number): Promise<Piece | null> {
		const shape = this.cipher.shape;
		return this.make(Math.max(1, Math.floor(size / shape.chunkBytes)));
	}

	// The same up to an offset where a chunk ends.
	async nextUntil(end: number): Promise<Piece | null> {
		const sealedChunk = this.cipher.shape.chunkBytes + TAG_BYTES;
		return this.make(Math.ceil((end - HEADER_BYTES) / sealedChunk) - this.chunk);
	}

	// While WebCrypto seals some chunks in threads of its own, the next are read and those before are
	// hashed here.
	private async make(wanted: number): Promise<Piece | null> {
		const count = Math.min(wanted, sealedChunks(this.cipher.shape) - this.chunk);
		if (count <= 0) return null;
		const parts: Bytes[] = this.offset === 0 ? [this.header] : [];
		let hashed = 0;
		let reading = this.readSome(this.chunk, Math.min(AT_ONCE, count));
		for (let done = 0; done < count; done += AT_ONCE) {
			const n = Math.min(AT_ONCE, count - done);
			const sealing = this.sealSome(this.chunk + done, n, await reading);
			reading = this.readSome(this.chunk + done + n, Math.min(AT_ONCE, count - done - n));
			reading.catch(() => undefined); // it is waited for when all of this is sealed
			for (; hashed < parts.length; hashed++) this.hasher.update(parts[hashed] as Bytes);
			parts.push(...(await sealing));
		}
		for (; hashed < parts.length; hashed++) this.hasher.update(parts[hashed] as Bytes);
		const [start, bytes] = [this.offset, joined(parts)];
		this.chunk += count;
		if (this.chunk === sealedChunks(this.cipher.shape)) await this.reading.prove();
		this.offset += bytes.length;
		return { start, end: this.offset, bytes, digest: this.hasher.digest() };
	}

	free(): void {
		this.hasher.free();
		this.reading.end();
	}
}
