// sink.ts - where what comes goes: straight to the disk, to a place that the person chose; where the
// browser has no such thing, to its own private files, and from there to the downloads.
//
// Names are those of the offer, which the core has made safe. Nothing that is there is replaced
// unless the person said so to the browser.
import type { Bytes } from '../core/bytes.js';
import { ProblemError } from '../core/problem.js';
import type { Entry, Offer } from './parcel.js';

export interface Sink {
	write(bytes: Bytes): Promise<void>;
	close(): Promise<void>; // now it is there
	abort(): Promise<void>; // and now it never was
}

interface Out {
	write(bytes: Bytes): Promise<void>;
	close(): Promise<void>;
	abort(): Promise<void>;
}

type FilePicker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
type FolderPicker = (options: { mode: 'readwrite' }) => Promise<FileSystemDirectoryHandle>;

function picker(name: 'showSaveFilePicker' | 'showDirectoryPicker'): unknown {
	const found: unknown = (globalThis as Record<string, unknown>)[name];
	return typeof found === 'function' ? found.bind(globalThis) : null;
}

const nothing = { close: () => Promise.resolve(), abort: () => Promise.resolve() };
const empty: Out = { ...nothing, write: () => Promise.reject(new ProblemError('TRAILING')) };

// All files of an offer, one after the other.
class Row implements Sink {
	private at = -1; // which file
	private left = 0; // of it
	private out: Out = empty;

	constructor(
		private readonly entries: readonly Entry[],
		private readonly open: (entry: Entry) => Promise<Out>,
		private readonly end: { close: () => Promise<void>; abort: () => Promise<void> },
	) {}

	// Also past folders, and files without a byte.
	private async advance(): Promise<void> {
		await this.out.close();
		this.out = empty;
		this.at++;
		const entry = this.entries[this.at];
		if (entry === undefined) throw new ProblemError('TRAILING');
		this.left = entry.size;
		this.out = await this.open(entry);
	}

	async write(bytes: Bytes): Promise<void> {
		for (let i = 0; i < bytes.length;) {
			while (this.left === 0) await this.advance();
			const piece = bytes.subarray(i, i + this.left);
			await this.out.write(piece);
			this.left -= piece.length;
			i += piece.length;
		}
	}

	async close(): Promise<void> {
		while (this.at < this.entries.length - 1) await this.advance();
		await this.out.close();
		this.out = empty;
		await this.end.close();
	}

	async abort(): Promise<void> {
		await this.out.abort().catch(() => undefined);
		await this.end.abort().catch(() => undefined);
	}
}

// --- one file, to a place that the person chooses ---------------------------------------------------

async function toChosenFile(pick: FilePicker, entry: Entry): Promise<Sink> {
	const handle = await pick({ suggestedName: lastPart(entry.path) });
	const out = await handle.createWritable();
	return new Row([entry], () => Promise.resolve(out), nothing);
}

function lastPart(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}

// --- a folder that the person chooses ---------------------------------------------------------------

async function exists(folder: FileSystemDirectoryHandle, name: string): Promise<boolean> {
	return folder.getFileHandle(name).then(
		() => true,
		(e: unknown) => !(e instanceof DOMException && e.name === 'NotFoundError'),
	);
}

function numbered(name: string, n: number): string {
	const dot = name.lastIndexOf('.');
	if (n === 1) return name;
	return dot > 0 ? `${name.slice(0, dot)} (${n})${name.slice(dot)}` : `${name} (${n})`;
}

async function freeName(folder: FileSystemDirectoryHandle, name: string): Promise<string> {
	for (let n = 1; ; n++) if (!(await exists(folder, numbered(name, n)))) return numbered(name, n);
}

async function toChosenFolder(pick: FolderPicker, entries: readonly Entry[]): Promise<Sink> {
	const root = await pick({ mode: 'readwrite' });
	const tops = new Map<string, string>(); // what is at the top, and under which name
	const made: string[] = [];
	const open = async (entry: Entry): Promise<Out> => {
		const parts = entry.path.split('/');
		const top = parts[0] ?? '';
		if (!tops.has(top)) {
			const free = await freeName(root, top);
			tops.set(top, free);
			made.push(free);
		}
		parts[0] = tops.get(top) ?? top;
		const name = parts.pop() ?? '';
		let folder = root;
		for (const part of parts) folder = await folder.getDirectoryHandle(part, { create: true });
		if (!entry.folder) return (await folder.getFileHandle(name, { create: true })).createWritable();
		await folder.getDirectoryHandle(name, { create: true });
		return empty;
	};
	const abort = async (): Promise<void> => {
		for (const name of made) await root.removeEntry(name, { recursive: true });
	};
	return new Row(entries, open, { close: nothing.close, abort });
}

// --- the browser's downloads ------------------------------------------------------------------------

const PRIVATE = 'transfers';
const KEEP_MS = 86_400_000; // for a download to have read what is handed over

function handOver(file: Blob, name: string): void {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(file);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function privateFolder(): Promise<FileSystemDirectoryHandle> {
	const root = await navigator.storage.getDirectory();
	return root.getDirectoryHandle(PRIVATE, { create: true });
}

// What earlier pages have left.
export async function tidy(): Promise<void> {
	const folder = await privateFolder();
	const names: string[] = [];
	for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
	for (const name of names)
		if (!(Date.now() - Number(name.split('-')[0]) < KEEP_MS)) await folder.removeEntry(name).catch(() => undefined);
}

async function toDownloads(entries: readonly Entry[]): Promise<Sink> {
	const folder = await privateFolder();
	const ready: { kept: string; name: string }[] = [];
	const open = async (entry: Entry): Promise<Out> => {
		if (entry.folder) return empty;
		const kept = `${Date.now()}-${crypto.randomUUID()}`;
		ready.push({ kept, name: lastPart(entry.path) });
		return (await folder.getFileHandle(kept, { create: true })).createWritable();
	};
	return new Row(entries, open, {
		close: async () => {
			for (const { kept, name } of ready) handOver(await (await folder.getFileHandle(kept)).getFile(), name);
		},
		abort: async () => {
			for (const { kept } of ready) await folder.removeEntry(kept);
		},
	});
}

// Must be called while the browser believes that the person is there: it may ask where to.
export async function chooseSink(offer: Offer): Promise<Sink> {
	const [only] = offer.entries;
	const file = picker('showSaveFilePicker') as FilePicker | null;
	const folder = picker('showDirectoryPicker') as FolderPicker | null;
	if (offer.kind === 'file' && only !== undefined && file !== null) return toChosenFile(file, only);
	if (offer.kind !== 'file' && folder !== null) return toChosenFolder(folder, offer.entries);
	return toDownloads(offer.entries);
}
