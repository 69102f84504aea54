// http.ts - one request and its answer. The session's cookie is the browser's to keep and to send.
//
// Redirects are not followed, answers are bounded. Retries belong to those who know what is safe to
// repeat: the engine for its own requests, upload.ts and download.ts for files.
import type { HttpAnswer } from './engine.js';
import { type Bytes, joined } from './bytes.js';
import type { Platform } from './platform.js';
import { ProblemError } from './problem.js';

const CALL_MS = 120_000;
const MAX_ANSWER = 64 * 1024 * 1024;

export interface Request {
	method: string;
	path: string;
	headers?: Record<string, string>;
	body?: Bytes;
	signal?: AbortSignal;
}

// Aborts with the outer signal, or when `quiet` milliseconds went by without touch().
export class Patience {
	private readonly controller = new AbortController();
	private callOff: () => void = () => undefined;
	private readonly giveUp = () => this.controller.abort();

	constructor(
		private readonly platform: Platform,
		private readonly quiet: number,
		private readonly outer?: AbortSignal,
	) {
		if (outer?.aborted) this.controller.abort();
		outer?.addEventListener('abort', this.giveUp);
		this.touch();
	}

	get signal(): AbortSignal {
		return this.controller.signal;
	}

	touch(): void {
		this.callOff();
		this.callOff = this.platform.after(this.quiet, this.giveUp);
	}

	end(): void {
		this.callOff();
		this.outer?.removeEventListener('abort', this.giveUp);
	}

	// What a failed call is: broken off by the person, or by the network.
	problem(e: unknown): ProblemError {
		if (e instanceof ProblemError) return e;
		return new ProblemError(this.outer?.aborted ? 'CANCELLED' : 'NETWORK');
	}
}

function initOf(request: Request, signal: AbortSignal): RequestInit {
	const init: RequestInit = {
		method: request.method,
		credentials: 'same-origin',
		redirect: 'error',
		cache: 'no-store',
		referrerPolicy: 'no-referrer',
		signal,
	};
	if (request.headers !== undefined) init.headers = request.headers;
	if (request.body !== undefined) init.body = request.body;
	return init;
}

export async function readBounded(response: Response, patience: Patience): Promise<Bytes> {
	const parts: Uint8Array[] = [];
	let total = 0;
	const reader = response.body?.getReader();
	while (reader !== undefined) {
		const { done, value } = await reader.read();
		if (done) break;
		patience.touch();
		total += value.length;
		if (total > MAX_ANSWER) {
			void reader.cancel().catch(() => undefined);
			throw new ProblemError('TOO_LARGE');
		}
		parts.push(value);
	}
	return joined(parts);
}

export interface Answered extends HttpAnswer {
	headers: Headers;
	body: Bytes;
}

// An answer of any status. Rejects with NETWORK, CANCELLED, TOO_LARGE.
export async function perform(platform: Platform, request: Request): Promise<Answered> {
	const patience = new Patience(platform, CALL_MS, request.signal);
	try {
		const response = await platform.fetch(request.path, initOf(request, patience.signal));
		const body = await readBounded(response, patience);
		return { status: response.status, headers: response.headers, body };
	} catch (e) {
		throw patience.problem(e);
	} finally {
		patience.end();
	}
}

// Only the head has come; the caller reads the body and ends the patience.
export async function beginFetch(
	platform: Platform,
	request: Request,
	patience: Patience,
): Promise<Response> {
	return platform.fetch(request.path, initOf(request, patience.signal));
}

// As the native client's (client/http.c).
const STATUS_CODES: Record<number, string> = {
	401: 'NOT_LOGGED_IN',
	404: 'NOT_FOUND',
	409: 'CONFLICT',
	410: 'GONE',
	413: 'TOO_LARGE',
	416: 'TRUNCATED', // the file is shorter than it should be
	429: 'LIMIT',
	460: 'BAD_SEAL', // tus: what arrived is not what was sent
	507: 'STORE_FULL',
};

function sentence(body: Uint8Array): string | undefined {
	try {
		const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
		const text = (parsed as { error?: unknown } | null)?.error;
		return typeof text === 'string' && text.length <= 800 ? text : undefined;
	} catch {
		return undefined; // a proxy's page says nothing to a person
	}
}

// The problem that a status stands for; null for 2xx.
export function refusal(status: number, body: Uint8Array): ProblemError | null {
	if (status >= 200 && status < 300) return null;
	const text = sentence(body) ?? `The server answered with status ${status}.`;
	return new ProblemError(STATUS_CODES[status] ?? 'REFUSED', text);
}
