// source.ts - what a sender has chosen, as one row of bytes.
import type { Bytes } from '../core/bytes.js';
import { ProblemError } from '../core/problem.js';
import type { Content } from './parcel.js';

export interface Source {
	readonly content: Content;
	readonly title: string; // '' for a text, or for several things
	read(from: number, until: number): Promise<Bytes>;
}

type Piece = Content['entries'][number] & { file: File };

// "name (2).txt"
function another(name: string, n: number): string {
	const dot = name.lastIndexOf('.');
	return dot > 0 ? `${name.slice(0, dot)} (${n})${name.slice(dot)}` : `${name} (${n})`;
}

function distinct(name: string, taken: Set<string>): string {
	let free = name;
	for (let n = 2; taken.has(free); n++) free = another(name, n);
	taken.add(free);
	return free;
}

class FileSource implements Source {
	readonly content: Content;
	readonly title: string;
	private readonly pieces: Piece[];

	constructor(files: readonly File[]) {
		const taken = new Set<string>();
		this.pieces = files.map((file) => ({
			file,
			folder: false,
			size: file.size,
			modified: Math.max(0, Math.floor(file.lastModified / 1000)),
			path: distinct(file.name.replaceAll('/', '_') || 'file', taken),
		}));
		this.content = {
			kind: files.length === 1 ? 'file' : 'files',
			entries: this.pieces,
			total: files.reduce((sum, file) => sum + file.size, 0),
		};
		this.title = files.length === 1 ? (this.pieces[0]?.path ?? '') : '';
	}

	async read(from: number, until: number): Promise<Bytes> {
		const out = new Uint8Array(until - from);
		let start = 0; // of the piece
		for (const { file, size } of this.pieces) {
			const a = Math.max(from, start);
			const b = Math.min(until, start + size);
			if (a < b) {
				const bytes = await file.slice(a - start, b - start).arrayBuffer().catch(() => null);
				if (bytes?.byteLength !== b - a) throw new ProblemError('CHANGED');
				out.set(new Uint8Array(bytes), a - from);
			}
			start += size;
		}
		return out;
	}
}

export function fromFiles(files: readonly File[]): Source {
	return new FileSource(files);
}

export function fromText(text: string): Source {
	const bytes = new TextEncoder().encode(text);
	return {
		content: { kind: 'text', entries: [], total: bytes.length },
		title: '',
		read: (from, until) => Promise.resolve(bytes.slice(from, until)),
	};
}
