// left.ts - what this browser has left at the server: enough to ask what has become of it, to tell
// true receipts from others, and to take it back. Not the link: who finds this can open nothing.
import { joined, unhex } from '../core/bytes.js';
import { Reader } from '../core/cursor.js';
import type { Core } from '../core/module.js';
import { Calls } from './calls.js';
import type { Kind } from './parcel.js';

const KEPT = 'tacit-left';
const TOLD_S = 7 * 86_400; // what a server tells after the end

export interface Note {
	id: string;
	owner: string; // the token, hex; secret
	receipt: string; // the key, hex; secret
	title: string; // '' for a text, or for several things
	kind: Kind;
	count: number; // files
	bytes: number;
	downloads: number;
	expires: number; // Unix
}

export type Standing = 'ready' | 'taken' | 'revoked' | 'expired' | 'gone' | 'unknown';

export interface Fate {
	standing: Standing;
	begun: number;
	received: number[]; // Unix, as the receivers say
	lies: number; // receipts that are none
}

export function whenOf(text: string): number {
	const ms = Date.parse(text);
	return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

function isNote(x: unknown): x is Note {
	const note = x as Note;
	return typeof x === 'object' && x !== null && /^[0-9a-f]{32}$/.test(note.id) && /^[0-9a-f]{64}$/.test(note.owner) &&
		/^[0-9a-f]{64}$/.test(note.receipt) && typeof note.title === 'string' && typeof note.kind === 'string' &&
		[note.count, note.bytes, note.downloads, note.expires].every(Number.isSafeInteger);
}

export function notes(): Note[] {
	try {
		const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
		return Array.isArray(kept) ? kept.filter(isNote) : [];
	} catch {
		return []; // a browser that keeps nothing
	}
}

function save(list: readonly Note[]): void {
	try {
		if (list.length === 0) localStorage.removeItem(KEPT);
		else localStorage.setItem(KEPT, JSON.stringify(list));
	} catch {
		// Then it can be taken back for as long as this page is open.
	}
}

export function keepNote(note: Note): void {
	save([note, ...notes().filter((one) => one.id !== note.id)]);
}

export function forgetNote(note: Note): void {
	save(notes().filter((one) => one.id !== note.id));
}

interface Claim {
	state?: unknown;
	claim?: unknown;
	receipt?: unknown;
}

function isHex(x: unknown, bytes: number): x is string {
	return typeof x === 'string' && x.length === 2 * bytes && /^[0-9a-f]*$/.test(x);
}

// When it was received, or null: the server has made it up.
function trueReceipt(core: Core, note: Note, { claim, receipt }: Claim): number | null {
	if (!isHex(claim, 32) || !isHex(receipt, 40)) return null;
	const id = new TextEncoder().encode(note.id);
	try {
		return new Reader(core.askWith('leave_receipt', [], joined([unhex(note.receipt), id, unhex(claim), unhex(receipt)])))
			.u64();
	} catch {
		return null;
	}
}

// A receipt tells of one claim, however often a server shows it.
function judge(core: Core, note: Note, standing: Standing, claims: readonly Claim[]): Fate {
	const seen = new Set<unknown>();
	const fate: Fate = { standing, begun: 0, received: [], lies: 0 };
	for (const claim of claims) {
		if (claim.state === 'begun') fate.begun++;
		if (claim.state !== 'done') continue;
		const at = seen.has(claim.claim) ? null : trueReceipt(core, note, claim);
		seen.add(claim.claim);
		if (at === null) fate.lies++;
		else fate.received.push(at);
	}
	return fate;
}

const STANDINGS: readonly unknown[] = ['ready', 'taken', 'revoked', 'expired'];

export async function fateOf(core: Core, note: Note): Promise<Fate> {
	const nothing: Fate = { standing: 'unknown', begun: 0, received: [], lies: 0 };
	try {
		const answer = await Calls.once(note.id, { method: 'GET', rest: '', token: note.owner });
		if (answer.status === 404) return { ...nothing, standing: 'gone' };
		if (!answer.ok) return nothing;
		const { state, claims } = (await answer.json()) as { state?: unknown; claims?: unknown };
		if (!STANDINGS.includes(state) || !Array.isArray(claims)) return nothing;
		return judge(core, note, state as Standing, claims as Claim[]);
	} catch {
		return nothing;
	}
}

// Nobody knows it any more.
export function isPast(note: Note, fate: Fate, now: number): boolean {
	return fate.standing === 'gone' && note.expires + TOLD_S < now;
}

// false: it is not known whether it was. Said to the end also when the page is closed.
export async function takeBack({ id, owner }: Pick<Note, 'id' | 'owner'>): Promise<boolean> {
	const answer = await Calls.once(id, { method: 'DELETE', rest: '', token: owner }, { keepalive: true }).catch(() => null);
	return answer !== null && (answer.ok || answer.status === 404);
}
