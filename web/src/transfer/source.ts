// source.ts - what a sender has chosen, as one row of bytes.
import type { Bytes } from '../core/bytes.js';
import { ProblemError } from '../core/problem.js';
import type { Picked } from './pick.js';
import type { Content, Entry } from './parcel.js';

export interface Source {
	readonly content: Content;
	readonly title: string; // '' for a text, or for several things
	read(from: number, until: number): Promise<Bytes>;
}

type Piece = Entry & { file: File | null };

// "name (2).txt"
export function numbered(name: string, n: number): string {
	const dot = name.lastIndexOf('.');
	if (n === 1) return name;
	return dot > 0 ? `${name.slice(0, dot)} (${n})${name.slice(dot)}` : `${name} (${n})`;
}

function distinct(name: string, taken: Set<string>): string {
	let n = 1;
	while (taken.has(numbered(name, n))) n++;
	taken.add(numbered(name, n));
	return numbered(name, n);
}

function pieceOf(picked: Picked, path: string): Piece {
	const { file } = picked;
	const modified = file === null ? 0 : Math.max(0, Math.floor(file.lastModified / 1000));
	return { file, folder: file === null, size: file?.size ?? 0, modified, path };
}

// Of everything that was chosen, each with what is inside of it.
function piecesOf(roots: readonly (readonly Picked[])[]): Piece[] {
	const taken = new Set<string>();
	return roots.flatMap((root) => {
		const own = root[0]?.path ?? '';
		const top = distinct(own, taken);
		return root.map((picked) => pieceOf(picked, top + picked.path.slice(own.length)));
	});
}

function kindOf(roots: number, first: Entry | undefined): Content['kind'] {
	if (roots !== 1 || first === undefined) return 'files';
	return first.folder ? 'folder' : 'file';
}

class FileSource implements Source {
	readonly content: Content;
	readonly title: string;
	private readonly pieces: Piece[];
	private readonly starts: number[] = []; // of each piece

	constructor(roots: readonly (readonly Picked[])[]) {
		this.pieces = piecesOf(roots);
		let total = 0;
		for (const { size } of this.pieces) {
			this.starts.push(total);
			total += size;
		}
		const [first] = this.pieces;
		this.content = { kind: kindOf(roots.length, first), entries: this.pieces, total };
		this.title = roots.length === 1 ? (first?.path ?? '') : '';
	}

	// The last piece that begins there or before.
	private holding(at: number): number {
		let low = 0;
		for (let high = this.starts.length; high - low > 1;) {
			const middle = (low + high) >> 1;
			if ((this.starts[middle] ?? 0) <= at) low = middle;
			else high = middle;
		}
		return low;
	}

	async read(from: number, until: number): Promise<Bytes> {
		const out = new Uint8Array(until - from);
		for (let i = this.holding(from); i < this.pieces.length; i++) {
			const { file, size } = this.pieces[i] as Piece;
			const start = this.starts[i] ?? 0;
			if (start >= until) break;
			const a = Math.max(from, start);
			const b = Math.min(until, start + size);
			if (file === null || a >= b) continue;
			const bytes = await file.slice(a - start, b - start).arrayBuffer().catch(() => null);
			if (bytes?.byteLength !== b - a) throw new ProblemError('CHANGED');
			out.set(new Uint8Array(bytes), a - from);
		}
		return out;
	}
}

export function fromFiles(roots: readonly (readonly Picked[])[]): Source {
	return new FileSource(roots);
}

export function fromText(text: string): Source {
	const bytes = new TextEncoder().encode(text);
	return {
		content: { kind: 'text', entries: [], total: bytes.length },
		title: '',
		read: (from, until) => Promise.resolve(bytes.slice(from, until)),
	};
}
