// tabs.ts - several windows, one engine. Each window has a worker; the one that holds the lock owns
// the profile, and the others pass on what their pages say through a channel. When the owner's window
// is closed, the next one gets the lock.
//
// An owner that does not answer (a window that the system has put to sleep) is robbed of the lock; the
// store's claim sees to it that it cannot write any more (store.ts).
import type { Command } from '../messenger.js';
import type { Platform } from './platform.js';
import { ProblemError, toProblem } from './problem.js';
import { type Call, type Port, Seat, type ToPage, type ToWorker } from './rpc.js';
import type { Service } from './service.js';

const OWNER = 'tacit-owner';
const LOOK_MS = 5000;
const SILENCE_MS = 20_000; // with a call under way: then the owner is asleep

type OnChannel =
	| { from: string; toOwner: ToWorker | { ping: true } }
	| { to: string; toPage: ToPage | { pong: true } }
	| { owner: string };

export interface Channel {
	postMessage(message: unknown): void;
	onmessage: ((event: MessageEvent) => void) | null;
}

export interface Locks {
	request(name: string, options: LockOptions, held: () => Promise<unknown>): Promise<unknown>;
}

export interface TabsParts {
	page: Port<ToWorker, ToPage>;
	channel: Channel;
	locks: Locks;
	platform: Platform;
	openService(): Promise<Service>;
}

const ONCE = new Set<Call['name']>(['sendFile', 'saveFile']);
const TWICE = new Set<Command['kind']>(['conversations', 'sync', 'mark_read', 'typing', 'whoami']);

function mayComeTwice(message: ToWorker): boolean {
	if (!('call' in message)) return true;
	const { call } = message;
	return call.name === 'run' ? TWICE.has(call.command.kind) : !ONCE.has(call.name);
}

export class Tabs {
	private readonly me = crypto.randomUUID();
	private here = false; // our own lock is held, and the channel is heard
	private owner: string | null = null;
	private readonly pending = new Map<number, ToWorker>(); // calls of our page at the owner
	private heardAt = 0;
	private callOffLook: (() => void) | null = null;
	private seat: Seat | null = null; // of our page, while we own
	private readonly seats = new Map<string, Seat>(); // of the other windows
	private opening: Promise<Service> | null = null;
	private rob = false; // instead of queueing
	private queue = new AbortController();

	constructor(private readonly parts: TabsParts) {
		parts.page.listen((message) => this.takeFromPage(message));
		// Held while this window lives: the owner waits for it, to know when it is gone. So nothing is
		// said to the owner before, nor while its answer would not be heard.
		void this.hold(this.me, {}, () => {
			parts.channel.onmessage = (event) => this.takeFromChannel(event.data as OnChannel);
			this.here = true;
			this.post({ from: this.me, toOwner: { hello: true } });
			for (const message of this.pending.values()) this.post({ from: this.me, toOwner: message });
			return new Promise<never>(() => undefined);
		});
		void this.apply();
	}

	private async hold(name: string, options: LockOptions, held: () => Promise<unknown>): Promise<void> {
		await this.parts.locks.request(name, options, held).catch(() => undefined);
	}

	private post(message: OnChannel): void {
		this.parts.channel.postMessage(message);
	}

	// --- owning -------------------------------------------------------------------------------

	// Queues for the profile; when it was taken away, queues again.
	private async apply(): Promise<never> {
		for (;;) {
			const options = this.rob ? { steal: true } : { signal: this.queue.signal };
			this.rob = false;
			await this.hold(OWNER, options, () => {
				this.become();
				return new Promise<never>(() => undefined);
			});
			if (this.seat === null && !this.rob) await this.aWhile();
			this.stepDown();
		}
	}

	private aWhile(): Promise<void> {
		return new Promise((resolve) => {
			this.parts.platform.after(LOOK_MS, resolve);
		});
	}

	private robOwner(): void {
		this.rob = true;
		this.queue.abort();
		this.queue = new AbortController();
	}

	private become(): void {
		const inherited = this.owner !== null;
		this.owner = this.me;
		this.callOffLook?.();
		this.callOffLook = null;
		this.seat = new Seat(this.parts.page, () => this.service());
		this.passOn(inherited, (message) => this.seat?.take(message));
		this.post({ owner: this.me });
		if (inherited) void this.tellWhetherLocked();
	}

	private service(): Promise<Service> {
		this.opening ??= this.parts.openService().catch((e: unknown) => {
			this.opening = null;
			throw e;
		});
		return this.opening;
	}

	// Our page thinks that it is unlocked; perhaps it is not any more.
	private async tellWhetherLocked(): Promise<void> {
		const service = await this.service().catch(() => null);
		if (service !== null && (await service.state()).locked) this.seat?.locked();
	}

	private stepDown(): void {
		this.seat?.end();
		this.seat = null;
		for (const seat of this.seats.values()) seat.end();
		this.seats.clear();
		this.opening?.then((service) => service.end()).catch(() => undefined);
		this.opening = null;
		if (this.owner === this.me) this.owner = null;
	}

	private seatOf(id: string): Seat {
		const there = this.seats.get(id);
		if (there !== undefined) return there;
		const port = { post: (toPage: ToPage) => this.post({ to: id, toPage }), listen: () => undefined };
		const seat = new Seat(port, () => this.service());
		this.seats.set(id, seat);
		void this.hold(id, {}, async () => {
			seat.end();
			this.seats.delete(id);
		});
		return seat;
	}

	// --- passing on ---------------------------------------------------------------------------

	// What was asked of an owner that is no more is asked again only where twice is as good as once: it may
	// have been done.
	private passOn(inherited: boolean, take: (message: ToWorker) => void): void {
		const waiting = [...this.pending];
		this.pending.clear();
		const problem = toProblem(new ProblemError('IO', 'The window that was at work on this was closed.'));
		for (const [id, message] of waiting) {
			if (inherited && !mayComeTwice(message)) this.parts.page.post({ id, problem });
			else take(message);
		}
	}

	private toOwner(message: ToWorker): void {
		if ('call' in message) {
			if (this.pending.size === 0) this.heardAt = this.parts.platform.monotonic();
			this.pending.set(message.id, message);
			this.callOffLook ??= this.parts.platform.after(LOOK_MS, () => this.look());
		}
		if (this.here) this.post({ from: this.me, toOwner: message });
	}

	private takeFromPage(message: ToWorker): void {
		if (this.seat !== null) this.seat.take(message);
		else this.toOwner(message);
	}

	private takeFromChannel(message: OnChannel): void {
		if ('owner' in message) this.newOwner(message.owner);
		else if ('to' in message && message.to === this.me) this.takeAnswer(message.toPage);
		else if ('from' in message && this.seat !== null) {
			if ('ping' in message.toOwner) this.post({ to: message.from, toPage: { pong: true } });
			else this.seatOf(message.from).take(message.toOwner);
		}
	}

	private newOwner(id: string): void {
		if (this.seat !== null) return;
		const changed = this.owner !== null && this.owner !== id;
		this.owner = id;
		this.post({ from: this.me, toOwner: { hello: true } });
		this.passOn(changed, (message) => this.toOwner(message));
	}

	private takeAnswer(message: ToPage | { pong: true }): void {
		this.heardAt = this.parts.platform.monotonic();
		this.owner ??= '';
		if ('pong' in message || this.seat !== null) return;
		if ('result' in message || 'problem' in message) this.pending.delete(message.id);
		const bytes = 'chunk' in message ? [message.chunk.buffer] : undefined;
		this.parts.page.post(message, bytes);
	}

	// While something is asked of the owner: is it awake?
	private look(): void {
		this.callOffLook = null;
		if (this.seat !== null || this.pending.size === 0) return;
		if (this.parts.platform.monotonic() - this.heardAt > SILENCE_MS) {
			this.heardAt = this.parts.platform.monotonic();
			this.robOwner();
			return;
		}
		this.post({ from: this.me, toOwner: { ping: true } });
		this.callOffLook = this.parts.platform.after(LOOK_MS, () => this.look());
	}
}
