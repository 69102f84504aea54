// download.ts - one file down: opened chunk by chunk while it comes, in flat memory
// (client/download.c).
//
// Only chunks that opened go into the sink. The sink is closed, and with that the file is there, once
// all of it has come and its digest is what the sender's message says; else it is aborted.
import type { FileRef } from '../messenger.js';
import type { FileDigest } from './engine.js';
import { type Bytes, joined } from './bytes.js';
import { beginFetch, Patience, readBounded, refusal } from './http.js';
import { codeOf, ProblemError } from './problem.js';
import {
	ChunkCipher, chunkPlain, HEADER_BYTES, Leaves, sealedBytes, sealedChunks, TAG_BYTES,
} from './sealed_file.js';
import { isFileId, mayPass, pause, stopIfAborted, type Transfer, TRIES } from './transfer.js';

const STALL_MS = 60_000; // without a byte
const AT_ONCE = 16; // chunks in WebCrypto's hands, and in one write to the sink

// Where opened bytes go.
export interface Sink {
	write(bytes: Bytes): Promise<void>;
	close(): Promise<void>;
	abort(): Promise<void>;
}

class Job {
	private cipher: ChunkCipher | null = null; // null: the header has not come yet
	private digest: FileDigest | null = null; // likewise
	private chunk = 0; // the next one to come
	private held: Bytes = new Uint8Array(); // what came and is not a whole chunk yet
	private received = 0; // in this try
	private sinkFailed = false;

	constructor(
		private readonly t: Transfer,
		private readonly file: FileRef,
		private readonly sink: Sink,
	) {}

	private complete(): boolean {
		return this.cipher !== null && this.chunk === sealedChunks(this.cipher.shape);
	}

	// Everything before has come.
	private offset(): number {
		if (this.cipher === null) return this.held.length;
		if (this.complete()) return sealedBytes(this.cipher.shape);
		const sealedChunk = this.cipher.shape.chunkBytes + TAG_BYTES;
		return HEADER_BYTES + this.chunk * sealedChunk + this.held.length;
	}

	private async takeHeader(bytes: Bytes): Promise<Bytes> {
		const header = bytes.slice(0, HEADER_BYTES);
		const stream = await this.t.desk.fileStream(this.file.token, header);
		this.digest = await this.t.desk.fileDigest(header);
		this.cipher = await ChunkCipher.of(stream, this.file.size);
		return bytes.subarray(HEADER_BYTES);
	}

	// Whole chunks out of bytes; gives back the rest.
	private async takeChunks(cipher: ChunkCipher, bytes: Bytes): Promise<Bytes> {
		let at = 0;
		const opening: Promise<Bytes>[] = [];
		const hashing: Promise<void>[] = [];
		const leaves = new Leaves(cipher.leaves ? AT_ONCE : 0);
		const total = sealedChunks(cipher.shape);
		while (this.chunk + opening.length < total && opening.length < AT_ONCE) {
			const index = this.chunk + opening.length;
			const n = chunkPlain(cipher.shape, index) + TAG_BYTES;
			if (bytes.length - at < n) break;
			const sealed = bytes.subarray(at, at + n);
			if (cipher.leaves) hashing.push(leaves.add(opening.length, sealed));
			opening.push(cipher.open(index, sealed));
			at += n;
		}
		if (opening.length === 0) return bytes;
		this.held = new Uint8Array();
		const all = Promise.all(opening);
		if (!cipher.leaves) this.digest?.feed(bytes.subarray(0, at)); // while WebCrypto is at work
		const opened = await all;
		await Promise.all(hashing);
		this.digest?.feed(leaves.upTo(hashing.length));
		await this.write(joined(opened));
		this.chunk += opened.length;
		this.t.progress({ done: this.offset(), total: sealedBytes(cipher.shape) });
		return bytes.subarray(at);
	}

	private async write(bytes: Bytes): Promise<void> {
		if (bytes.length === 0) return;
		try {
			await this.sink.write(bytes);
		} catch (e) {
			this.sinkFailed = true;
			throw e instanceof ProblemError ? e : new ProblemError('IO', 'The file cannot be written.');
		}
	}

	private async take(part: Uint8Array): Promise<void> {
		this.received += part.length;
		let bytes = joined([this.held, part]);
		if (this.cipher === null) {
			if (bytes.length < HEADER_BYTES) {
				this.held = bytes;
				return;
			}
			this.held = new Uint8Array();
			bytes = await this.takeHeader(bytes);
		}
		const cipher = this.cipher as ChunkCipher | null;
		if (cipher === null) throw new ProblemError('IO');
		for (let rest = bytes.length + 1; bytes.length < rest; ) {
			rest = bytes.length;
			bytes = await this.takeChunks(cipher, bytes);
		}
		if (this.complete() && bytes.length > 0) throw new ProblemError('BAD_SEAL');
		this.held = bytes.slice();
	}

	// The end of the range is what the sender's message says, so a longer file is never read.
	private rangeEnd(): number {
		const chunkBytes = this.cipher?.shape.chunkBytes;
		if (chunkBytes === undefined) return HEADER_BYTES;
		return sealedBytes({ plainBytes: this.file.size, chunkBytes });
	}

	private async fetchOnce(): Promise<void> {
		const from = this.offset();
		this.received = 0;
		const patience = new Patience(this.t.platform, STALL_MS, this.t.signal);
		try {
			const request = {
				method: 'GET',
				path: `/api/files/${this.file.id}/download`,
				headers: { Range: `bytes=${from}-${this.rangeEnd() - 1}` },
			};
			const response = await beginFetch(this.t.platform, request, patience);
			if (response.status !== 206) await refuse(response, from, patience);
			await this.drain(response, patience);
		} catch (e) {
			throw patience.problem(e);
		} finally {
			patience.end();
		}
	}

	private async drain(response: Response, patience: Patience): Promise<void> {
		const reader = response.body?.getReader();
		try {
			while (reader !== undefined) {
				const { done, value } = await reader.read();
				if (done) break;
				patience.touch();
				await this.take(value);
				patience.touch();
			}
		} catch (e) {
			void reader?.cancel().catch(() => undefined);
			throw e;
		}
	}

	private mayTryAgain(e: unknown, tries: number): boolean {
		return !this.sinkFailed && mayPass(codeOf(e)) && tries <= TRIES;
	}

	private async fetchUntil(enough: () => boolean): Promise<void> {
		for (let tries = 1; !enough(); tries++) {
			try {
				await this.fetchOnce();
				if (this.received > 0) tries = 1;
				else throw new ProblemError('BAD_SEAL'); // it is shorter than the message says
			} catch (e) {
				if (this.received > 0) tries = 1;
				if (!this.mayTryAgain(e, tries)) throw e;
				await pause(this.t, tries);
			}
		}
	}

	async run(): Promise<void> {
		await this.fetchUntil(() => this.cipher !== null);
		await this.fetchUntil(() => this.complete());
		if (this.digest === null) throw new ProblemError('IO');
		this.digest.prove(this.file.token);
		stopIfAborted(this.t.signal);
	}

	free(): void {
		this.digest?.free();
	}
}

async function refuse(response: Response, from: number, patience: Patience): Promise<void> {
	const body = response.ok ? new Uint8Array() : await readBounded(response, patience);
	const refused = refusal(response.status, body);
	if (refused !== null) throw refused;
	// The whole where a part was asked for: it would be fed into the middle.
	if (from !== 0) throw new ProblemError('UNSUPPORTED');
}

const NOT_WHAT_WAS_SENT = new Set(['BAD_SEAL', 'TRUNCATED', 'TRAILING', 'MALFORMED', 'UNSUPPORTED']);

// Rejects with BAD_SEAL (not the file that was sent), IO (the sink), NETWORK, CANCELLED, what the
// server refused with; the sink is aborted then.
export async function download(t: Transfer, file: FileRef, sink: Sink): Promise<void> {
	const job = new Job(t, file, sink);
	try {
		if (!isFileId(file.id)) throw new ProblemError('MALFORMED');
		await job.run();
		await sink.close();
	} catch (e) {
		await sink.abort().catch(() => undefined);
		throw NOT_WHAT_WAS_SENT.has(codeOf(e)) ? new ProblemError('BAD_SEAL') : e;
	} finally {
		job.free();
	}
}
