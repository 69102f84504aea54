// sealed_file.ts - the chunks of a file through WebCrypto. The format is the core's
// (core/e2e/file_stream.h): what key, which nonce, what is authenticated beside it, all come from
// there; here only the bulk of the bytes goes through AES-GCM.
import type { FileStream } from './engine.js';
import { type Bytes, ownBytes } from './bytes.js';
import { ProblemError } from './problem.js';

export const HEADER_BYTES = 32;
export const TAG_BYTES = 16;

export interface Shape {
	plainBytes: number;
	chunkBytes: number;
}

export function sealedChunks(s: Shape): number {
	return s.plainBytes === 0 ? 1 : Math.ceil(s.plainBytes / s.chunkBytes);
}

export function sealedBytes(s: Shape): number {
	return HEADER_BYTES + s.plainBytes + sealedChunks(s) * TAG_BYTES;
}

export function isLast(s: Shape, index: number): boolean {
	return index + 1 === sealedChunks(s);
}

// Plaintext bytes of a chunk.
export function chunkPlain(s: Shape, index: number): number {
	return isLast(s, index) ? s.plainBytes - index * s.chunkBytes : s.chunkBytes;
}

export class ChunkCipher {
	private constructor(
		readonly shape: Shape,
		private readonly stream: FileStream,
		private readonly key: CryptoKey,
		private readonly additionalData: Bytes,
	) {}

	// Takes the stream's key over, and wipes it.
	static async of(stream: FileStream, plainBytes: number): Promise<ChunkCipher> {
		const raw = ownBytes(stream.key);
		stream.key.fill(0);
		try {
			const use: KeyUsage[] = ['encrypt', 'decrypt'];
			const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, use);
			const shape = { plainBytes, chunkBytes: stream.chunkBytes };
			return new ChunkCipher(shape, stream, key, ownBytes(stream.additionalData));
		} finally {
			raw.fill(0);
		}
	}

	private parameters(index: number): AesGcmParams {
		const iv = this.stream.nonce(index, isLast(this.shape, index));
		return { name: 'AES-GCM', iv, additionalData: this.additionalData, tagLength: 8 * TAG_BYTES };
	}

	seal(index: number, plain: Bytes): Promise<Bytes> {
		const sealed = crypto.subtle.encrypt(this.parameters(index), this.key, plain);
		return sealed.then((bytes) => new Uint8Array(bytes));
	}

	// Rejects with BAD_SEAL: changed, moved, cut, or not last when it should be.
	async open(index: number, sealed: Bytes): Promise<Bytes> {
		try {
			return new Uint8Array(await crypto.subtle.decrypt(this.parameters(index), this.key, sealed));
		} catch {
			throw new ProblemError('BAD_SEAL');
		}
	}
}
