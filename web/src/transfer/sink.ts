// sink.ts - where what comes goes: straight to the disk, to a place that the person chose; where the
// browser has no such thing, to the downloads, and a folder there as one ZIP file.
//
// Names are those of the offer, which the core has made safe. Nothing that is there is replaced
// unless the person said so to the browser.
import type { Bytes } from '../core/bytes.js';
import { ProblemError } from '../core/problem.js';
import { type Kept, keep } from './downloads.js';
import type { Entry, Offer } from './parcel.js';
import { numbered } from './source.js';
import { Zip } from './zip.js';

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
		(e: unknown) => {
			if (e instanceof DOMException && e.name === 'NotFoundError') return false;
			if (e instanceof DOMException && e.name === 'TypeMismatchError') return true; // a folder
			throw e; // no number makes it a name that the browser takes
		},
	);
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
		for (const name of made) await root.removeEntry(name, { recursive: true }).catch(() => undefined);
	};
	return new Row(entries, open, { close: nothing.close, abort });
}

// --- the browser's downloads ------------------------------------------------------------------------

function outOf(stream: WritableStream<Bytes>): Out {
	const writer = stream.getWriter();
	writer.closed.catch(() => undefined); // whoever writes hears of it
	return { write: (bytes) => writer.write(bytes), close: () => writer.close(), abort: () => writer.abort() };
}

async function toDownloads(entries: readonly Entry[]): Promise<Sink> {
	const ready: { kept: Kept; name: string }[] = [];
	const open = async (entry: Entry): Promise<Out> => {
		const kept = await keep();
		ready.push({ kept, name: entry.path });
		return outOf(kept.to);
	};
	return new Row(entries, open, {
		close: async () => {
			for (const { kept, name } of ready) await kept.hand(name);
		},
		abort: async () => {
			for (const { kept } of ready) await kept.drop();
		},
	});
}

// --- one file of all ----------------------------------------------------------------------------------

const FEW = 5; // files that are downloaded one by one

// Is it made one file, in this browser?
export function becomesZip({ kind, entries }: Offer): boolean {
	const flat = entries.every((entry) => !entry.folder && !entry.path.includes('/'));
	return kind !== 'file' && picker('showDirectoryPicker') === null && (!flat || entries.length > FEW);
}

async function picked(pick: FilePicker, suggestedName: string): Promise<Kept> {
	const nothing = (): Promise<void> => Promise.resolve(); // it is where it shall be
	return { to: await (await pick({ suggestedName })).createWritable(), hand: nothing, drop: nothing };
}

async function toZip({ kind, entries }: Offer): Promise<Sink> {
	const top = kind === 'folder' ? entries[0]?.path : undefined;
	const name = `${top ?? 'tacit'}.zip`;
	const pick = picker('showSaveFilePicker') as FilePicker | null;
	const kept = pick === null ? await keep() : await picked(pick, name);
	const zip = new Zip(entries, kept.to);
	const open = (entry: Entry): Promise<Out> => Promise.resolve(entry.folder ? empty : zip.open(entry));
	return new Row(entries, open, {
		close: async () => {
			await zip.close();
			await kept.hand(name);
		},
		abort: async () => {
			await zip.abort();
			await kept.drop();
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
	return becomesZip(offer) ? toZip(offer) : toDownloads(offer.entries);
}
