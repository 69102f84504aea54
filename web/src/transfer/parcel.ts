// parcel.ts - one end of a transfer without accounts: the core's state machine (wasm/parcel.h) as an
// object. Messages of the relay in; what is to be sent, and what happened, out. No I/O.
import type { Bytes } from '../core/bytes.js';
import { Reader, Writer } from '../core/cursor.js';
import { EngineError } from '../core/engine.js';
import type { Core } from '../core/module.js';

export type Role = 'sender' | 'receiver';
export type Kind = 'text' | 'file' | 'files' | 'folder';

export interface Entry {
	folder: boolean;
	size: number;
	modified: number; // Unix; 0 for who does not know
	path: string; // from the core: safe, relative, '/' between its parts
}

export interface Offer {
	kind: Kind;
	total: number;
	entries: Entry[];
}

export type ParcelEvent =
	| { kind: 'offered'; offer: Offer }
	| { kind: 'answered' | 'started' | 'begun'; offset: number }
	| { kind: 'data'; offset: number; bytes: Bytes }
	| { kind: 'code'; code: string }
	| { kind: 'ended_by_relay' | 'stopped'; why: number }
	| { kind: 'nothing' | 'open' | 'declined' | 'ended' | 'received' | 'done' | 'wrong' | 'paired' };

export interface Step {
	out: Bytes[]; // messages for the relay, in this order
	event: ParcelEvent;
}

export const CHANGED = 1; // enum tacit_parcel_why
export const RECORD_BYTES = 131_072; // the most that data() takes

const KINDS: readonly (Kind | undefined)[] = [undefined, 'text', 'file', 'files', 'folder'];
// enum tacit_parcel_event_kind, and those of wasm/parcel.h. A browser goes by the relay whatever
// other ways there are.
const PLAIN: Readonly<Record<number, 'nothing' | 'open' | 'declined' | 'ended' | 'received' | 'done' | 'wrong' | 'paired'>> = {
	0: 'nothing', 1: 'open', 2: 'nothing', 3: 'nothing', 6: 'declined', 9: 'ended', 10: 'received', 11: 'done',
	66: 'wrong', 68: 'paired',
};
const OFFERED = 4;
const DATA = 8;
const STOPPED = 12;
const CODE = 64;
const ENDED = 65;
const AT: Readonly<Record<number, 'answered' | 'started' | 'begun'>> = { 5: 'answered', 7: 'started', 67: 'begun' };

export function readOffer(r: Reader): Offer {
	const kind = KINDS[r.u8()];
	if (kind === undefined) throw new RangeError('an offer of no known kind');
	const total = r.u64();
	const entries = Array.from({ length: r.u32() }, () => ({
		folder: r.u8() !== 0, size: r.u64(), modified: r.bound(), path: r.text(),
	}));
	return { kind, total, entries };
}

function readEvent(r: Reader): ParcelEvent {
	const number = r.u8();
	const plain = PLAIN[number];
	const at = AT[number];
	if (plain !== undefined) return { kind: plain };
	if (at !== undefined) return { kind: at, offset: r.u64() };
	if (number === OFFERED) return { kind: 'offered', offer: readOffer(r) };
	if (number === DATA) return { kind: 'data', offset: r.u64(), bytes: r.bytes() };
	if (number === CODE) return { kind: 'code', code: r.text() };
	if (number === STOPPED) return { kind: 'stopped', why: r.u64() };
	if (number === ENDED) return { kind: 'ended_by_relay', why: r.u8() };
	throw new RangeError('an event of no known kind');
}

// What a sender has: docs/protocol-transfer.md 15.4.
export interface Content {
	kind: Kind;
	entries: readonly Entry[];
	total: number;
}

export function encodeOffer(content: Content): Bytes {
	const w = new Writer();
	w.u8(1);
	w.u8(KINDS.indexOf(content.kind));
	w.u64(content.total);
	w.u32(content.entries.length);
	for (const entry of content.entries) {
		const path = new TextEncoder().encode(entry.path);
		w.u8(entry.folder ? 1 : 0);
		w.u64(entry.size);
		w.u64(entry.modified);
		w.u8(path.length >> 8);
		w.u8(path.length & 255);
		w.raw(path);
	}
	return w.view().slice();
}

export class Parcel {
	private readonly handle: number;
	private freed = false;

	constructor(
		private readonly core: Core,
		role: Role,
	) {
		this.handle = new Reader(core.ask('parcel_new', role === 'sender' ? 0 : 1)).u32();
	}

	// Who still has something to say, as a file that was being read, is told that it is over.
	private get at(): number {
		if (this.freed) throw new EngineError('CANCELLED');
		return this.handle;
	}

	free(): void {
		if (!this.freed && !this.core.isBroken) this.core.call('parcel_free', this.handle);
		this.freed = true;
	}

	// Throws MALFORMED or BAD_NAME when it is no code.
	join(code: string): void {
		this.core.askWith('parcel_join', [this.at], new TextEncoder().encode(code));
	}

	// Of the connection that is about to be made.
	query(): string {
		return new TextDecoder().decode(this.core.ask('parcel_query', this.at));
	}

	private step(answer: Bytes): Step {
		const r = new Reader(answer);
		const out = Array.from({ length: r.u32() }, () => r.bytes());
		return { out, event: readEvent(r) };
	}

	private with(name: string, bytes: Uint8Array): Step {
		return this.step(this.core.askWith(name, [this.at], bytes));
	}

	take(message: Uint8Array): Step {
		return this.with('parcel_take', message);
	}

	offer(offer: Uint8Array): Step {
		return this.with('parcel_offer', offer);
	}

	kept(bytes: Uint8Array): Step {
		return this.with('parcel_kept', bytes);
	}

	data(bytes: Uint8Array): Step {
		return this.with('parcel_data', bytes);
	}

	do(what: 'begin' | 'end' | 'answer' | 'decline' | 'receipt'): Step {
		return this.step(this.core.ask(`parcel_${what}`, this.at));
	}

	stop(changed: boolean): Step {
		return this.step(this.core.ask('parcel_stop', this.at, changed ? CHANGED : 0));
	}
}

// Throws what a receiver would refuse it with.
export function checkOffer(core: Core, content: Content): void {
	core.askWith('offer_check', [], encodeOffer(content));
}

// How what was typed of a code may go on.
export function completions(core: Core, typed: string): string[] {
	const r = new Reader(core.askWith('code_complete', [], new TextEncoder().encode(typed)));
	return Array.from({ length: r.u32() }, () => r.text());
}
