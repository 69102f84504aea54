// engine.ts - the C core's engine as one object: bytes and commands in, effects out. No I/O.
//
// wasm_engine.ts makes one from the WebAssembly module. The rules of the effects are those of
// core/engine/engine.h: what is to be persisted is persisted in one transaction before anything of
// the same step leaves, and a step whose transaction fails is thrown away with its engine.
import type { Command, Notice } from '../messenger.js';
import type { Bytes } from './bytes.js';

export type Effect =
	| { kind: 'persist'; id: Uint8Array; data: Uint8Array } // 16 bytes of id; empty data: delete
	| { kind: 'profile'; data: Uint8Array }
	| { kind: 'log'; tag: Uint8Array; position: number; data: Uint8Array } // what stands there stays
	| { kind: 'purge'; tag: Uint8Array; from: number; until: number } // both included
	// Give what the history has there, after what was persisted, to recalled().
	| { kind: 'recall'; request: number; tag: Uint8Array; position: number }
	| { kind: 'send'; request: number; method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string; body: Uint8Array }
	| { kind: 'deliver'; notice: Notice }
	| { kind: 'live'; name: string; body: string } // JSON
	// The real cookie is HttpOnly, and the browser's: this one is a placeholder (wasm/abi.h). Nothing to do.
	| { kind: 'cookie'; data: Uint8Array };

export interface HttpAnswer {
	status: number; // 0: no answer came
	body: Uint8Array;
}

// Every call throws EngineError with the core's name for the error.
export interface Engine {
	unlock(password: Uint8Array): void; // wipes password
	unlockWithSecret(secret: Uint8Array): void;
	accountSecret(): Uint8Array; // empty when locked; a copy, the caller's to wipe
	restore(id: Uint8Array, sealed: Uint8Array): void;

	command(command: Command): { op: number; effects: Effect[] };
	answer(request: number, answer: HttpAnswer): Effect[];
	recalled(request: number, sealed: Uint8Array): Effect[]; // as it is stored; empty: there is none
	liveUp(): Effect[];
	liveDown(): void;
	liveEvent(name: string, body: string): Effect[];
	due(): number; // Unix seconds; Infinity: never
	tick(): Effect[];

	hasAccount(): boolean;
	locked(): boolean;
	loggedIn(): boolean;
	username(): string;
	logTag(conversation: number): Uint8Array;
	logOpen(tag: Uint8Array, position: number, sealed: Uint8Array): Notice;
	conversations(): Notice[];
	outgoing(): Notice[];
	notePut(name: string, value: Uint8Array): Effect[];
	noteGet(name: string): Uint8Array; // throws NOT_FOUND

	// Files: keys stay inside, each under a token that is random. Notices name the same file by the same
	// token, and tokens outlive their engine: until the lock (forgetFiles).
	// The format's one home is core/e2e/file_stream.h.
	fileNew(): string; // a new key and a new header
	fileKept(token: string): Uint8Array; // key and header, to go on later: for a sealed note
	fileAgain(kept: Uint8Array): string; // a token for them again; MALFORMED
	fileHeader(token: string): Uint8Array; // of a file that is being sent: 32 bytes
	fileStream(token: string, header: Uint8Array): FileStream; // MALFORMED, UNSUPPORTED
	fileDigest(header: Uint8Array): FileDigest; // MALFORMED, UNSUPPORTED
	forgetFiles(): void; // wipes all keys
	free(): void;
}

// What WebCrypto needs for the chunks of one file: AES-256-GCM with a tag of 16 bytes. To seal
// another plaintext under an index that was used already would reuse a nonce.
export interface FileStream {
	readonly chunkBytes: number; // plaintext, of every chunk but the last
	readonly key: Uint8Array; // of the stream: the caller imports and wipes it
	readonly additionalData: Uint8Array;
	readonly leaves: boolean; // what its digest is fed with: SHA-256s of chunks
	// Of the chunks from first on and before until, 12 bytes each; last is the file's last one. EXHAUSTED
	nonces(first: number, last: number, until: number): Bytes;
}

// core/e2e/file_digest.h: what a message names the sealed form of a file by.
export interface FileDigest {
	feed(bytes: Uint8Array): void; // SHA-256s of the next chunks, or the next bytes behind the header
	soFar(): Uint8Array; // for a note; goes on
	check(noted: Uint8Array): void; // BAD_SEAL when that is not what came so far
	seal(token: string): void; // of all of it: now a message may carry it
	prove(token: string): void; // BAD_SEAL when it is not what the message says
	free(): void;
}

// Makes engines of one compiled module. Rejects with EngineError, too.
export interface Engines {
	create(): Engine; // a profile that has no account yet
	open(profile: Uint8Array): Engine; // locked
}

export class EngineError extends Error {
	constructor(
		readonly code: string, // a name of core/base/err.def: 'BAD_PASSWORD', ...
		text = code,
	) {
		super(text);
	}
}
