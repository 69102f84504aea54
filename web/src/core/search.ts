// search.ts - in what this device has opened, kept in memory while it is unlocked and only then.
//
// The histories are read once; later searches read what came since, and again what has changed: an
// edited message is found by what it says now, a deleted one not at all.
import type { Entry, Notice } from '../messenger.js';

const PAGE = 500;

// Where the histories are, each under the tag of its conversation in hex.
export interface Shelf {
	conversations(): Promise<string[]>;
	// The first `limit` entries after a position, oldest first.
	after(tag: string, position: number, limit: number): Promise<Entry[]>;
}

interface Hit {
	entry: Entry;
	time: number;
	folded: string;
}

// Case and accents do not count.
export function fold(text: string): string {
	return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

function wordsOf(notice: Notice): string {
	const content = notice.content;
	if (content?.kind === 'text') return content.text;
	if (content?.kind === 'file') return `${content.file.name}\n${content.text}`;
	return '';
}

class Book {
	private last = -1; // positions up to here were read
	private readonly changed = new Set<number>(); // of those
	private readonly hits = new Map<number, Hit>(); // by position

	async catchUp(shelf: Shelf, tag: string): Promise<void> {
		for (const position of [...this.changed]) {
			const [entry] = await shelf.after(tag, position - 1, 1);
			if (entry?.position === position) this.add(entry);
			this.changed.delete(position);
		}
		for (let full = true; full; ) {
			const entries = await shelf.after(tag, this.last, PAGE);
			for (const entry of entries) this.add(entry);
			full = entries.length === PAGE;
		}
	}

	private add(entry: Entry): void {
		const { notice, position } = entry;
		this.last = Math.max(this.last, position);
		const text = notice.kind === 'message' ? wordsOf(notice) : '';
		if (text === '') this.hits.delete(position);
		else this.hits.set(position, { entry, time: notice.time, folded: fold(text) });
	}

	logged(position: number): void {
		if (position <= this.last) this.changed.add(position);
	}

	purge(from: number, until: number): void {
		for (const position of this.hits.keys())
			if (position >= from && position <= until) this.hits.delete(position);
	}

	*found(words: readonly string[]): Iterable<Hit> {
		for (const hit of this.hits.values())
			if (words.every((word) => hit.folded.includes(word))) yield hit;
	}
}

export class Search {
	private readonly books = new Map<string, Book>();

	constructor(private readonly shelf: Shelf) {}

	// Entries that hold every word, newest first.
	async find(query: string, limit: number): Promise<Entry[]> {
		const words = fold(query).split(/\s+/).filter((word) => word !== '');
		if (words.length === 0) return [];
		const hits: Hit[] = [];
		for (const tag of await this.shelf.conversations()) {
			const book = this.books.get(tag) ?? new Book();
			this.books.set(tag, book);
			await book.catchUp(this.shelf, tag);
			hits.push(...book.found(words));
		}
		hits.sort((a, b) => b.time - a.time || b.entry.position - a.entry.position);
		return hits.slice(0, limit).map((hit) => hit.entry);
	}

	logged(tag: string, position: number): void {
		this.books.get(tag)?.logged(position);
	}

	purge(tag: string, from: number, until: number): void {
		this.books.get(tag)?.purge(from, until);
	}

	wipe(): void {
		this.books.clear();
	}
}
