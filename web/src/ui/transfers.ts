// transfers.ts - files that are on their way, in either direction.
import { signal } from '@preact/signals';
import type { FileRef, Progress } from '../messenger.js';
import { t } from '../i18n/index.js';
import { heedRefusal, readTail } from './profile.js';
import { codeOf, messenger, sentence, whenLocked } from './store.js';
import { isPicture, safeName } from './text.js';
import { now } from './times.js';
import { say } from './view.js';

export interface Transfer {
	id: number;
	direction: 'up' | 'down';
	conversation: number;
	token: string; // down: which file
	name: string;
	caption: string;
	done: number;
	total: number;
	rate: number; // bytes per second, smoothed
	startedAt: number; // Unix seconds
	failed: string; // '' or why
	cancel: () => void;
	again: () => void;
}

export const transfers = signal<readonly Transfer[]>([]);
let count = 0;

function change(id: number, changes: Partial<Transfer>): void {
	transfers.value = transfers.value.map((one) => (one.id === id ? { ...one, ...changes } : one));
}

function end(id: number): void {
	transfers.value = transfers.value.filter((one) => one.id !== id);
}

const SMOOTHING = 0.3;
const SAMPLE = 0.25; // seconds

// Progress as it is told, made into a rate that does not jump.
export function meter(): (p: Progress, seconds: number) => number {
	let rate = 0;
	let last = { done: 0, at: -1 };
	return (p, seconds) => {
		if (last.at < 0)
			last = { done: p.done, at: seconds };
		const passed = seconds - last.at;
		if (passed < SAMPLE)
			return rate;
		const measured = (p.done - last.done) / passed;
		rate = rate === 0 ? measured : rate + SMOOTHING * (measured - rate);
		last = { done: p.done, at: seconds };
		return rate;
	};
}

type Task = (progress: (p: Progress) => void, signal: AbortSignal) => Promise<void>;
type About = Pick<Transfer, 'direction' | 'conversation' | 'token' | 'name' | 'caption' | 'total'>;

async function carry(about: About, task: Task): Promise<boolean> {
	const id = ++count;
	const abort = new AbortController();
	const measure = meter();
	transfers.value = [...transfers.value, {
		...about, id, done: 0, rate: 0, startedAt: now(), failed: '',
		cancel: () => {
			abort.abort();
			end(id);
		},
		again: () => {
			end(id);
			void carry(about, task);
		},
	}];
	try {
		await task((p) => change(id, { ...p, rate: measure(p, performance.now() / 1000) }), abort.signal);
		end(id);
		return true;
	} catch (thrown) {
		heedRefusal(thrown, about.conversation);
		if (abort.signal.aborted || codeOf(thrown) === 'CANCELLED')
			end(id);
		else
			change(id, { failed: sentence(thrown) });
		return false;
	}
}

// --- up -----------------------------------------------------------------------------------------

export function sendFile(conversation: number, file: File, caption: string): Promise<boolean> {
	const name = safeName(file.name);
	const about: About = { direction: 'up', conversation, token: '', name, caption, total: file.size };
	return carry(about, async (progress, abort) => {
		await messenger().sendFile(conversation, file, name, caption, progress, abort);
		await readTail(conversation);
	});
}

// --- down ---------------------------------------------------------------------------------------

const MOST_PREVIEW = 8 * 1024 * 1024;
const MOST_IN_MEMORY = 512 * 1024 * 1024;

export function hasPreview(file: FileRef): boolean {
	return isPicture(file.type) && file.size <= MOST_PREVIEW;
}

async function intoMemory(file: FileRef, type: string, progress: (p: Progress) => void, abort: AbortSignal): Promise<Blob> {
	const parts: Uint8Array<ArrayBuffer>[] = [];
	const sink = new WritableStream<Uint8Array>({
		write: (chunk) => {
			parts.push(new Uint8Array(chunk));
		},
	});
	await messenger().saveFile(file, sink, progress, abort);
	return new Blob(parts, { type });
}

const MOST_PREVIEWS = 64; // far more than are in sight; others are fetched again
const previews = new Map<string, Promise<string>>(); // the one that was asked for last is the last

function releasePreview(token: string): void {
	previews.get(token)?.then((url) => URL.revokeObjectURL(url)).catch(() => undefined);
	previews.delete(token);
}

// The address of a picture in memory; made once per file.
export function previewOf(file: FileRef): Promise<string> {
	const known = previews.get(file.token);
	if (known !== undefined) {
		previews.delete(file.token);
		previews.set(file.token, known);
		return known;
	}
	const made = intoMemory(file, file.type.toLowerCase(), () => undefined, new AbortController().signal)
		.then((blob) => URL.createObjectURL(blob));
	made.catch(() => previews.delete(file.token));
	previews.set(file.token, made);
	for (const token of [...previews.keys()].slice(0, -MOST_PREVIEWS))
		releasePreview(token);
	return made;
}

whenLocked(() => {
	for (const token of [...previews.keys()])
		releasePreview(token);
	for (const one of transfers.value)
		one.cancel();
	transfers.value = [];
});

type Picker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;

function picker(): Picker | null {
	const found: unknown = (globalThis as { showSaveFilePicker?: unknown }).showSaveFilePicker;
	return typeof found === 'function' ? (options) => (found as Picker).call(globalThis, options) : null;
}

// Straight to a place of the person's choice where the browser can, else through memory.
export async function save(conversation: number, file: FileRef): Promise<void> {
	const name = safeName(file.name);
	const about: About = { direction: 'down', conversation, token: file.token, name, caption: '', total: file.size };
	const pick = picker();
	let handle: FileSystemFileHandle | null = null;
	try {
		handle = pick === null ? null : await pick({ suggestedName: name });
	} catch (thrown) {
		if (codeOf(thrown) !== 'CANCELLED')
			say(t('file.failed', { why: sentence(thrown) }), true);
		return;
	}
	if (handle === null && file.size > MOST_IN_MEMORY)
		say(t('file.large'), true);
	const ok = await carry(about, async (progress, abort) => {
		if (handle !== null)
			await messenger().saveFile(file, await handle.createWritable(), progress, abort);
		else
			handOver(await intoMemory(file, 'application/octet-stream', progress, abort), name);
	});
	if (ok)
		say(t('file.saved', { name }));
}

// A plain download of what is in memory.
export function handOver(blob: Blob, name: string): void {
	const url = URL.createObjectURL(blob);
	const anchor = document.createElement('a');
	anchor.href = url;
	anchor.download = name;
	anchor.click();
	setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
