// engine.ts - the C core's engine as one object: bytes and commands in, effects out. No I/O.
//
// Types only; wasm_engine.ts makes one from the WebAssembly module. The rules of the effects are those of
// core/engine/engine.h: what is to be persisted is persisted in one transaction before anything of
// the same step leaves, and a step whose transaction fails is thrown away with its engine.
import type { Command, Notice, FileRef } from '../messenger.js';

export type Effect =
	| { kind: 'persist'; id: Uint8Array; data: Uint8Array } // 16 bytes of id; empty data: delete
	| { kind: 'profile'; data: Uint8Array }
	| { kind: 'log'; tag: Uint8Array; position: number; data: Uint8Array } // what stands there stays
	| { kind: 'purge'; tag: Uint8Array; from: number; until: number } // both included
	| { kind: 'send'; request: number; method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string; body: Uint8Array }
	| { kind: 'deliver'; notice: Notice }
	| { kind: 'live'; name: string; body: string } // JSON
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

	// Files: the key stays inside. A new file's keys and header; then, per chunk, what WebCrypto needs
	// is asked for here, so that the format has one home (core/e2e/file_stream.h).
	fileToken(ref: FileRef): string;
	free(): void;
}
