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

export class SealSource {
	private chunk = 0;
	private offset = 0;

	constructor(
		private readonly file: Blob,
		private readonly header: Bytes,
		private readonly cipher: ChunkCipher,
		private readonly hasher: Hasher,
	) {}

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
		const shape = this.cipher.shape;
		let wanted = 0;
		for (let i = 0; i < count; i++) wanted += chunkPlain(shape, from + i);
		return readSlice(this.file, from * shape.chunkBytes, from * shape.chunkBytes + wanted);
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

	// While WebCrypto seals some chunks in threads of its own, those before are hashed here.
	private async make(wanted: number): Promise<Piece | null> {
		const count = Math.min(wanted, sealedChunks(this.cipher.shape) - this.chunk);
		if (count <= 0) return null;
		const parts: Bytes[] = this.offset === 0 ? [this.header] : [];
		let hashed = 0;
		for (let done = 0; done < count; done += AT_ONCE) {
			const [from, n] = [this.chunk + done, Math.min(AT_ONCE, count - done)];
			const sealing = this.sealSome(from, n, await this.readSome(from, n));
			for (; hashed < parts.length; hashed++) this.hasher.update(parts[hashed] as Bytes);
			parts.push(...(await sealing));
		}
		for (; hashed < parts.length; hashed++) this.hasher.update(parts[hashed] as Bytes);
		const [start, bytes] = [this.offset, joined(parts)];
		this.chunk += count;
		this.offset += bytes.length;
		return { start, end: this.offset, bytes, digest: this.hasher.digest() };
	}

	free(): void {
		this.hasher.free();
	}
}

// A file of the disk that changed since it was chosen cannot be read any more: the browser sees to
// that.
async function readSlice(file: Blob, from: number, to: number): Promise<Bytes> {
	let bytes: Bytes;
	try {
		bytes = new Uint8Array(await file.slice(from, to).arrayBuffer());
	} catch {
		throw new ProblemError('CONFLICT', 'The file changed, or cannot be read any more.');
	}
	if (bytes.length !== to - from)
		throw new ProblemError('CONFLICT', 'The file changed while it was being sent.');
	return bytes;
}
