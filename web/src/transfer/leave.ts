// leave.ts - leaves something at the server for whoever has the link: docs/protocol-transfer.md 16. The
// core seals (wasm/stored_give.h); this sends, and is the same as client/stored_give.c for programs.
//
// The server counts whole parts only: the head, then each segment. A part whose fate is not known
// is asked for, and when it has not come, it is sealed anew.
import { type Bytes, joined } from '../core/bytes.js';
import { Reader } from '../core/cursor.js';
import type { Core } from '../core/module.js';
import { ProblemError } from '../core/problem.js';
import { BegunNote } from './begun.js';
import { breathe, Calls, type Refusals } from './calls.js';
import { keepNote, type Note, whenOf } from './left.js';
import { encodeOffer } from './parcel.js';
import type { Told } from './run.js';
import type { Source } from './source.js';

const WRONG_OFFSET = 409; // what was lost on its way has come after all
const REFUSED: Refusals = {
	403: 'PARCELS_OFF', 404: 'GONE', 409: 'NETWORK', 410: 'GONE', 413: 'TOO_LARGE.server', 422: 'TERMS', 507: 'NO_ROOM',
};

const PIECE = 512 * 1024; // sealed at once

export interface Terms {
	lifetime: number; // seconds
	downloads: number;
}

export interface Leaving extends Told {
	left(link: string, note: Note): void;
}

export class Leaver {
	private readonly calls: Calls;
	private handle = 0;
	private id = '';
	private owner = '';
	private begun: BegunNote | null = null;
	private offset = 0; // as the server counts
	private done = 0; // of the content
	private ready = false;

	constructor(
		private readonly core: Core,
		private readonly source: Source,
		private readonly terms: Terms,
		private readonly ui: Leaving,
		private readonly signal: AbortSignal,
	) {
		this.calls = new Calls(REFUSED, (lost) => ui.state(lost ? 'lost' : 'sending'), signal);
	}

	private async begin(): Promise<{ size: number; receipt: string }> {
		const r = new Reader(this.core.askWith('leave_new', [], encodeOffer(this.source.content)));
		this.handle = r.u32();
		const size = r.u64();
		const head = r.u64();
		const access = r.text();
		this.owner = r.text();
		const json = { size, head_size: head, ...this.terms, access, owner: r.text() };
		const { id } = await this.calls.askJson('', { method: 'POST', rest: '', token: '', json });
		if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) throw new ProblemError('NETWORK');
		this.id = id;
		this.begun = new BegunNote({ id, owner: this.owner });
		await this.begun.there();
		this.calls.check();
		return { size, receipt: r.text() };
	}

	private async look(): Promise<Readonly<Record<string, unknown>>> {
		const said = await this.calls.askJson(this.id, { method: 'GET', rest: '', token: this.owner });
		if (said['state'] !== 'coming' && said['state'] !== 'ready') throw new ProblemError('GONE');
		this.ready = said['state'] === 'ready';
		return said;
	}

	private async sealed(plain: Bytes): Promise<Bytes> {
		const parts = [this.core.ask('leave_begin', this.handle)];
		for (let at = 0; at === 0 || at < plain.length; at += PIECE) {
			parts.push(this.core.askWith('leave_seal', [this.handle], plain.subarray(at, at + PIECE)));
			await breathe();
			this.calls.check();
		}
		return joined(parts);
	}

	// Until the server counts it.
	private async part(seal: () => Bytes | Promise<Bytes>, content: number): Promise<void> {
		const { total } = this.source.content;
		const before = this.offset;
		for (;;) {
			const bytes = await seal();
			const after = before + bytes.length;
			const far = (sent: number): void =>
				this.ui.progress(this.done + Math.min(content, Math.floor((content * sent) / bytes.length)), total);
			const status = await Calls.part(this.id, this.owner, before, bytes, far, this.signal);
			this.calls.check();
			if (status >= 200 && status < 300) this.offset = after;
			else if (status !== WRONG_OFFSET) await this.calls.failed(status);
			if (this.offset === before) {
				const { offset } = await this.look();
				if (offset !== before && offset !== after) throw new ProblemError('NETWORK');
				if (offset === before && status === WRONG_OFFSET) throw new ProblemError('NETWORK');
				this.offset = offset;
			}
			if (this.offset === after) break;
		}
		this.calls.worked();
		this.done += content;
		this.ui.progress(this.done, total);
	}

	private async segments(): Promise<void> {
		for (;;) {
			const r = new Reader(this.core.ask('leave_next', this.handle));
			const from = r.u64();
			const bytes = r.u64();
			if (r.u8() === 0) return;
			const plain = await this.source.read(from, from + bytes);
			await this.part(() => this.sealed(plain), bytes);
			this.core.ask('leave_came', this.handle);
		}
	}

	// All has come, and the server or the connection ended before it said so.
	private async settle(): Promise<string> {
		for (;;) {
			const { expires_at: expires } = await this.look();
			if (this.ready) return String(expires);
			const status = await Calls.part(this.id, this.owner, this.offset, new Uint8Array(), () => undefined, this.signal);
			if (status < 200 || status >= 300) await this.calls.failed(status);
		}
	}

	private note(receipt: string, expires: string): Note {
		const { content, title } = this.source;
		const { id, owner } = this;
		return {
			id, owner, receipt, title, kind: content.kind, count: content.entries.filter((entry) => !entry.folder).length,
			bytes: content.total, downloads: this.terms.downloads, expires: whenOf(expires),
		};
	}

	// Nobody can have the link yet.
	private takeBack(): void {
		void this.begun?.takeBack();
	}

	async run(): Promise<void> {
		const back = (): void => this.takeBack();
		this.signal.addEventListener('abort', back, { once: true });
		try {
			this.ui.state('sending');
			const { size, receipt } = await this.begin();
			await this.part(() => this.core.ask('leave_head', this.handle), 0);
			await this.segments();
			if (this.offset !== size) throw new ProblemError('NETWORK');
			const note = this.note(receipt, await this.settle());
			this.calls.check();
			await this.begun?.over(); // before the link is shown: from then on it may be in use
			this.calls.check();
			const link = this.core.askWith('leave_link', [this.handle], new TextEncoder().encode(this.id));
			keepNote(note);
			this.ui.left(`${location.origin}/r#${new TextDecoder().decode(link)}`, note);
		} catch (e) {
			if (this.signal.aborted) throw new ProblemError('CANCELLED');
			this.takeBack();
			throw e;
		} finally {
			this.signal.removeEventListener('abort', back);
			if (this.handle !== 0 && !this.core.isBroken) this.core.call('leave_free', this.handle);
		}
	}
}
