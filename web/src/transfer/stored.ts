// stored.ts - receives what a server keeps for a link: docs/protocol-transfer.md 16. The core opens and proves
// (wasm/stored.h); this fetches, and is the same as client/stored_take.c for programs.
import type { Bytes } from '../core/bytes.js';
import { hex, joined, unhex } from '../core/bytes.js';
import { Reader } from '../core/cursor.js';
import type { Core } from '../core/module.js';
import { ProblemError } from '../core/problem.js';
import { breathe, Calls, type Refusals } from './calls.js';
import { readOffer } from './parcel.js';
import type { Sink } from './sink.js';
import type { Taking } from './take.js';
import { PAGE_LEFT } from './work.js';

const TOKEN_BYTES = 32;
const GIVE_BACK_MS = 5000;
const CHUNKS = 8; // opened at once
const KEPT = 'tacit-claim-'; // in this browser, so that a page that was closed by mistake goes on

// What the server's refusals are called.
const REFUSED: Refusals = { 404: 'NO_SUCH_LINK', 409: 'BUSY', 410: 'GONE', 416: 'BAD_SEAL' };

// A link, or what is behind its #, rather than a code.
export function isStored(text: string): boolean {
	return /(^|#)s\./.test(text.trim());
}

function keptClaim(text: string): Uint8Array {
	const fresh = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
	try {
		const name = KEPT + (/s\.([0-9a-fA-F]+)/.exec(text)?.[1] ?? '');
		const old = localStorage.getItem(name);
		if (old !== null && /^[0-9a-f]{64}$/.test(old))
			return unhex(old);
		localStorage.setItem(name, hex(fresh));
	} catch {
		// A browser that keeps nothing: then a page that is closed begins anew.
	}
	return fresh;
}

export class Fetcher {
	private readonly calls: Calls;
	private readonly handle: number;
	private readonly id: string;
	private readonly access: string;
	private readonly claimed: string; // what the server knows the claim by
	private readonly claim: string;

	// Throws MALFORMED when it is no link.
	constructor(
		private readonly core: Core,
		link: string,
		private readonly ui: Taking,
		private readonly signal: AbortSignal,
	) {
		const text = link.trim();
		this.calls = new Calls(REFUSED, (lost) => ui.state(lost ? 'lost' : 'fetching'), signal);
		const token = keptClaim(text);
		const words = new TextEncoder().encode(text);
		const r = new Reader(core.askWith('stored_new', [], joined([token.slice(), words.slice()])));
		this.handle = r.u32();
		this.id = r.text();
		this.access = r.text();
		this.claimed = r.text();
		this.claim = hex(token);
	}

	private forget(): void {
		try {
			localStorage.removeItem(KEPT + this.id);
		} catch {
			// Then nothing was kept.
		}
	}

	private post(rest: string, token: string, json: object): Promise<Bytes> {
		return this.calls.ask(this.id, { method: 'POST', rest, token, json });
	}

	private range(from: number, bytes: number): Promise<Bytes> {
		return this.calls.ask(this.id, { method: 'GET', rest: '/content', token: this.claim, range: [from, bytes] });
	}

	private async open(): Promise<ReturnType<typeof readOffer>> {
		const said: unknown = JSON.parse(new TextDecoder().decode(
			await this.post('/claims', this.access, { claim: this.claimed }),
		));
		const { size, head_size: head } = said as { size?: unknown; head_size?: unknown };
		if (!Number.isSafeInteger(size) || !Number.isSafeInteger(head)) throw new ProblemError('BAD_SEAL');
		const bytes = await this.range(0, head as number);
		return readOffer(new Reader(this.core.askWith('stored_head', [this.handle, BigInt(size as number)], bytes)));
	}

	// Given back, so that it is no download: nothing of it was fetched.
	private async release(): Promise<void> {
		this.forget();
		await Calls.once(this.id, { method: 'DELETE', rest: '/claims', token: this.claim }, {
			signal: AbortSignal.timeout(GIVE_BACK_MS), keepalive: true,
		}).catch(() => undefined); // then it lapses
	}

	private async choose(offer: ReturnType<typeof readOffer>): Promise<Sink | null> {
		if (offer.kind === 'text') return null;
		let sink: Sink | null = null;
		try {
			sink = await this.ui.offered(offer);
		} finally {
			if (sink === null && this.signal.reason !== PAGE_LEFT) await this.release();
		}
		if (sink === null) throw new ProblemError('DECLINED');
		return sink;
	}

	// All of a segment before any of it is written.
	private async opened(sealed: Bytes, first: number, step: number): Promise<Bytes> {
		const parts: Bytes[] = [];
		for (let at = 0, until = first + step; at < sealed.length; at = until, until += step) {
			parts.push(this.core.askWith('stored_take', [this.handle], sealed.subarray(at, until)));
			await breathe();
			this.calls.check();
		}
		return joined(parts);
	}

	private async content(sink: Sink | null, total: number): Promise<void> {
		const words: Bytes[] = [];
		for (let done = 0; ;) {
			this.ui.progress(done, total);
			const r = new Reader(this.core.ask('stored_next', this.handle));
			const from = r.u64();
			const bytes = r.u64();
			if (bytes === 0) break;
			const first = r.u32();
			const plain = await this.opened(await this.range(from, bytes), first, r.u32() * CHUNKS);
			if (sink === null) words.push(plain);
			else await sink.write(plain);
			done += plain.length;
		}
		if (sink === null) this.ui.text(new TextDecoder().decode(joined(words)));
		else await sink.close();
	}

	async run(): Promise<void> {
		let sink: Sink | null = null;
		let there = false;
		try {
			this.ui.state('connecting');
			const offer = await this.open();
			sink = await this.choose(offer);
			this.ui.state('fetching');
			await this.content(sink, offer.total);
			there = true;
			const receipt = new TextDecoder().decode(this.core.ask('stored_receipt', this.handle));
			await this.post('/commit', this.claim, { receipt });
			this.forget();
		} catch (e) {
			if (e instanceof ProblemError && (e.code === 'GONE' || e.code === 'NO_SUCH_LINK')) this.forget();
			if (there) return; // it is here, whether or not the sender is told
			await sink?.abort();
			if (this.signal.aborted) throw new ProblemError('CANCELLED');
			throw e;
		} finally {
			if (!this.core.isBroken) this.core.call('stored_free', this.handle);
		}
	}
}
