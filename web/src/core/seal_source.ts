// seal_source.ts - the sealed form of a file behind its header, piece by piece, in order, each made once.
import type { Bytes } from './bytes.js';
import type { FileDigest } from './engine.js';
import { ProblemError } from './problem.js';
import {
	ChunkCipher, chunkPlain, HEADER_BYTES, Leaves, sealedBytes, sealedChunks, TAG_BYTES,
} from './sealed_file.js';

const AT_ONCE = 16; // chunks in WebCrypto's hands

export interface Piece {
	start: number; // offset in the sealed form
	end: number;
	bytes: Bytes; // until the piece after the next one is asked for
	leaves: Bytes; // the SHA-256s of its chunks
	soFar: Uint8Array; // of the file's digest
}

const CHANGED = 'The file changed, or cannot be read any more.';

// A file from its beginning on, by its stream: slices of it take three times as long. The browser does
// not let a file be opened that changed since it was chosen; so it is opened once more at the end.
class FileReading {
	private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
	private came: Uint8Array = new Uint8Array(); // last
	private taken = 0; // of it

	constructor(private readonly file: Blob) {
		this.reader = file.stream().getReader();
	}

	private async part(): Promise<Uint8Array> {
		const { value } = await this.reader.read().catch(() => ({ value: undefined }));
		if (value === undefined) throw new ProblemError('CONFLICT', CHANGED);
		return value;
	}

	// Exactly so many bytes that came already, where they are; null: there are not as many.
	held(wanted: number): Bytes | null {
		return wanted <= this.came.length - this.taken ? this.take(wanted) : null;
	}

	// Exactly so many bytes.
	async next(wanted: number): Promise<Bytes> {
		const out = new Uint8Array(wanted);
		for (let at = 0; at < wanted; ) {
			if (this.taken === this.came.length) {
				this.came = await this.part();
				this.taken = 0;
			}
			const used = this.take(Math.min(wanted - at, this.came.length - this.taken));
			out.set(used, at);
			at += used.length;
		}
		return out;
	}

	private take(n: number): Bytes {
		this.taken += n;
		return this.came.subarray(this.taken - n, this.taken) as Bytes;
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
	private offset = HEADER_BYTES;
	private readonly reading: FileReading;
	private rooms: [Bytes, Bytes] = [new Uint8Array(), new Uint8Array()]; // of pieces, in turns

	constructor(
		file: Blob,
		private readonly cipher: ChunkCipher,
		private readonly digest: FileDigest,
	) {
		this.reading = new FileReading(file);
	}

	get total(): number {
		return sealedBytes(this.cipher.shape);
	}

	get chunkBytes(): number {
		return this.cipher.shape.chunkBytes;
	}

	// How much of the sealed form was made.
	get made(): number {
		return this.offset;
	}

	// What was made is what was noted once; else BAD_SEAL.
	check(noted: Uint8Array): void {
		this.digest.check(noted);
	}

	// All of it was made: now a message may name it.
	seal(token: string): void {
		this.digest.seal(token);
	}

	// The next whole chunks, about `size` bytes; null at the end.
	async next(size: number): Promise<Piece | null> {
		return this.make(Math.max(1, Math.floor(size / this.cipher.shape.chunkBytes)));
	}

	// The same up to an offset where a chunk ends.
	async nextUntil(end: number): Promise<Piece | null> {
		const sealedChunk = this.cipher.shape.chunkBytes + TAG_BYTES;
		return this.make(Math.ceil((end - HEADER_BYTES) / sealedChunk) - this.chunk);
	}

	// Fresh room costs more than what is written into it.
	private room(size: number): Bytes {
		const [next, last] = this.rooms;
		const room = next.length < size ? new Uint8Array(size) : next;
		this.rooms = [last, room];
		return room.subarray(0, size);
	}

	// WebCrypto seals and hashes some chunks in threads of its own while others are read.
	private async make(wanted: number): Promise<Piece | null> {
		const shape = this.cipher.shape;
		const count = Math.min(wanted, sealedChunks(shape) - this.chunk);
		if (count <= 0) return null;
		const step = shape.chunkBytes + TAG_BYTES;
		const last = chunkPlain(shape, this.chunk + count - 1) + TAG_BYTES;
		const bytes = this.room((count - 1) * step + last);
		const leaves = new Leaves(count);
		const sealing: Promise<void>[] = [];
		for (let i = 0; i < count; i++) {
			const n = chunkPlain(shape, this.chunk + i);
			const plain = this.reading.held(n) ?? (await this.reading.next(n));
			const sealed = this.cipher.seal(this.chunk + i, plain).then((chunk) => {
				const hashed = leaves.add(i, chunk);
				bytes.set(chunk, i * step);
				return hashed;
			});
			sealed.catch(() => undefined); // it is waited for in its turn
			sealing.push(sealed);
			if (i >= AT_ONCE) await sealing[i - AT_ONCE];
		}
		await Promise.all(sealing);
		this.digest.feed(leaves.bytes);
		this.chunk += count;
		if (this.chunk === sealedChunks(shape)) await this.reading.prove();
		const start = this.offset;
		this.offset += bytes.length;
		return { start, end: this.offset, bytes, leaves: leaves.bytes, soFar: this.digest.soFar() };
	}

	free(): void {
		this.digest.free();
		this.reading.end();
	}
}
