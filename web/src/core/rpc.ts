// rpc.ts - what a page and a worker say to each other, and the worker's end of it.
import type { Command, Entry, FileRef, Link, Notice, Problem, ProfileState, Progress } from '../messenger.js';
import type { Bytes } from './bytes.js';
import type { Sink } from './download.js';
import { ProblemError, toProblem } from './problem.js';
import type { Listener, Service } from './service.js';

export type Call =
	| { name: 'state' | 'lock' | 'forget' | 'conversations' }
	| { name: 'unlock'; password: string }
	| { name: 'run'; command: Command }
	| { name: 'history'; conversation: number; before: number | null; limit: number }
	| { name: 'search'; query: string; limit: number }
	| { name: 'sendFile'; conversation: number; file: Blob; fileName: string; caption: string }
	| { name: 'saveFile'; file: FileRef }
	| { name: 'setting'; setting: string }
	| { name: 'setSetting'; setting: string; value: string };

export type ToWorker =
	| { id: number; call: Call }
	| { id: number; cancel: true }
	| { id: number; wrote: boolean } // the answer to chunk and close
	| { activity: true }
	| { hello: true };

export type Result = ProfileState | Notice | Notice[] | Entry[] | string | null;

export type ToPage =
	| { id: number; result: Result }
	| { id: number; problem: Problem }
	| { id: number; told: Notice }
	| { id: number; progress: Progress }
	| { id: number; chunk: Bytes } // to be written, then answered by wrote
	| { id: number; close: true } // likewise
	| { id: number; abort: true } // of the sink
	| { notice: Notice }
	| { link: Link }
	| { locked: true };

// One of two ends; messages arrive in order.
export interface Port<In, Out> {
	post(message: Out, transfer?: Transferable[]): void;
	listen(hear: (message: In) => void): void;
}

type PagePort = Port<ToWorker, ToPage>;

// The page's WritableStream, seen from here: one write at a time is under way.
class RemoteSink implements Sink {
	private answer: ((ok: boolean) => void) | null = null;

	constructor(
		private readonly port: PagePort,
		private readonly id: number,
		private readonly signal: AbortSignal,
	) {}

	wrote(ok: boolean): void {
		this.answer?.(ok);
		this.answer = null;
	}

	private async answered(): Promise<void> {
		const gone = (): void => this.wrote(false);
		this.signal.addEventListener('abort', gone);
		const ok = await new Promise<boolean>((resolve) => {
			this.answer = resolve;
			if (this.signal.aborted) gone();
		});
		this.signal.removeEventListener('abort', gone);
		if (this.signal.aborted) throw new ProblemError('CANCELLED');
		if (!ok) throw new ProblemError('IO', 'The file cannot be written.');
	}

	async write(bytes: Bytes): Promise<void> {
		const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
		this.port.post({ id: this.id, chunk: whole }, [whole.buffer]);
		await this.answered();
	}

	async close(): Promise<void> {
		this.port.post({ id: this.id, close: true });
		await this.answered();
	}

	async abort(): Promise<void> {
		this.port.post({ id: this.id, abort: true });
	}
}

// One page at the service.
export class Seat implements Listener {
	private readonly controllers = new Map<number, AbortController>();
	private readonly sinks = new Map<number, RemoteSink>();
	private at: Service | null = null; // where we listen
	private leave: () => void = () => undefined;
	private gone = false;

	// ready: asked at every call, so that what could not be opened once may be opened later.
	constructor(
		private readonly port: PagePort,
		private readonly ready: () => Promise<Service>,
	) {
		this.sitDown().catch(() => undefined); // the first call says what is wrong
	}

	private async sitDown(): Promise<Service> {
		const service = await this.ready();
		if (this.gone || service === this.at) return service;
		this.leave();
		this.at = service;
		this.leave = service.listen(this);
		return service;
	}

	take(message: ToWorker): void {
		if ('call' in message) void this.answer(message.id, message.call);
		else if ('cancel' in message) this.controllers.get(message.id)?.abort();
		else if ('wrote' in message) this.sinks.get(message.id)?.wrote(message.wrote);
		else if ('activity' in message) this.sitDown().then((s) => s.activity()).catch(() => undefined);
	}

	// The page is no more: what it asked for is broken off.
	end(): void {
		this.gone = true;
		this.leave();
		for (const controller of this.controllers.values()) controller.abort();
	}

	notice(notice: Notice): void {
		this.port.post({ notice });
	}

	link(link: Link): void {
		this.port.post({ link });
	}

	locked(): void {
		this.port.post({ locked: true });
	}

	private async answer(id: number, call: Call): Promise<void> {
		const controller = new AbortController();
		this.controllers.set(id, controller);
		try {
			const service = await this.sitDown();
			this.port.post({ id, result: await this.perform(service, id, call, controller.signal) });
		} catch (e) {
			this.port.post({ id, problem: toProblem(e) });
		} finally {
			this.controllers.delete(id);
			this.sinks.delete(id);
		}
	}

	private async perform(service: Service, id: number, call: Call, signal: AbortSignal): Promise<Result> {
		const told = (notice: Notice): void => this.port.post({ id, told: notice });
		const progress = (p: Progress): void => this.port.post({ id, progress: p });
		switch (call.name) {
			case 'state':
				return service.state();
			case 'unlock':
				return service.unlock(call.password);
			case 'lock':
				return nothing(service.lock());
			case 'forget':
				return nothing(service.forget());
			case 'run':
				return service.run(call.command, told, this);
			case 'conversations':
				return service.conversations();
			case 'history':
				return service.history(call.conversation, call.before, call.limit);
			case 'search':
				return service.find(call.query, call.limit);
			case 'sendFile':
				return service.sendFile({ ...call, name: call.fileName }, progress, signal, this);
			case 'saveFile': {
				const sink = new RemoteSink(this.port, id, signal);
				this.sinks.set(id, sink);
				return nothing(service.saveFile(call.file, sink, progress, signal));
			}
			case 'setting':
				return service.setting(call.setting);
			case 'setSetting':
				return nothing(service.setSetting(call.setting, call.value));
		}
	}
}

async function nothing(work: Promise<void>): Promise<null> {
	await work;
	return null;
}
