// host.ts - runs an engine: carries out its effects on this browser's store and network.
//
// The same as client/host.c. One step at a time. What is to be kept of a step is kept in one
// transaction before anything of it leaves; when that fails the engine is thrown away and built
// again from the store. Reads of the engine come in between steps, and never in the middle of one.
import type { Command, Notice } from '../messenger.js';
import { type Effect, type Engine, EngineError, type Engines, type HttpAnswer } from './engine.js';
import { ownBytes } from './bytes.js';
import { perform } from './http.js';
import type { Platform } from './platform.js';
import { codeOf, ProblemError } from './problem.js';
import type { Store } from './store.js';
import { Turns } from './turns.js';

export type Hear = (notice: Notice) => void;

export interface HostEars {
	// What happens of its own accord: nobody waits for it here.
	heard(notice: Notice): void;
	say(name: string, body: string): void;
	// After each step that was kept.
	kept(effects: readonly Effect[]): void;
	// A request had no answer.
	unanswered(): void;
	// The engine is another one now: whoever told the one before of a live connection begins anew.
	rebuilt(): void;
	// For when the engine cannot be asked any more; the host wipes it. null: it stays locked.
	keptSecret(): Promise<Uint8Array | null>;
}

interface Run {
	op: number; // 0: of nobody
	hear: Hear;
	end: Notice | null; // DONE or FAILED
	waiting: Extract<Effect, { kind: 'send' }>[];
}

// Errors of this machine, not of what the server said (core/base/err.def).
const SYSTEM = new Set(['NOMEM', 'IO', 'CRYPTO']);

const NO_ANSWER: HttpAnswer = { status: 0, body: new Uint8Array() };

export class Host {
	private engine: Engine;
	private stale = false; // a step failed: the engine may be ahead of the store
	private inStep: Promise<void> = Promise.resolve();
	private readonly turns = new Turns();
	private breakOff = new AbortController();
	private ended = false;

	private constructor(
		private readonly engines: Engines,
		private readonly store: Store,
		private readonly platform: Platform,
		private readonly ears: HostEars,
		engine: Engine,
	) {
		this.engine = engine;
	}

	static async open(
		engines: Engines,
		store: Store,
		platform: Platform,
		ears: HostEars,
	): Promise<Host> {
		const profile = await store.profile();
		const engine = profile === null ? engines.create() : engines.open(profile);
		return new Host(engines, store, platform, ears, engine);
	}

	// --- building the engine ------------------------------------------------------------------

	private async restoreAll(engine: Engine): Promise<void> {
		for (const { id, data } of await this.store.records()) restoreOne(engine, id, data);
	}

	private async fromStore(secret: Uint8Array): Promise<Engine> {
		const profile = await this.store.profile();
		if (profile === null) return this.engines.create();
		const fresh = this.engines.open(profile);
		try {
			if (secret.length > 0) {
				fresh.unlockWithSecret(secret);
				await this.restoreAll(fresh);
			}
			return fresh;
		} catch (e) {
			fresh.free();
			throw e;
		}
	}

	// Of a fault in the WebAssembly module nothing can be asked.
	private async secretForRebuild(): Promise<Uint8Array> {
		try {
			return this.engine.accountSecret();
		} catch {
			return (await this.ears.keptSecret()) ?? new Uint8Array();
		}
	}

	// The engine becomes what the store says; unlocked again when the one before was.
	private async rebuild(): Promise<void> {
		const secret = await this.secretForRebuild();
		try {
			const fresh = await this.fromStore(secret);
			this.engine.free();
			this.engine = fresh;
			this.stale = false;
		} finally {
			secret.fill(0);
		}
		this.ears.rebuilt();
	}

	// --- steps --------------------------------------------------------------------------------

	private hand(run: Run, notice: Notice): void {
		const isEnd = notice.kind === 'done' || notice.kind === 'failed';
		if (isEnd && notice.op === run.op) run.end = notice;
		else if (isEnd) return;
		else if (run.op !== 0 && notice.op === run.op) run.hear(notice);
		else this.ears.heard(notice);
	}

	private async carryOut(run: Run, effects: readonly Effect[]): Promise<void> {
		const kept = this.store.apply(effects);
		this.inStep = kept.catch(() => undefined);
		await kept;
		this.ears.kept(effects);
		for (const fx of effects) {
			if (fx.kind === 'deliver') this.hand(run, fx.notice);
			else if (fx.kind === 'live') this.ears.say(fx.name, fx.body);
			else if (fx.kind === 'send') run.waiting.push(fx);
			else if (fx.kind === 'recall') await this.recall(run, fx);
		}
	}

	private async recall(run: Run, asked: Extract<Effect, { kind: 'recall' }>): Promise<void> {
		const [line] = await this.store.log(asked.tag, asked.position + 1, 1);
		const sealed = line?.position === asked.position ? line.data : new Uint8Array();
		await this.carryOut(run, this.engine.recalled(asked.request, sealed));
	}

	private async answerOf(send: Extract<Effect, { kind: 'send' }>): Promise<HttpAnswer> {
		const request = { method: send.method, path: send.path, signal: this.breakOff.signal };
		try {
			if (send.body.length === 0) return await perform(this.platform, request);
			const headers = { 'Content-Type': 'application/json' };
			return await perform(this.platform, { ...request, headers, body: ownBytes(send.body) });
		} catch (e) {
			if (!(e instanceof ProblemError) || e.code !== 'NETWORK') throw e;
			this.ears.unanswered();
			return NO_ANSWER;
		}
	}

	// Until nothing waits for an answer any more.
	private async sendAll(run: Run): Promise<void> {
		for (let send = run.waiting.shift(); send !== undefined; send = run.waiting.shift()) {
			const answer = await this.answerOf(send);
			this.stopIfEnded();
			await this.carryOut(run, this.engine.answer(send.request, answer));
		}
	}

	private stopIfEnded(): void {
		if (this.ended) throw new ProblemError('CANCELLED');
	}

	private isDue(): boolean {
		return this.engine.due() <= Math.floor(this.platform.now() / 1000);
	}

	// In its turn, on an engine that is what the store says.
	private inTurn<T>(work: () => Promise<T>): Promise<T> {
		return this.turns.take(async () => {
			this.stopIfEnded();
			if (this.stale) await this.rebuild();
			return work();
		});
	}

	private async step(run: Run, take: () => readonly Effect[]): Promise<void> {
		try {
			await this.carryOut(run, take());
			await this.sendAll(run);
		} catch (e) {
			this.stale = true;
			throw e;
		}
	}

	private ownRun(): Run {
		return { op: 0, hear: (notice) => this.ears.heard(notice), end: null, waiting: [] };
	}

	private async tickIfDue(): Promise<void> {
		if (this.isDue()) await this.step(this.ownRun(), () => this.engine.tick());
	}

	// --- commands -----------------------------------------------------------------------------

	// Resolves with DONE. Rejects with a ProblemError or EngineError.
	run(command: Command, hear: Hear): Promise<Notice> {
		return this.inTurn(async () => {
			await this.tickIfDue();
			const run: Run = { op: 0, hear, end: null, waiting: [] };
			const begun = this.engine.command(command); // throws: it was not begun
			run.op = begun.op;
			await this.step(run, () => begun.effects);
			const end = run.end as Notice | null;
			if (end === null) throw new ProblemError('IO');
			if (end.kind === 'failed') throw failure(end);
			return end;
		});
	}

	// Fetches what is new, everywhere; what comes is heard as of its own accord.
	async sync(): Promise<void> {
		await this.run({ kind: 'sync', conversation: 0 }, (notice) => this.ears.heard(notice));
	}

	// --- live ---------------------------------------------------------------------------------

	liveUp(): Promise<void> {
		return this.liveStep(() => this.engine.liveUp());
	}

	liveDown(): void {
		if (!this.stale) this.engine.liveDown();
	}

	liveEvent(name: string, body: string): Promise<void> {
		return this.liveStep(() => this.nonsenseIsNothing(() => this.engine.liveEvent(name, body)));
	}

	// A server's nonsense is not ours to fail of; what is missing will be fetched.
	private nonsenseIsNothing(take: () => Effect[]): Effect[] {
		try {
			return take();
		} catch (e) {
			if (e instanceof EngineError && !SYSTEM.has(e.code)) return [];
			throw e;
		}
	}

	private liveStep(take: () => Effect[]): Promise<void> {
		return this.inTurn(async () => {
			if (!this.engine.loggedIn()) throw new ProblemError('NOT_LOGGED_IN');
			await this.tickIfDue();
			await this.step(this.ownRun(), take);
		});
	}

	tick(): Promise<void> {
		return this.inTurn(() => this.tickIfDue());
	}

	// Unix seconds; Infinity: never. An engine that is to be built anew is always overdue.
	due(): number {
		return this.stale ? 0 : this.engine.due();
	}

	// --- unlocking ----------------------------------------------------------------------------

	private unlockBy(open: (engine: Engine) => void): Promise<void> {
		return this.inTurn(async () => {
			if (!this.engine.locked()) return;
			open(this.engine);
			try {
				await this.restoreAll(this.engine);
			} catch (e) {
				await this.replace(() => this.fromStore(new Uint8Array()));
				throw e;
			}
		});
	}

	// Takes the password over and wipes it.
	unlock(password: Uint8Array): Promise<void> {
		return this.unlockBy((engine) => engine.unlock(password));
	}

	unlockWithSecret(secret: Uint8Array): Promise<void> {
		return this.unlockBy((engine) => engine.unlockWithSecret(secret));
	}

	// What is under way ends with CANCELLED; a message that was on its way is kept, and sent again.
	private breakOffAll(): void {
		this.breakOff.abort();
		this.breakOff = new AbortController();
	}

	// The keys of the engine before are gone in any case. Without a store there is no other one: it is
	// built once there is.
	private async replace(make: () => Promise<Engine>): Promise<void> {
		this.engine.free();
		this.stale = true;
		this.engine = this.engines.create();
		const fresh = await make();
		this.engine.free();
		this.engine = fresh;
		this.stale = false;
	}

	private replaceWith(make: () => Promise<Engine>): Promise<void> {
		this.breakOffAll();
		return this.turns.take(() => {
			this.stopIfEnded();
			return this.replace(make);
		});
	}

	// The keys in memory are gone.
	lock(): Promise<void> {
		return this.replaceWith(() => this.fromStore(new Uint8Array()));
	}

	// Everything is gone, on the disk, too.
	forget(): Promise<void> {
		return this.replaceWith(async () => {
			await this.store.clear();
			return this.engines.create();
		});
	}

	// Nothing can be asked of this host any more.
	end(): void {
		if (this.ended) return;
		this.ended = true;
		this.breakOffAll();
		void this.turns.take(async () => this.engine.free());
	}

	// --- notes and reading --------------------------------------------------------------------

	notePut(name: string, value: Uint8Array): Promise<void> {
		return this.inTurn(() => this.step(this.ownRun(), () => this.engine.notePut(name, value)));
	}

	// Between two steps: what the engine says is what the store has. Does not wait for the network.
	async read<T>(look: (engine: Engine) => T): Promise<T> {
		if (this.stale) await this.inTurn(async () => undefined);
		await this.inStep;
		this.stopIfEnded();
		try {
			return look(this.engine);
		} catch (e) {
			// A fault: nothing can be asked of it any more.
			if (!(e instanceof EngineError || e instanceof ProblemError)) this.stale = true;
			throw e;
		}
	}
}

function restoreOne(engine: Engine, id: Uint8Array, data: Uint8Array): void {
	try {
		engine.restore(id, data);
	} catch (e) {
		if (codeOf(e) === 'BAD_SEAL' || codeOf(e) === 'MALFORMED')
			throw new ProblemError('STORE_CORRUPT', 'The store is damaged.');
		throw e;
	}
}

function failure(end: Notice): ProblemError {
	const code = end.error !== '' ? end.error : 'REFUSED';
	if (end.text === '') return new ProblemError(code, undefined, end.flag);
	return new ProblemError(code, end.text, end.flag);
}
