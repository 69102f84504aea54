// give.ts - the sending end.
import type { Core } from '../core/module.js';
import { ProblemError } from '../core/problem.js';
import { encodeOffer, type ParcelEvent, RECORD_BYTES } from './parcel.js';
import { Run, type Told } from './run.js';
import type { Source } from './source.js';

const AT_ONCE = 8 * RECORD_BYTES; // read in one piece

export class Giver extends Run {
	private turn = 0; // each connection's own: what was begun on another one stops
	private over = false;

	constructor(
		core: Core,
		private readonly source: Source,
		told: Told,
		signal: AbortSignal,
	) {
		super(core, 'sender', told, signal);
	}

	private async each(from: number, until: number, turn: number,
		use: (bytes: Uint8Array, done: number) => Promise<unknown>): Promise<void> {
		for (let at = from; at < until; at += AT_ONCE) {
			const piece = await this.source.read(at, Math.min(at + AT_ONCE, until));
			for (let i = 0; i < piece.length; i += RECORD_BYTES) {
				if (turn !== this.turn || this.over || this.signal.aborted) return;
				const record = piece.subarray(i, i + RECORD_BYTES);
				await use(record, at + i + record.length);
			}
		}
	}

	// What the other one has is read again, so that both know to mean the same bytes.
	private async give(has: number): Promise<void> {
		const turn = ++this.turn;
		const { total } = this.source.content;
		await this.each(0, has, turn, (bytes) => this.put(this.parcel.kept(bytes)));
		if (turn !== this.turn || this.signal.aborted) return;
		const begun = await this.put(this.parcel.do('begin'));
		if (begun.kind !== 'begun') throw new ProblemError('MALFORMED');
		this.told.progress(begun.offset, total);
		await this.each(begun.offset, total, turn, (bytes, done) => {
			this.told.progress(done, total);
			return this.put(this.parcel.data(bytes));
		});
		if (turn === this.turn && !this.over && !this.signal.aborted) await this.put(this.parcel.do('end'));
	}

	protected async react(event: ParcelEvent): Promise<boolean> {
		switch (event.kind) {
			case 'open':
				this.turn++;
				await this.put(this.parcel.offer(encodeOffer(this.source.content)));
				return false;
			case 'answered': // beside the loop, which hears meanwhile whether the other one goes on
				this.give(event.offset).catch((e: unknown) =>
					e instanceof ProblemError && e.code === 'CHANGED' ? this.failChanged(e) : this.fail(e));
				return false;
			case 'declined':
				this.over = true;
				throw new ProblemError('REFUSED');
			case 'received':
				this.over = true;
				return true;
			default:
				return false;
		}
	}

	protected mayLeave(): boolean {
		this.turn++;
		return false;
	}
}
