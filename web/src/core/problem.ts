// problem.ts - failures as the page hears of them: the core's names of errors, and a sentence.
import type { Problem } from '../messenger.js';
import { EngineError } from './engine.js';

// What this side finds wrong by itself. The core brings sentences of its own (core/base/err.def).
const SENTENCES: Record<string, string> = {
	BAD_SEAL: 'The file is not the one that was sent.',
	CANCELLED: 'Cancelled.',
	CONFLICT: 'That does not fit the present state.',
	CRYPTO: 'The cryptographic library failed.',
	GONE: 'That no longer exists.',
	IO: 'Reading or writing failed.',
	LIMIT: 'A limit was reached.',
	MALFORMED: 'The data is not in the expected form.',
	NETWORK: 'The server cannot be reached.',
	NOT_FOUND: 'There is no such thing.',
	NOT_LOGGED_IN: 'You are not logged in.',
	REFUSED: 'The server refused the request.',
	STORE: 'The store of this browser failed.',
	STORE_FULL: 'The store of this browser is full.',
	TOO_LARGE: 'That is larger than allowed.',
	TRUNCATED: 'The data ends too early.',
	UNSUPPORTED: 'The data needs a newer version of tacit.',
};

export class ProblemError extends Error {
	constructor(
		readonly code: string,
		text = SENTENCES[code] ?? code,
		readonly kept = false, // SEND: the message waits here, and goes out later
	) {
		super(text);
		this.name = 'ProblemError';
	}
}

function isQuota(e: unknown): boolean {
	return e instanceof DOMException && e.name === 'QuotaExceededError';
}

export function isAbort(e: unknown): boolean {
	return e instanceof DOMException && e.name === 'AbortError';
}

export function storeProblem(e: unknown): ProblemError {
	if (e instanceof ProblemError) return e;
	return new ProblemError(isQuota(e) ? 'STORE_FULL' : 'STORE');
}

// Whatever was thrown, as a code and a sentence; the inside of a fault is nothing for a person.
export function toProblem(e: unknown): Problem {
	if (e instanceof ProblemError || e instanceof EngineError) return { code: e.code, text: e.message };
	if (isAbort(e)) return { code: 'CANCELLED', text: SENTENCES['CANCELLED'] ?? '' };
	return { code: 'IO', text: SENTENCES['IO'] ?? '' };
}

export function codeOf(e: unknown): string {
	return toProblem(e).code;
}
