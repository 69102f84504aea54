// run.ts - what both ends of a transfer share: finding the other one, and finding it again
// (client/parcel_run.c is the same for programs).
import type { Bytes } from '../core/bytes.js';
import { codeOf, ProblemError } from '../core/problem.js';
import type { Core } from '../core/module.js';
import { type Line, openLine, PATH } from './line.js';
import { CHANGED, Parcel, type ParcelEvent, type Role, type Step } from './parcel.js';

const MEET_MS = 60_000; // for who came to prove that it has the code
export const PATIENCE_MINUTES = 30; // for what was lost to come back
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 5000;
const LAST_WORD_MS = 2000;

export type State = 'connecting' | 'waiting' | 'met' | 'fetching' | 'sending' | 'lost' | 'away';

export interface Told {
	code(code: string): void;
	state(state: State): void;
	progress(done: number, total: number): void;
}

// enum tacit_relay_end
const GONE = 1;
const ENDS: Readonly<Record<number, string>> = {
	2: 'NOT_FOUND', 3: 'BAD_PASSWORD', 4: 'LIMIT', 5: 'EXPIRED', 7: 'MALFORMED', 8: 'REPLACED', 9: 'STOPPED',
};
// After these the other one does not wait, or not for this page.
const SETTLED = new Set(['BAD_PASSWORD', 'DECLINED', 'LEFT', 'NOT_BACK', 'REFUSED', 'REPLACED', 'STOPPED', 'STOPPED.changed']);

function isSettled(why: unknown): boolean {
	return why instanceof ProblemError && SETTLED.has(why.code);
}

export abstract class Run {
	protected readonly parcel: Parcel;
	protected line: Line | null = null;
	private rooted = false;
	private paired = false;
	private failure: unknown = null;
	private meeting: ReturnType<typeof setTimeout> | undefined;

	constructor(
		core: Core,
		role: Role,
		protected readonly told: Told,
		protected readonly signal: AbortSignal,
	) {
		this.parcel = new Parcel(core, role);
	}

	join(code: string): void {
		this.parcel.join(code);
	}

	// true: it is through.
	protected abstract react(event: ParcelEvent): Promise<boolean>;
	// The connection is lost, and nothing is missing on this side.
	protected abstract mayLeave(): boolean;

	protected async put(step: Step): Promise<ParcelEvent> {
		await this.line?.send(step.out);
		return step.event;
	}

	// So that the other one does not keep a mixture.
	protected async failChanged(why: ProblemError): Promise<void> {
		await Promise.race([this.line?.send(this.parcel.stop(true).out), this.pause(LAST_WORD_MS)]);
		this.fail(why);
	}

	// From beside the loop.
	protected fail(why: unknown): void {
		this.failure ??= why;
		this.line?.close();
	}

	private async connect(): Promise<Line> {
		this.paired = false;
		return openLine(this.parcel.query(), this.signal);
	}

	private pause(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.signal.addEventListener('abort', () => {
				clearTimeout(timer);
				resolve();
			}, { once: true });
		});
	}

	private check(): void {
		if (this.signal.aborted) throw new ProblemError('CANCELLED');
		if (this.failure !== null) throw this.failure;
	}

	// What is lost: the connection, or the other one.
	private async lose(what: State = 'lost'): Promise<void> {
		this.line?.close();
		this.line = null;
		if (!this.rooted) throw new ProblemError(this.paired ? 'LEFT' : 'NETWORK');
		this.told.state(what);
		const until = Date.now() + PATIENCE_MINUTES * 60_000;
		for (let ms = FIRST_PAUSE_MS; this.line === null; ms = Math.min(2 * ms, LAST_PAUSE_MS)) {
			await this.pause(ms / 2 + (Math.random() * ms) / 2);
			this.check();
			try {
				this.line = await this.connect();
			} catch (e) {
				this.check();
				if (Date.now() >= until) throw e;
			}
		}
		this.told.state('away');
	}

	private async ended(why: number): Promise<boolean> {
		const code = ENDS[why];
		if (this.mayLeave()) return true;
		if (code === 'EXPIRED') throw new ProblemError(this.rooted ? 'NOT_BACK' : 'EXPIRED');
		if (code !== undefined) throw new ProblemError(code);
		await this.lose(why === GONE ? 'away' : 'lost');
		return false;
	}

	private met(): void {
		clearTimeout(this.meeting);
		this.rooted = true;
		this.told.state('met');
	}

	private async handle(event: ParcelEvent): Promise<boolean> {
		switch (event.kind) {
			case 'code':
				this.told.code(event.code);
				this.told.state('waiting');
				return false;
			case 'paired':
				this.paired = true;
				if (!this.rooted) this.meeting = setTimeout(() => this.fail(new ProblemError('LEFT')), MEET_MS);
				return false;
			case 'ended_by_relay':
				return this.ended(event.why);
			case 'wrong':
				throw new ProblemError('BAD_PASSWORD');
			case 'stopped':
				throw new ProblemError(event.why === CHANGED ? 'STOPPED.changed' : 'STOPPED');
			case 'open':
				this.met();
				return this.react(event);
			default:
				return this.react(event);
		}
	}

	private async take(message: Bytes | null): Promise<boolean> {
		this.check();
		if (message !== null) return this.handle(await this.put(this.parcel.take(message)));
		if (this.mayLeave()) return true;
		await this.lose();
		return false;
	}

	// Beside the connection, where what the other one does not read is in the way, and in time when
	// the page is closed: a page does not come back, and is not to be waited for.
	private farewell(): void {
		if (!this.rooted || this.mayLeave()) return;
		const where = `${PATH}?${this.parcel.query()}`;
		const say = (): void =>
			void fetch(where, { method: 'DELETE', keepalive: true, credentials: 'omit' }).catch(() => undefined);
		if (codeOf(this.failure) === 'CHANGED') setTimeout(say, LAST_WORD_MS); // behind STOP, which says why
		else say();
	}

	private async leave(failed: boolean): Promise<void> {
		clearTimeout(this.meeting);
		const line = this.line;
		if (failed) {
			try {
				const said = this.paired ? line?.send(this.parcel.stop(false).out) : undefined;
				this.farewell();
				await Promise.race([said, this.pause(LAST_WORD_MS)]);
			} catch {
				this.farewell(); // a parcel that has failed says nothing more
			}
		}
		line?.close();
	}

	async run(): Promise<void> {
		let unsettled = true;
		const stop = (): void => this.fail(new ProblemError('CANCELLED'));
		const say = (): void => void this.leave(true).then(stop, stop);
		this.signal.addEventListener('abort', say, { once: true });
		try {
			this.told.state('connecting');
			this.line = await this.connect();
			while (!(await this.take((await this.line?.next()) ?? null)));
			unsettled = false;
		} catch (e) {
			const why = this.failure ?? e;
			unsettled = !isSettled(why);
			throw this.signal.aborted ? new ProblemError('CANCELLED') : why;
		} finally {
			this.signal.removeEventListener('abort', say);
			await this.leave(unsettled && !this.signal.aborted);
			this.parcel.free();
		}
	}
}
