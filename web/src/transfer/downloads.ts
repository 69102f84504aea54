// downloads.ts - files on their way to the browser's downloads: kept in its own private files, so that
// no page has to hold them in memory, and handed over when they are whole.
import type { Bytes } from '../core/bytes.js';

const PRIVATE = 'transfers';
const KEEP_MS = 86_400_000; // for a download to have read what is handed over
const PIECE = 8 * 1024 * 1024; // what is left to the browser at once, where it has no private files

export interface Kept {
	readonly to: WritableStream<Bytes>;
	hand(name: string): Promise<void>;
	drop(): Promise<void>;
}

function handOver(file: Blob, name: string): void {
	const link = document.createElement('a');
	// Of a type, so that no browser looks for one, and gives the name an ending of it.
	link.href = URL.createObjectURL(file.slice(0, file.size, 'application/octet-stream'));
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

async function inPrivateFile(): Promise<Kept> {
	const folder = await privateFolder();
	const name = `${Date.now()}-${crypto.randomUUID()}`;
	const handle = await folder.getFileHandle(name, { create: true });
	return {
		to: await handle.createWritable(),
		hand: async (as) => handOver(await handle.getFile(), as),
		drop: () => folder.removeEntry(name),
	};
}

// The browser holds it, on its disk if it likes.
function inBlob(): Kept {
	const parts: Blob[] = [];
	let some: Bytes[] = [];
	let size = 0;
	const settle = (): void => {
		parts.push(new Blob(some));
		some = [];
		size = 0;
	};
	const write = (bytes: Bytes): void => {
		some.push(bytes);
		size += bytes.length;
		if (size >= PIECE) settle();
	};
	return {
		to: new WritableStream({ write, close: settle }),
		hand: (as) => Promise.resolve(handOver(new Blob(parts), as)),
		drop: () => Promise.resolve(void parts.splice(0)),
	};
}

export function keep(): Promise<Kept> {
	const writable = typeof FileSystemFileHandle === 'function' && 'createWritable' in FileSystemFileHandle.prototype;
	return writable && 'storage' in navigator ? inPrivateFile() : Promise.resolve(inBlob());
}
