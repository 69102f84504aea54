// upload.ts - one file up, by tus 1.0.0, sealed while it leaves (client/upload.c).
//
// What is needed to go on after a reload is in a sealed note: the key and header, and how much of the
// sealed form was ever made, with its digest. To seal other bytes under the same key would be a
// disaster, and a browser cannot tell for sure whether a file is still the same: so an upload that
// goes on seals all of that again, and sends nothing of it but when the digest is the same. What is
// beyond was never sealed before.
//
// The header goes with the request that begins the upload, then whole chunks. The server holds each
// piece to its checksum, which is made of the SHA-256s that the file's digest is made of anyway.
import { type Bytes, hex, joined, ownBytes } from './bytes.js';
import { perform, refusal, type Answered } from './http.js';
import { codeOf, ProblemError } from './problem.js';
import { type Piece, SealSource } from './seal_source.js';
import { ChunkCipher, HEADER_BYTES, TAG_BYTES } from './sealed_file.js';
import { type FileDesk, isFileId, mayPass, pause, stopIfAborted, type Transfer, TRIES } from './transfer.js';

const TUS = '/api/files/tus';
const VERSION = { 'Tus-Resumable': '1.0.0' };
const BODY = 'application/offset+octet-stream';
const NOTE_VERSION = 2; // 1 was of files of version 1: these begin anew
const LEAST_PIECE = 256 * 1024;
export const MOST_PIECE = 4 * 1024 * 1024;
const SHORT_MS = 1000; // a piece that left faster is followed by a larger one
const LONG_MS = 4000;
const LEAF_BYTES = 32;

export interface Upload {
	conversation: number;
	file: Blob;
	name: string;
}

export interface Uploaded {
	id: string;
	token: string;
}

interface Note {
	id: string;
	kept: Uint8Array;
	pieceStart: number; // of the piece that was made last
	made: number; // up to here the sealed form was made; HEADER_BYTES: nothing yet
	digest: Uint8Array; // of that
}

class Lapsed extends Error {}

// --- the note ------------------------------------------------------------------------------------

async function noteName(u: Upload): Promise<string> {
	const changed = u.file instanceof File ? u.file.lastModified : 0;
	const look = JSON.stringify([u.name, u.file.size, changed]);
	const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(look));
	return `upload:${u.conversation}:${hex(new Uint8Array(digest))}`;
}

function writeNote(n: Note): Bytes {
	const id = new TextEncoder().encode(n.id);
	const head = new DataView(new ArrayBuffer(19));
	head.setUint8(0, NOTE_VERSION);
	head.setBigUint64(1, BigInt(n.pieceStart));
	head.setBigUint64(9, BigInt(n.made));
	head.setUint8(17, id.length);
	head.setUint8(18, n.kept.length);
	return joined([new Uint8Array(head.buffer), id, n.kept, n.digest]);
}

function readNote(bytes: Uint8Array): Note | null {
	const copy = ownBytes(bytes);
	if (copy.length < 19) return null;
	const head = new DataView(copy.buffer);
	const idEnd = 19 + head.getUint8(17);
	const keptEnd = idEnd + head.getUint8(18);
	if (head.getUint8(0) !== NOTE_VERSION || copy.length !== keptEnd + 32) return null;
	const id = new TextDecoder().decode(copy.subarray(19, idEnd));
	if (!isFileId(id)) return null;
	return {
		id,
		kept: copy.slice(idEnd, keptEnd),
		pieceStart: Number(head.getBigUint64(1)),
		made: Number(head.getBigUint64(9)),
		digest: copy.slice(keptEnd),
	};
}

// Waits for the end of both, however one of them ends: what they share may be freed then.
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
	await Promise.allSettled([a, b]);
	return Promise.all([a, b]);
}

// --- one upload ----------------------------------------------------------------------------------

class Job {
	private readonly source: SealSource;
	private piece: Piece | null = null;
	private size = LEAST_PIECE; // of the next piece, and of what goes in one request

	constructor(
		private readonly t: Transfer,
		private readonly noteName: string,
		private readonly note: Note,
		source: SealSource,
	) {
		this.source = source;
	}

	private async call(method: string, headers: Record<string, string>, body?: Bytes): Promise<Answered> {
		const path = `${TUS}/${this.note.id}`;
		const request = { method, path, headers: { ...VERSION, ...headers }, signal: this.t.signal };
		const answer = await perform(this.t.platform, body === undefined ? request : { ...request, body });
		const refused = refusal(answer.status, answer.body);
		if (refused?.code === 'NOT_FOUND' || refused?.code === 'GONE') throw new Lapsed();
		if (refused !== null) throw refused;
		return answer;
	}

	private async askOffset(): Promise<number> {
		const answer = await this.call('HEAD', {});
		const offset = Number(answer.headers.get('Upload-Offset') ?? NaN);
		if (!Number.isSafeInteger(offset) || offset < 0 || offset > this.source.total)
			throw new ProblemError('MALFORMED');
		return offset;
	}

	// Makes again what an earlier run had made, and proves that it is the same. The last piece stays
	// in memory, to be sent from wherever the server is.
	async catchUp(): Promise<void> {
		const { pieceStart, made } = this.note;
		if (made === HEADER_BYTES) return;
		await this.askOffset(); // perhaps it has lapsed
		while (this.source.made < made) {
			stopIfAborted(this.t.signal);
			const before = pieceStart - this.source.made;
			this.piece =
				before > 0
					? await this.source.nextUntil(this.source.made + Math.min(before, MOST_PIECE))
					: await this.source.nextUntil(made);
			if (this.piece === null) throw new Lapsed();
			this.t.progress({ done: this.source.made, total: this.source.total });
		}
		const same = this.source.made === made && this.piece?.start === pieceStart;
		if (!same) throw new Lapsed();
		try {
			this.source.check(this.note.digest);
		} catch {
			throw new Lapsed();
		}
	}

	// Before anything of it leaves.
	private async noteDown(piece: Piece): Promise<void> {
		this.note.pieceStart = piece.start;
		this.note.made = piece.end;
		this.note.digest = piece.soFar;
		await this.t.desk.notePut(this.noteName, writeNote(this.note));
	}

	// Of whole chunks of a piece, since with a checksum only whole requests count.
	private async checksum(piece: Piece, first: number, last: number): Promise<string> {
		const leaves = piece.leaves.subarray(LEAF_BYTES * first, LEAF_BYTES * last);
		const sum = await crypto.subtle.digest('SHA-256', leaves);
		const block = this.source.chunkBytes + TAG_BYTES;
		return `sha256-blocks-${block} ${btoa(String.fromCharCode(...new Uint8Array(sum)))}`;
	}

	// As much of it as goes in one request; gives back how far the server is then.
	private async sendSome(piece: Piece, offset: number): Promise<number> {
		const begun = this.t.platform.monotonic();
		const block = this.source.chunkBytes + TAG_BYTES;
		const first = (offset - piece.start) / block;
		if (!Number.isInteger(first)) throw new Lapsed();
		const last = first + Math.max(1, Math.floor(this.size / this.source.chunkBytes));
		const end = Math.min(piece.end, piece.start + last * block);
		const headers = {
			'Content-Type': BODY,
			'Upload-Offset': String(offset),
			'Upload-Checksum': await this.checksum(piece, first, last),
		};
		const answer = await this.call('PATCH', headers, piece.bytes.subarray(offset - piece.start, end - piece.start));
		const reached = answer.headers.get('Upload-Offset');
		if (reached !== String(end)) throw new ProblemError('CONFLICT');
		const took = this.t.platform.monotonic() - begun;
		if (took < SHORT_MS) this.size = Math.min(2 * this.size, MOST_PIECE);
		else if (took > LONG_MS) this.size = Math.max(this.size / 2, LEAST_PIECE);
		this.t.progress({ done: end, total: this.source.total });
		return end;
	}

	// The piece is in memory until the server has all of it; of what came before nothing can be sent
	// again without sealing it again, so a server that has lost it gets a new upload.
	private async sendAcross(piece: Piece, first: number): Promise<void> {
		let offset = first;
		for (let tries = 1; offset < piece.end; ) {
			try {
				if (offset < piece.start) throw new Lapsed();
				offset = await this.sendSome(piece, offset);
				tries = 1;
				continue;
			} catch (e) {
				this.size = Math.max(this.size / 2, LEAST_PIECE); // what breaks off counts for nothing
				const code = codeOf(e);
				const again = mayPass(code) || code === 'CONFLICT' || code === 'BAD_SEAL';
				if (e instanceof Lapsed || tries > TRIES || !again) throw e;
			}
			await pause(this.t, tries++);
			const reached = await this.askOffset().catch((e: unknown) => {
				if (e instanceof Lapsed || !mayPass(codeOf(e)) || tries > TRIES) throw e;
				return offset;
			});
			if (reached > offset) tries = 1;
			offset = reached;
		}
	}

	// While one piece is on its way the next one is made.
	async sendAll(): Promise<void> {
		let offset = this.note.made === HEADER_BYTES ? HEADER_BYTES : await this.askOffset();
		this.t.progress({ done: offset, total: this.source.total });
		let piece = this.piece;
		this.piece = null;
		if (piece === null) {
			piece = await this.source.next(this.size);
			if (piece !== null) await this.noteDown(piece);
		}
		while (piece !== null) {
			stopIfAborted(this.t.signal);
			const [next] = await both(this.source.next(this.size), this.sendAcross(piece, offset));
			offset = piece.end;
			piece = next;
			if (piece !== null) await this.noteDown(piece);
		}
	}

	// The server has all of it.
	seal(token: string): void {
		this.source.seal(token);
	}

	free(): void {
		this.source.free();
	}

	async giveUp(): Promise<void> {
		await this.call('DELETE', {}).catch(() => undefined); // it lapses by itself
	}
}

// --- the whole -----------------------------------------------------------------------------------

async function create(t: Transfer, u: Upload, name: string, token: string, total: number): Promise<Note> {
	const kept = await t.desk.fileKept(token);
	const body = ownBytes(await t.desk.fileHeader(token));
	const headers = {
		...VERSION,
		'Content-Type': BODY,
		'Upload-Length': String(total),
		'Upload-Metadata': `conversation_id ${btoa(String(u.conversation))}`,
	};
	const answer = await perform(t.platform, { method: 'POST', path: TUS, headers, body, signal: t.signal });
	const refused = refusal(answer.status, answer.body);
	if (refused !== null) throw refused;
	const id = (answer.headers.get('Location') ?? '').split('/').at(-1) ?? '';
	if (!isFileId(id))
		throw new ProblemError('MALFORMED', 'The server did not say where to send the file.');
	const note = { id, kept, pieceStart: HEADER_BYTES, made: HEADER_BYTES, digest: new Uint8Array(LEAF_BYTES) };
	await t.desk.notePut(name, writeNote(note));
	return note;
}

async function openSource(t: Transfer, u: Upload, token: string): Promise<SealSource> {
	const header = ownBytes(await t.desk.fileHeader(token));
	const cipher = await ChunkCipher.of(await t.desk.fileStream(token, header), u.file.size);
	return new SealSource(u.file, cipher, await t.desk.fileDigest(header));
}

async function run(job: Job, note: Note, token: string): Promise<Uploaded> {
	try {
		await job.catchUp();
		await job.sendAll();
		job.seal(token);
		return { id: note.id, token };
	} finally {
		job.free();
	}
}

async function begin(t: Transfer, u: Upload, name: string): Promise<Uploaded> {
	const token = await t.desk.fileNew();
	const source = await openSource(t, u, token);
	const note = await create(t, u, name, token, source.total);
	const job = new Job(t, name, note, source);
	try {
		return await run(job, note, token);
	} catch (e) {
		const code = codeOf(e);
		if (code === 'CONFLICT' || code === 'BAD_SEAL') {
			await job.giveUp();
			await t.desk.notePut(name, new Uint8Array());
		}
		throw e instanceof Lapsed ? new ProblemError('GONE') : e;
	}
}

// null: there is nothing to go on with.
async function goOn(t: Transfer, u: Upload, name: string): Promise<Uploaded | null> {
	const bytes = await t.desk.noteGet(name);
	const note = bytes === null ? null : readNote(bytes);
	if (note === null) return null;
	const token = await t.desk.fileAgain(note.kept);
	const job = new Job(t, name, note, await openSource(t, u, token));
	try {
		return await run(job, note, token);
	} catch (e) {
		if (!(e instanceof Lapsed)) throw e;
		await job.giveUp();
		return null;
	}
}

// Of these, two at once would share a note and with it a key, for bytes that may be others: the second
// one keeps nothing, and cannot be gone on with.
const underWay = new Set<string>();

function withoutNotes(t: Transfer): Transfer {
	const desk = Object.create(t.desk) as FileDesk;
	desk.notePut = async () => undefined;
	return { ...t, desk };
}

// Rejects with CONFLICT (the file changed), BAD_SEAL (the server has something else), NETWORK,
// CANCELLED, what the server refused with.
export async function upload(t: Transfer, u: Upload): Promise<Uploaded> {
	const name = await noteName(u);
	if (underWay.has(name)) return begin(withoutNotes(t), u, name);
	underWay.add(name);
	try {
		return (await goOn(t, u, name)) ?? (await begin(t, u, name));
	} finally {
		underWay.delete(name);
	}
}

// Once the message that names the file is sent.
export async function uploadForget(t: Transfer, u: Upload): Promise<void> {
	await t.desk.notePut(await noteName(u), new Uint8Array());
}
