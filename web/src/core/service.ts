// service.ts - one profile in one worker: host, connection, files, search, locking; for any number
// of pages (seats).
import type {
	Command, Entry, FileRef, Link as LinkState, Notice, NoticeKind, ProfileState, Progress,
} from '../messenger.js';
import type { Effect, Engines } from './engine.js';
import { hex } from './bytes.js';
import { download, type Sink } from './download.js';
import { type Parcel, type Post, sendFile } from './file_message.js';
import { type Hear, Host } from './host.js';
import { Idle } from './idle.js';
import { Keeper } from './keeper.js';
import { Link } from './link.js';
import { fileDesk, setSetting, setting, unlockedOnly } from './notes.js';
import type { Platform } from './platform.js';
import { codeOf } from './problem.js';
import { Search } from './search.js';
import type { Store } from './store.js';
import type { Transfer } from './transfer.js';

// A page that hears.
export interface Listener {
	notice(notice: Notice): void;
	link(link: LinkState): void;
	locked(): void;
}

// What one page asked for and is no news for the others: secrets among it.
const PRIVATE: ReadonlySet<NoticeKind> = new Set([
	'totp_setup', 'recovery_codes', 'user', 'safety', 'device',
]);
const TAIL = 64; // entries, among which what was just sent is looked for
const LOGOUT_MS = 5000;
const TICK_MS = 100;
const FAILED_TICK_MS = 10_000;
const LOCK_AFTER = 'lock_after'; // the page's setting: minutes; none or 0: only when the person says so

export class Service {
	private readonly listeners = new Set<Listener>();
	private readonly transfers = new Set<AbortController>();
	private readonly keeper: Keeper;
	private readonly idle: Idle;
	private readonly search: Search;
	private readonly tags = new Map<string, number>(); // of histories that were searched
	private readonly waiting = new Set<() => void>(); // for a step
	private host!: Host;
	private link!: Link;
	private callOffTick: () => void = () => undefined;

	private constructor(
		private readonly store: Store,
		private readonly platform: Platform,
	) {
		this.keeper = new Keeper(store, platform);
		this.idle = new Idle(platform, this.keeper, () => this.lock());
		this.search = new Search({
			conversations: () => this.historyTags(),
			after: (tag, position, limit) => this.entriesAfter(tag, position, limit),
		});
	}

	static async open(engines: Engines, store: Store, platform: Platform): Promise<Service> {
		await store.claim();
		const service = new Service(store, platform);
		service.host = await Host.open(engines, store, platform, {
			heard: (notice) => service.tellAll(notice),
			say: (name, body) => service.link.send(name, body),
			kept: (effects) => service.stepKept(effects),
			unanswered: () => service.link.doubt(),
			rebuilt: () => service.rebuilt(),
			keptSecret: () => service.keeper.secret(),
		});
		service.link = new Link(platform, service.host, (state) => {
			for (const listener of service.listeners) listener.link(state);
		});
		await service.unlockKept();
		return service;
	}

	// --- listening ----------------------------------------------------------------------------

	listen(listener: Listener): () => void {
		this.listeners.add(listener);
		listener.link(this.link.state);
		return () => this.listeners.delete(listener);
	}

	private tellAll(notice: Notice, but?: Listener): void {
		for (const listener of this.listeners) if (listener !== but) listener.notice(notice);
	}

	private stepKept(effects: readonly Effect[]): void {
		for (const fx of effects) {
			if (fx.kind === 'purge') this.search.purge(hex(fx.tag), fx.from, fx.until);
			if (fx.kind === 'log') this.search.logged(hex(fx.tag), fx.position);
		}
		for (const wake of this.waiting) wake();
		this.scheduleTick();
	}

	private rebuilt(): void {
		this.search.wipe();
		this.link.beginAnew();
		this.state().then(
			({ locked }) => {
				if (locked) for (const listener of this.listeners) listener.locked();
			},
			() => undefined,
		);
	}

	// least: milliseconds, however overdue.
	private scheduleTick(least = TICK_MS): void {
		this.callOffTick();
		const due = this.host.due();
		if (!Number.isFinite(due)) return;
		const ms = Math.max(least, due * 1000 - this.platform.now());
		this.callOffTick = this.platform.after(ms, () => void this.tick());
	}

	private async tick(): Promise<void> {
		try {
			await this.host.tick();
			this.scheduleTick();
		} catch {
			this.scheduleTick(FAILED_TICK_MS);
		}
	}

	// --- the profile's life -------------------------------------------------------------------

	state(): Promise<ProfileState> {
		return this.host.read((engine) => ({
			account: engine.hasAccount() ? engine.username() : '',
			locked: engine.hasAccount() && engine.locked(),
			loggedIn: engine.loggedIn(),
		}));
	}

	private async unlockKept(): Promise<void> {
		const { account, locked } = await this.state();
		if (account === '' || !locked) return;
		const secret = await this.keeper.secret();
		if (secret === null) return;
		try {
			await this.host.unlockWithSecret(secret);
		} catch (e) {
			// Of an account that was here before; or the store is damaged, which the password will find, too.
			if (codeOf(e) === 'BAD_PASSWORD') await this.keeper.forget();
			return;
		} finally {
			secret.fill(0);
		}
		await this.unlocked();
	}

	async unlock(password: string): Promise<ProfileState> {
		await this.host.unlock(new TextEncoder().encode(password));
		await this.unlocked();
		return this.state();
	}

	// Someone has shown the password, or the secret was kept.
	private async unlocked(): Promise<void> {
		this.idle.setMinutes(await this.setting(LOCK_AFTER));
		const secret = await this.host.read((engine) => engine.accountSecret());
		try {
			await this.idle.keep(secret);
		} finally {
			secret.fill(0);
		}
		this.scheduleTick();
		if ((await this.state()).loggedIn) this.link.start();
	}

	private leave(): void {
		this.link.stop();
		this.idle.stop();
		this.callOffTick();
		for (const transfer of this.transfers) transfer.abort();
		this.search.wipe();
		this.tags.clear();
	}

	async lock(): Promise<void> {
		this.leave();
		await this.host.read((engine) => engine.forgetFiles()).catch(() => undefined);
		try {
			await this.host.lock();
		} finally {
			await this.keeper.forget().finally(() => {
				for (const listener of this.listeners) listener.locked();
			});
		}
	}

	async forget(): Promise<void> {
		this.leave();
		await this.logOutShortly();
		await this.host.read((engine) => engine.forgetFiles()).catch(() => undefined);
		await this.host.forget();
		for (const listener of this.listeners) listener.locked();
	}

	// Best effort: without a network the session lapses by itself.
	private async logOutShortly(): Promise<void> {
		const loggedIn = await this.state().then((state) => state.loggedIn, () => false);
		if (!loggedIn) return;
		const out = this.host.run({ kind: 'logout' }, () => undefined).then(
			() => undefined,
			() => undefined,
		);
		let callOff = (): void => undefined;
		const enough = new Promise<void>((resolve) => {
			callOff = this.platform.after(LOGOUT_MS, resolve);
		});
		await Promise.race([out, enough]);
		callOff();
	}

	// Another worker has the profile now.
	end(): void {
		this.leave();
		this.host.end();
		this.store.close();
	}

	// Someone is there.
	activity(): void {
		this.link.dialNow();
		this.idle.activity();
	}

	// --- commands -----------------------------------------------------------------------------

	// own: who asks, and is told by `told`; the other pages hear of what happened, too.
	async run(command: Command, told: Hear, own?: Listener): Promise<Notice> {
		const done = await this.host.run(command, (notice) => {
			told(notice);
			if (!PRIVATE.has(notice.kind)) this.tellAll(notice, own);
		});
		await this.after(command, done, own);
		return done;
	}

	private async after(command: Command, done: Notice, own?: Listener): Promise<void> {
		switch (command.kind) {
			case 'verify_totp':
			case 'login':
				await this.unlocked();
				break;
			case 'logout':
				this.link.stop();
				break;
			case 'send':
				await this.tellOthersOfSent(done, own);
				break;
			default:
				break;
		}
		if (this.link.state.state === 'offline' && (await this.state()).loggedIn) this.link.start();
	}

	// The page that sent a message knows it; other windows are told from the history.
	private async tellOthersOfSent(done: Notice, own?: Listener): Promise<void> {
		if (this.listeners.size < 2 || done.message === 0) return;
		const entries = await this.history(done.conversation, (done.message + 1) * 8, 8);
		const sent = entries.find(({ notice }) => notice.message === done.message && notice.flag);
		if (sent !== undefined) this.tellAll(sent.notice, own);
	}

	conversations(): Promise<Notice[]> {
		return this.host.read((engine) =>
			engine.locked() ? [] : [...engine.conversations(), ...engine.outgoing()],
		);
	}

	// --- histories ----------------------------------------------------------------------------

	async history(conversation: number, before: number | null, limit: number): Promise<Entry[]> {
		const tag = await this.host.read((engine) => unlockedOnly(engine).logTag(conversation));
		return this.opened(tag, await this.store.log(tag, before, limit));
	}

	private opened(tag: Uint8Array, lines: { position: number; data: Uint8Array }[]): Promise<Entry[]> {
		return this.host.read((engine) =>
			lines.map(({ position, data }) => ({ position, notice: engine.logOpen(tag, position, data) })),
		);
	}

	private async historyTags(): Promise<string[]> {
		return this.host.read((engine) =>
			engine.conversations().map(({ conversation }) => {
				const tag = hex(engine.logTag(conversation));
				this.tags.set(tag, conversation);
				return tag;
			}),
		);
	}

	private async entriesAfter(tag: string, position: number, limit: number): Promise<Entry[]> {
		const conversation = this.tags.get(tag);
		if (conversation === undefined) return [];
		const bytes = await this.host.read((engine) => engine.logTag(conversation));
		return this.opened(bytes, await this.store.logAfter(bytes, position, limit));
	}

	async find(query: string, limit: number): Promise<Entry[]> {
		await this.host.read(unlockedOnly);
		return this.search.find(query, limit);
	}

	// --- settings -----------------------------------------------------------------------------

	setting(name: string): Promise<string> {
		return setting(this.host, name);
	}

	async setSetting(name: string, value: string): Promise<void> {
		await setSetting(this.host, name, value);
		if (name !== LOCK_AFTER) return;
		this.idle.setMinutes(value);
		await this.idle.prolong();
	}

	// --- files --------------------------------------------------------------------------------

	// Broken off by the caller's signal, and when the profile is locked.
	private async transfer<T>(
		progress: (p: Progress) => void,
		signal: AbortSignal,
		work: (t: Transfer) => Promise<T>,
	): Promise<T> {
		const controller = new AbortController();
		const abort = (): void => controller.abort();
		if (signal.aborted) abort();
		signal.addEventListener('abort', abort);
		this.transfers.add(controller);
		try {
			return await work({
				desk: fileDesk(this.host),
				platform: this.platform,
				progress,
				signal: controller.signal,
			});
		} finally {
			this.transfers.delete(controller);
			signal.removeEventListener('abort', abort);
		}
	}

	sendFile(
		parcel: Parcel,
		progress: (p: Progress) => void,
		signal: AbortSignal,
		own?: Listener,
	): Promise<Notice> {
		const post: Post = {
			send: (command) => this.run(command, (notice) => own?.notice(notice), own),
			outgoing: () => this.host.read((engine) => unlockedOnly(engine).outgoing()),
			lastEntries: (conversation) => this.history(conversation, null, TAIL),
			nextStep: (stop) => this.nextStep(stop),
		};
		return this.transfer(progress, signal, (t) => sendFile(t, post, parcel));
	}

	private nextStep(signal: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			const wake = (): void => {
				this.waiting.delete(wake);
				signal.removeEventListener('abort', wake);
				resolve();
			};
			this.waiting.add(wake);
			signal.addEventListener('abort', wake);
			if (signal.aborted) wake();
		});
	}

	saveFile(
		file: FileRef,
		sink: Sink,
		progress: (p: Progress) => void,
		signal: AbortSignal,
	): Promise<void> {
		return this.transfer(progress, signal, (t) => download(t, file, sink));
	}
}
