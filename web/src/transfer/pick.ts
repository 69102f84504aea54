// pick.ts - files and folders as a person chooses or drops them: for each thing chosen, it and all
// that is inside of it, every folder before what is in it.
import { ProblemError } from '../core/problem.js';

export interface Picked {
	path: string; // '/' between its parts
	file: File | null; // null: a folder
}
export type Roots = Picked[][];

const MOST_ENTRIES = 65_536; // docs/protocol-transfer.md 15.4
const NO_NAME = 'file'; // as what a phone hands over at times

function partOf(name: string): string {
	return name.replaceAll('/', '_') || NO_NAME;
}

function check(count: number): void {
	if (count > MOST_ENTRIES) throw new ProblemError('TOO_LARGE');
}

// What an <input> gives: files with their paths below the folder that was chosen, and no folders.
export function fromInput(files: FileList): Roots {
	const roots = new Map<string, Picked[]>();
	const folders = new Set<string>();
	check(files.length);
	for (const file of files) {
		const parts = file.webkitRelativePath.split('/').map(partOf);
		if (parts.length === 1) {
			roots.set(`/${roots.size}`, [{ path: partOf(file.name), file }]);
			continue;
		}
		const top = parts[0] ?? '';
		const root = roots.get(top) ?? [];
		roots.set(top, root);
		for (let n = 1; n < parts.length; n++) {
			const path = parts.slice(0, n).join('/');
			if (!folders.has(path)) root.push({ path, file: null });
			folders.add(path);
		}
		root.push({ path: parts.join('/'), file });
	}
	check(folders.size + files.length);
	return [...roots.values()];
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
	return new Promise((resolve, reject) => entry.file(resolve, () => reject(new ProblemError('CHANGED'))));
}

// A reader answers a hundred at a time, and none in the end.
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
	const reader = folder.createReader();
	const all: FileSystemEntry[] = [];
	for (;;) {
		const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
			reader.readEntries(resolve, () => reject(new ProblemError('CHANGED'))));
		if (some.length === 0) return all;
		all.push(...some);
		check(all.length);
	}
}

async function walk(entry: FileSystemEntry, path: string, out: Picked[]): Promise<void> {
	check(out.length);
	if (entry.isFile) {
		out.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
		return;
	}
	out.push({ path, file: null });
	for (const child of await childrenOf(entry as FileSystemDirectoryEntry))
		await walk(child, `${path}/${partOf(child.name)}`, out);
}

// To be called within the event: its list is empty afterwards.
export function fromDrop(dropped: DataTransfer): Promise<Roots> {
	const entries = [...dropped.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry());
	if (!entries.every((entry) => entry !== null)) return Promise.resolve(fromInput(dropped.files));
	return Promise.all(entries.map(async (entry) => {
		const root: Picked[] = [];
		await walk(entry, partOf(entry.name), root);
		return root;
	}));
}
