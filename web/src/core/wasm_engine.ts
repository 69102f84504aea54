// wasm_engine.ts - the engine of the core, compiled to WebAssembly, as engine.ts has it.
import type { Command, Notice } from '../messenger.js';
import { type Bytes, joined } from './bytes.js';
import type { Effect, Engine, Engines, FileDigest, FileStream, HttpAnswer } from './engine.js';
import { readEffects, readNotice, readNotices, writeCommand } from './codec.js';
import { Reader, Writer } from './cursor.js';
import { Core } from './module.js';

const ACCOUNT = 1; // the bits of engine_state
const LOCKED = 2;
const LOGGED_IN = 4;
const KEY_BYTES = 32;
const FEED_AT_ONCE = 256 * 1024; // to the core

function utf8(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}

function handle(answer: Uint8Array<ArrayBuffer>): number {
	return new Reader(answer).u32();
}

class WasmFileDigest implements FileDigest {
	private readonly at: number;

	constructor(
		private readonly core: Core,
		header: Uint8Array,
	) {
		this.at = handle(core.askWith('digest_new', [], header));
	}

	feed(bytes: Uint8Array): void {
		for (let i = 0; i < bytes.length; i += FEED_AT_ONCE)
			this.core.askWith('digest_feed', [this.at], bytes.subarray(i, i + FEED_AT_ONCE));
	}

	soFar(): Uint8Array {
		return this.core.ask('digest_peek', this.at);
	}

	check(noted: Uint8Array): void {
		this.core.askWith('digest_check', [this.at], noted);
	}

	seal(token: string): void {
		this.core.askWith('file_sealed', [this.at], utf8(token));
	}

	prove(token: string): void {
		this.core.askWith('file_check', [this.at], utf8(token));
	}

	free(): void {
		if (!this.core.isBroken) this.core.call('digest_free', this.at);
	}
}

class WasmFileStream implements FileStream {
	readonly chunkBytes: number;
	readonly leaves: boolean;
	readonly key: Uint8Array;
	readonly additionalData: Uint8Array;

	constructor(
		private readonly core: Core,
		answer: Uint8Array<ArrayBuffer>,
	) {
		const r = new Reader(answer);
		this.chunkBytes = r.u32();
		this.leaves = r.u8() !== 0;
		this.key = r.raw(KEY_BYTES);
		this.additionalData = answer.slice(5 + KEY_BYTES);
		answer.fill(0);
	}

	nonces(first: number, last: number, until: number): Bytes {
		return this.core.ask('file_nonces', BigInt(first), BigInt(last), BigInt(until));
	}
}

class WasmEngine implements Engine {
	constructor(
		private readonly core: Core,
		private readonly at: number,
	) {}

	private askAbout(name: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
		return this.core.askWith(name, [this.at], bytes);
	}

	private effects(answer: Uint8Array<ArrayBuffer>): Effect[] {
		return readEffects(new Reader(answer));
	}

	private get state(): number {
		return this.core.number('engine_state', this.at);
	}

	unlock(password: Uint8Array): void {
		try {
			this.askAbout('engine_unlock', password);
		} finally {
			password.fill(0);
		}
	}

	unlockWithSecret(secret: Uint8Array): void {
		this.askAbout('engine_unlock_with_secret', secret);
	}

	accountSecret(): Uint8Array {
		return this.core.ask('engine_account_secret', this.at);
	}

	restore(id: Uint8Array, sealed: Uint8Array): void {
		const w = new Writer();
		w.raw(id);
		w.raw(sealed);
		this.askAbout('engine_restore', w.view());
	}

	command(command: Command): { op: number; effects: Effect[] } {
		const w = new Writer();
		try {
			writeCommand(w, command);
			const r = new Reader(this.askAbout('engine_command', w.view()));
			return { op: r.u64(), effects: readEffects(r) };
		} finally {
			w.wipe();
		}
	}

	answer(request: number, answer: HttpAnswer): Effect[] {
		const about = [this.at, BigInt(request), answer.status];
		return this.effects(this.core.askWith('engine_answer', about, answer.body));
	}

	recalled(request: number, sealed: Uint8Array): Effect[] {
		return this.effects(this.core.askWith('engine_recalled', [this.at, BigInt(request)], sealed));
	}

	liveUp(): Effect[] {
		return this.effects(this.core.ask('engine_live_up', this.at));
	}

	liveDown(): void {
		this.core.call('engine_live_down', this.at);
	}

	liveEvent(name: string, body: string): Effect[] {
		const w = new Writer();
		w.text(name);
		w.text(body);
		return this.effects(this.askAbout('engine_live_event', w.view()));
	}

	due(): number {
		return this.core.number('engine_due', this.at);
	}

	tick(): Effect[] {
		return this.effects(this.core.ask('engine_tick', this.at));
	}

	hasAccount(): boolean {
		return (this.state & ACCOUNT) !== 0;
	}

	locked(): boolean {
		return (this.state & LOCKED) !== 0;
	}

	loggedIn(): boolean {
		return (this.state & LOGGED_IN) !== 0;
	}

	username(): string {
		return new TextDecoder().decode(this.core.ask('engine_username', this.at));
	}

	logTag(conversation: number): Uint8Array {
		return this.core.ask('engine_log_tag', this.at, BigInt(conversation));
	}

	logOpen(tag: Uint8Array, position: number, sealed: Uint8Array): Notice {
		const w = new Writer();
		w.raw(tag);
		w.u64(position);
		w.raw(sealed);
		return readNotice(new Reader(this.askAbout('engine_log_open', w.view())));
	}

	conversations(): Notice[] {
		return readNotices(new Reader(this.core.ask('engine_conversations', this.at)));
	}

	outgoing(): Notice[] {
		return readNotices(new Reader(this.core.ask('engine_outgoing', this.at)));
	}

	notePut(name: string, value: Uint8Array): Effect[] {
		const w = new Writer();
		try {
			w.text(name);
			w.bytes(value);
			return this.effects(this.askAbout('engine_note_put', w.view()));
		} finally {
			w.wipe();
		}
	}

	noteGet(name: string): Uint8Array {
		return this.askAbout('engine_note_get', utf8(name));
	}

	// --- files ---

	private askFile(name: string, token: string, more: Uint8Array = new Uint8Array()): Bytes {
		return this.core.askWith(name, [], joined([utf8(token), more]));
	}

	fileNew(): string {
		return new TextDecoder().decode(this.core.ask('file_new'));
	}

	fileKept(token: string): Uint8Array {
		return this.askFile('file_kept', token);
	}

	fileAgain(kept: Uint8Array): string {
		return new TextDecoder().decode(this.core.askWith('file_again', [], kept));
	}

	fileHeader(token: string): Uint8Array {
		return this.askFile('file_header', token);
	}

	fileStream(token: string, header: Uint8Array): FileStream {
		return new WasmFileStream(this.core, this.askFile('file_stream', token, header));
	}

	fileDigest(header: Uint8Array): FileDigest {
		return new WasmFileDigest(this.core, header);
	}

	forgetFiles(): void {
		this.core.call('files_forget');
	}

	free(): void {
		if (!this.core.isBroken) this.core.call('engine_free', this.at);
	}
}

// Engines of one instance, so that tokens of files outlive an engine. After a call that did not come
// back (a trap), the next engine is of a new one.
class WasmEngines implements Engines {
	private core: Core;

	constructor(private readonly module: WebAssembly.Module) {
		this.core = new Core(module);
	}

	private living(): Core {
		if (this.core.isBroken) this.core = new Core(this.module);
		return this.core;
	}

	create(): Engine {
		const core = this.living();
		return new WasmEngine(core, handle(core.ask('engine_create')));
	}

	open(profile: Uint8Array): Engine {
		const core = this.living();
		return new WasmEngine(core, handle(core.askWith('engine_open', [], profile)));
	}
}

// In a worker or in Node: the module is instantiated at once, which a page's own thread may refuse.
export function enginesOf(module: WebAssembly.Module): Engines {
	return new WasmEngines(module);
}

// address, integrity: of addresses.ts.
export async function loadEngines(address: string, integrity: string): Promise<Engines> {
	return enginesOf(await WebAssembly.compileStreaming(fetch(address, { integrity })));
}
