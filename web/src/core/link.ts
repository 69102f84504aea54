// link.ts - the connection to the server and what becomes of it (client/link.c).
//
//   OFFLINE --due--> CONNECTING --talk is open--> ONLINE --lost--> (at once, then ever later) ...
//                        |--no live events there--> ASKING, and now and then the other way again
//
// What was missed is asked for when the talk opens. While it cannot be opened, but the server
// answers requests, the server is asked every few seconds.
import type { Link as LinkState } from '../messenger.js';
import type { Platform } from './platform.js';
import type { Host } from './host.js';
import { codeOf, toProblem } from './problem.js';
import { Talk } from './talk.js';

const ASK_MS = 2000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const STABLE_MS = 20_000; // a connection of that age begins the pauses anew
const MAX_WAITING = 2048; // events; then they are dropped, and "fell_behind" stands for them all
const MAX_WAITING_CHARS = 64 * 1024 * 1024;

// Errors that another try does not mend: another worker has the profile, or nobody is logged in.
const FINAL = new Set(['CANCELLED', 'CONFLICT', 'NOT_LOGGED_IN']);
// What comes cannot be kept: not to be tried in a hurry.
const STORE = new Set(['STORE', 'STORE_FULL', 'STORE_CORRUPT', 'NOMEM']);

interface LiveEvent {
	name: string;
	body: string;
}

export class Link {
	private talk: Talk | null = null;
	private events: LiveEvent[] = [];
	private chars = 0;
	private draining = false;
	private up = false;
	private upSince = 0;
	private stopped = true;
	private retryMs = FIRST_RETRY_MS;
	private due = Infinity; // of the next try, on the monotonic clock
	private askDue = Infinity;
	private callOff: () => void = () => undefined;
	private told: LinkState = { state: 'offline', text: '', seconds: 0 };

	constructor(
		private readonly platform: Platform,
		private readonly host: Host,
		private readonly tell: (state: LinkState) => void,
	) {
		platform.onNetwork((online) => (online ? this.dialNow() : this.networkLost()));
	}

	get state(): LinkState {
		return this.told;
	}

	// Connects, and stays connected until stop.
	start(): void {
		if (!this.stopped) return this.dialNow();
		this.stopped = false;
		this.retryMs = FIRST_RETRY_MS;
		this.dial();
	}

	stop(): void {
		this.stopped = true;
		this.hangUp();
		this.callOff();
		this.due = this.askDue = Infinity;
		this.say('offline', '', 0);
	}

	// Someone is there, or the network is back: no pause now.
	dialNow(): void {
		if (this.stopped || this.talk !== null) return;
		this.retryMs = FIRST_RETRY_MS;
		this.dial();
	}

	// A request had no answer: the connection may be dead and not know it. What waits goes out when the
	// next one is up.
	doubt(): void {
		if (!this.stopped && this.up) void this.lose('NETWORK', '');
	}

	send(name: string, body: string): void {
		this.talk?.say(name, body);
	}

	// The engine is a new one and has not joined anything.
	beginAnew(): void {
		if (this.stopped || this.talk === null) return;
		this.hangUp();
		this.dial();
	}

	// --- telling ------------------------------------------------------------------------------

	private say(state: LinkState['state'], text: string, waitMs: number): void {
		const seconds = waitMs > 0 && Number.isFinite(waitMs) ? Math.ceil(waitMs / 1000) : 0;
		if (this.told.state === state && state !== 'offline') return;
		this.told = { state, text, seconds };
		this.tell(this.told);
	}

	// --- going and coming ---------------------------------------------------------------------

	// Half of it for certain and half by chance, so that those who lost the same server do not come
	// back to it all at once.
	private nextPause(): number {
		const ms = this.retryMs;
		this.retryMs = Math.min(2 * ms, LAST_RETRY_MS);
		return ms / 2 + Math.random() * (ms / 2);
	}

	private hangUp(): void {
		this.talk?.hangUp();
		this.talk = null;
		this.events = [];
		this.chars = 0;
		if (this.up) this.host.liveDown();
		this.up = false;
	}

	private dial(): void {
		this.callOff();
		this.askDue = this.due = Infinity;
		if (this.told.state === 'offline') this.say('connecting', '', 0);
		const talk: Talk = new Talk(this.platform, {
			opened: () => {
				if (this.talk === talk) void this.comeUp();
			},
			event: (name, body) => {
				if (this.talk === talk) this.takeEvent(name, body);
			},
			ended: (why) => {
				if (this.talk === talk) void this.lose(why, '');
			},
		});
		this.talk = talk;
	}

	private networkLost(): void {
		if (this.stopped || this.talk === null) return;
		void this.lose('NETWORK', 'This device has no network.');
	}

	private async comeUp(): Promise<void> {
		const talk = this.talk;
		this.up = true;
		this.upSince = this.platform.monotonic();
		try {
			await this.host.liveUp();
			if (this.talk === talk) this.say('online', '', 0);
			void this.drain();
		} catch (e) {
			if (this.talk === talk) this.fail(e);
		}
	}

	// The host could not take a step.
	private fail(e: unknown): void {
		const code = codeOf(e);
		if (this.stopped || code === 'CANCELLED') return;
		if (STORE.has(code)) this.retryMs = LAST_RETRY_MS;
		if (!FINAL.has(code)) return void this.lose(code, toProblem(e).text);
		this.stop();
		this.say('offline', toProblem(e).text, 0);
	}

	// The talk has ended, or never began.
	private async lose(why: string, text: string): Promise<void> {
		const now = this.platform.monotonic();
		const wasUp = this.up;
		this.hangUp();
		if (wasUp && now - this.upSince >= STABLE_MS) this.retryMs = FIRST_RETRY_MS;
		const pause = this.nextPause();
		this.due = now + pause;
		this.askDue = Infinity;
		this.schedule();
		// Whether the session is over, or there is only no way for live events, a request tells.
		if (!wasUp && why !== 'NETWORK') await this.ask();
		else this.say('offline', text, pause);
	}

	// A SYNC, as without a live connection.
	private async ask(): Promise<void> {
		this.askDue = Infinity;
		try {
			await this.host.sync();
			if (this.stopped || this.up) return;
			this.askDue = this.platform.monotonic() + ASK_MS;
			this.say('asking', '', 0);
		} catch (e) {
			if (this.stopped || this.up) return;
			if (FINAL.has(codeOf(e))) return this.fail(e);
			this.say('offline', toProblem(e).text, this.due - this.platform.monotonic());
		}
		this.schedule();
	}

	private schedule(): void {
		this.callOff();
		if (this.stopped) return;
		const next = Math.min(this.talk === null ? this.due : Infinity, this.askDue);
		if (next === Infinity) return;
		this.callOff = this.platform.after(next - this.platform.monotonic(), () => {
			if (this.stopped) return;
			const now = this.platform.monotonic();
			if (this.talk === null && now >= this.due) this.redial();
			else if (now >= this.askDue) void this.ask();
			else this.schedule();
		});
	}

	// While it is asked, asking goes on until the talk is open.
	private redial(): void {
		const askDue = this.askDue;
		this.dial();
		this.askDue = askDue;
		this.schedule();
	}

	// --- events -------------------------------------------------------------------------------

	private takeEvent(name: string, body: string): void {
		if (this.events.length >= MAX_WAITING || this.chars >= MAX_WAITING_CHARS) {
			if (this.events.at(-1)?.name !== 'fell_behind')
				this.events.push({ name: 'fell_behind', body: '{}' });
			return;
		}
		this.events.push({ name, body });
		this.chars += body.length;
		void this.drain();
	}

	// One after the other, in the order in which they came.
	private async drain(): Promise<void> {
		if (this.draining) return;
		this.draining = true;
		try {
			for (let event = this.nextEvent(); event !== undefined; event = this.nextEvent())
				await this.host.liveEvent(event.name, event.body);
		} catch (e) {
			this.fail(e);
		} finally {
			this.draining = false;
		}
	}

	private nextEvent(): LiveEvent | undefined {
		const event = this.up ? this.events.shift() : undefined;
		if (event !== undefined) this.chars -= event.body.length;
		return event;
	}
}
