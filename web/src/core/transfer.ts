// transfer.ts - what uploads and downloads share (client/transfer.h).
import type { FileDigest, FileStream } from './engine.js';
import type { Platform } from './platform.js';
import type { Progress } from '../messenger.js';
import { ProblemError } from './problem.js';

export const TRIES = 5; // in a row without a byte of progress
const RETRY_MS = 500;

// The engine's side of a file: where its keys are.
export interface FileDesk {
	fileNew(): Promise<string>;
	fileKept(token: string): Promise<Uint8Array>;
	fileAgain(kept: Uint8Array): Promise<string>;
	fileHeader(token: string): Promise<Uint8Array>;
	fileStream(token: string, header: Uint8Array): Promise<FileStream>;
	fileDigest(header: Uint8Array): Promise<FileDigest>;
	noteGet(name: string): Promise<Uint8Array | null>;
	notePut(name: string, value: Uint8Array): Promise<void>;
}

export interface Transfer {
	desk: FileDesk;
	platform: Platform;
	progress(p: Progress): void;
	signal: AbortSignal;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;

// A file id that may stand in a path.
export function isFileId(id: string): boolean {
	return ID.test(id);
}

export function stopIfAborted(signal: AbortSignal): void {
	if (signal.aborted) throw new ProblemError('CANCELLED');
}

// A proxy's 502 or a full queue's 503 is worth another try, as a lost connection is.
export function mayPass(code: string): boolean {
	return code === 'NETWORK' || code === 'REFUSED' || code === 'LIMIT';
}

// Before try number `tries` (1, 2, ...).
export async function pause(t: Transfer, tries: number): Promise<void> {
	stopIfAborted(t.signal);
	await new Promise<void>((resolve) => {
		const wake = (): void => {
			callOff();
			t.signal.removeEventListener('abort', wake);
			resolve();
		};
		const callOff = t.platform.after(RETRY_MS * 2 ** (tries - 1), wake);
		t.signal.addEventListener('abort', wake);
	});
	stopIfAborted(t.signal);
}
