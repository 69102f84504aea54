// remote.ts - the page's end: a Messenger whose calls go through a port (rpc.ts).
import type {
	Command, Entry, FileRef, Link, Messenger, Notice, Problem, ProfileState, Progress,
} from '../messenger.js';
import type { Call, Port, Result, ToPage, ToWorker } from './rpc.js';

interface Pending {
	resolve(result: Result): void;
	reject(problem: Problem): void;
	told?: ((notice: Notice) => void) | undefined;
	progress?: (p: Progress) => void;
	writer?: WritableStreamDefaultWriter<Uint8Array>;
}

const NOBODY: ProfileState = { account: '', locked: false, loggedIn: false };

type Options = Omit<Pending, 'resolve' | 'reject'> & { signal?: AbortSignal };

function addTo<T>(set: Set<T>, one: T): () => void {
	set.add(one);
	return () => set.delete(one);
}

export class RemoteMessenger implements Messenger {
	private count = 0;
	private readonly pending = new Map<number, Pending>();
	private readonly noticeEars = new Set<(notice: Notice) => void>();
	private readonly linkEars = new Set<(link: Link) => void>();
	private readonly lockedEars = new Set<() => void>();
	private lastLink: Link | null = null;
	private broken: Problem | null = null;

	// entered: somebody has registered, logged in or unlocked here. fresh: nothing was ever kept here.
	constructor(
		private readonly port: Port<ToPage, ToWorker>,
		private readonly entered: () => void = () => undefined,
		private fresh: Promise<boolean> | null = null,
	) {
		port.listen((message) => this.take(message));
		port.post({ hello: true });
	}

	// --- calls --------------------------------------------------------------------------------

	private call(call: Call, { signal, ...options }: Options = {}): Promise<Result> {
		if (this.broken !== null) return Promise.reject(this.broken);
		const id = ++this.count;
		const cancel = (): void => this.port.post({ id, cancel: true });
		const ended = new Promise<Result>((resolve, reject) => {
			this.pending.set(id, { resolve, reject, ...options });
		});
		this.port.post({ id, call });
		if (signal?.aborted) cancel();
		signal?.addEventListener('abort', cancel);
		return ended.finally(() => {
			this.pending.delete(id);
			signal?.removeEventListener('abort', cancel);
		});
	}

	private take(message: ToPage): void {
		if ('id' in message) this.takeAnswer(message);
		else if ('notice' in message) for (const hear of this.noticeEars) hear(message.notice);
		else if ('link' in message) {
			this.lastLink = message.link;
			for (const hear of this.linkEars) hear(message.link);
		} else for (const hear of this.lockedEars) hear();
	}

	private takeAnswer(message: Extract<ToPage, { id: number }>): void {
		const pending = this.pending.get(message.id);
		if (pending === undefined) return;
		if ('result' in message) pending.resolve(message.result);
		else if ('problem' in message) pending.reject(message.problem);
		else if ('told' in message) pending.told?.(message.told);
		else if ('progress' in message) pending.progress?.(message.progress);
		else this.takeForSink(message, pending.writer);
	}

	private takeForSink(
		message: Extract<ToPage, { chunk: unknown } | { close: true } | { abort: true }>,
		writer: WritableStreamDefaultWriter<Uint8Array> | undefined,
	): void {
		if (writer === undefined) return;
		if ('abort' in message) {
			writer.abort().catch(() => undefined);
			return;
		}
		const written = 'chunk' in message ? writer.write(message.chunk) : writer.close();
		written.then(
			() => this.port.post({ id: message.id, wrote: true }),
			() => this.port.post({ id: message.id, wrote: false }),
		);
	}

	// The first time, if nothing was ever kept here, that is known before the worker is awake.
	async state(): Promise<ProfileState> {
		const told = this.call({ name: 'state' }) as Promise<ProfileState>;
		const fresh = this.fresh;
		this.fresh = null;
		if (fresh === null) return told;
		told.catch(() => undefined); // if nobody asks any more, the next call says so, too
		return Promise.race([told, fresh.then((yes) => (yes ? NOBODY : told))]);
	}

	async unlock(password: string): Promise<ProfileState> {
		const state = (await this.call({ name: 'unlock', password })) as ProfileState;
		this.entered();
		return state;
	}

	async lock(): Promise<void> {
		await this.call({ name: 'lock' });
	}

	async forget(): Promise<void> {
		await this.call({ name: 'forget' });
	}

	async run(command: Command, told?: (notice: Notice) => void): Promise<Notice> {
		const done = (await this.call({ name: 'run', command }, { told })) as Notice;
		if (command.kind === 'verify_totp' || command.kind === 'login') this.entered();
		return done;
	}

	conversations(): Promise<Notice[]> {
		return this.call({ name: 'conversations' }) as Promise<Notice[]>;
	}

	history(conversation: number, before: number | null, limit: number): Promise<Entry[]> {
		return this.call({ name: 'history', conversation, before, limit }) as Promise<Entry[]>;
	}

	search(query: string, limit: number): Promise<Entry[]> {
		return this.call({ name: 'search', query, limit }) as Promise<Entry[]>;
	}

	sendFile(
		conversation: number,
		file: Blob,
		name: string,
		caption: string,
		progress: (p: Progress) => void,
		signal: AbortSignal,
	): Promise<Notice> {
		const call: Call = { name: 'sendFile', conversation, file, fileName: name, caption };
		return this.call(call, { progress, signal }) as Promise<Notice>;
	}

	async saveFile(
		file: FileRef,
		sink: WritableStream<Uint8Array>,
		progress: (p: Progress) => void,
		signal: AbortSignal,
	): Promise<void> {
		const writer = sink.getWriter();
		writer.closed.catch(() => undefined); // write and close say so, too
		try {
			await this.call({ name: 'saveFile', file }, { progress, signal, writer });
		} catch (e) {
			void writer.abort().catch(() => undefined); // waits for a write that may never end
			throw e;
		} finally {
			writer.releaseLock();
		}
	}

	setting(name: string): Promise<string> {
		return this.call({ name: 'setting', setting: name }) as Promise<string>;
	}

	async setSetting(name: string, value: string): Promise<void> {
		await this.call({ name: 'setSetting', setting: name, value });
	}

	// --- listening ----------------------------------------------------------------------------

	onNotice(hear: (notice: Notice) => void): () => void {
		return addTo(this.noticeEars, hear);
	}

	onLink(hear: (link: Link) => void): () => void {
		if (this.lastLink !== null) hear(this.lastLink);
		return addTo(this.linkEars, hear);
	}

	onLocked(hear: () => void): () => void {
		return addTo(this.lockedEars, hear);
	}

	// There is no worker at the other end.
	fail(problem: Problem): void {
		this.broken = problem;
		for (const pending of this.pending.values()) pending.reject(problem);
	}

	// Someone is there.
	activity(): void {
		this.port.post({ activity: true });
	}
}
