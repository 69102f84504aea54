// calls.ts - the server's /api/parcels, for both ends: docs/protocol-transfer.md 16. Goes on for as
// long as the server may come back.
import type { Bytes } from '../core/bytes.js';
import { ProblemError } from '../core/problem.js';

const PATH = '/api/parcels';
const PATIENCE_MS = 1_800_000; // for a server that is away
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 5000;
const PASSING = [423, 429, 500, 502, 503, 504];

// So that the person is heard meanwhile; a timer would wait for seconds in a page that is not in sight.
export function breathe(): Promise<void> {
	return new Promise((resolve) => {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = () => {
			port1.close();
			resolve();
		};
		port2.postMessage(null);
	});
}

export interface Call {
	method: string;
	rest: string; // of the path, behind the id
	token: string; // '' for none
	json?: object;
	range?: [from: number, bytes: number];
}

// What the server's refusals are called, by status.
export type Refusals = Readonly<Record<number, string>>;

export class Calls {
	private until = 0;
	private pauseMs = FIRST_PAUSE_MS;

	constructor(
		private readonly refusals: Refusals,
		private readonly lost: (yes: boolean) => void,
		private readonly signal: AbortSignal,
	) {}

	static once(id: string, call: Call, more: RequestInit = {}): Promise<Response> {
		const headers: Record<string, string> = call.token === '' ? {} : { Authorization: `Parcel ${call.token}` };
		if (call.json !== undefined) headers['Content-Type'] = 'application/json';
		if (call.range !== undefined) headers['Range'] = `bytes=${call.range[0]}-${call.range[0] + call.range[1] - 1}`;
		return fetch(`${PATH}${id === '' ? '' : `/${id}`}${call.rest}`, {
			method: call.method,
			credentials: 'omit',
			cache: 'no-store',
			headers,
			...(call.json === undefined ? {} : { body: JSON.stringify(call.json) }),
			...more,
		});
	}

	// Bytes to the server, told how far they are. Gives back the status; 0: it cannot be reached.
	static part(id: string, token: string, offset: number, bytes: Bytes, far: (sent: number) => void,
		signal: AbortSignal): Promise<number> {
		return new Promise((resolve) => {
			const request = new XMLHttpRequest();
			request.open('PATCH', `${PATH}/${id}`);
			request.setRequestHeader('Authorization', `Parcel ${token}`);
			request.setRequestHeader('Upload-Offset', String(offset));
			request.setRequestHeader('Content-Type', 'application/octet-stream');
			request.upload.onprogress = (event) => far(event.loaded);
			const stop = (): void => request.abort();
			request.onloadend = () => {
				signal.removeEventListener('abort', stop); // it would hold the bytes for as long as all goes on
				resolve(request.status);
			};
			signal.addEventListener('abort', stop);
			request.send(bytes);
		});
	}

	// It did not work: waits, if that may help, and else throws.
	async failed(status: number): Promise<void> {
		this.check();
		if (status !== 0 && !PASSING.includes(status)) throw new ProblemError(this.refusals[status] ?? 'NETWORK');
		if (this.until === 0) {
			this.until = Date.now() + PATIENCE_MS;
			this.lost(true);
		}
		if (Date.now() >= this.until) throw new ProblemError('NETWORK');
		await this.pause();
		this.check();
	}

	worked(): void {
		if (this.until !== 0) this.lost(false);
		this.until = 0;
		this.pauseMs = FIRST_PAUSE_MS;
	}

	check(): void {
		if (this.signal.aborted) throw new ProblemError('CANCELLED');
	}

	private pause(): Promise<void> {
		const ms = this.pauseMs;
		this.pauseMs = Math.min(2 * ms, LAST_PAUSE_MS);
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.signal.addEventListener('abort', () => {
				clearTimeout(timer);
				resolve();
			}, { once: true });
		});
	}

	// The body.
	async ask(id: string, call: Call): Promise<Bytes> {
		for (;;) {
			this.check();
			const answer = await Calls.once(id, call, { signal: this.signal }).catch(() => null);
			const body = answer?.ok === true ? await answer.arrayBuffer().catch(() => null) : null;
			if (body !== null) {
				this.worked();
				return new Uint8Array(body);
			}
			await this.failed(answer === null || answer.ok ? 0 : answer.status);
		}
	}

	async askJson(id: string, call: Call): Promise<Readonly<Record<string, unknown>>> {
		const said: unknown = JSON.parse(new TextDecoder().decode(await this.ask(id, call)));
		return said as Readonly<Record<string, unknown>>;
	}
}
