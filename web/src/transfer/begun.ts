// begun.ts - what this browser has begun to leave at the server and not ended: nobody has its link, so the
// next page of /s or /r takes it back when the page that began it is gone, however that ended.
//
// A note is on the disk before a byte of content leaves: in IndexedDB, since what is written to localStorage
// comes there seconds later. A page that is alive holds the Web Lock of its upload.
import { ProblemError } from '../core/problem.js';
import { Calls } from './calls.js';
import { takeBack } from './left.js';

const NAME = 'tacit-begun'; // of the database, of the one store in it, and of the locks

export interface Begun {
	id: string;
	owner: string; // the token, hex; secret
}

function until<T>(request: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(new ProblemError('STORE'));
	});
}

// Resolves when it is on the disk.
async function inStore<T>(work: (notes: IDBObjectStore) => IDBRequest<T>): Promise<T> {
	const opening = indexedDB.open(NAME, 1);
	opening.onupgradeneeded = () => opening.result.createObjectStore(NAME, { keyPath: 'id' });
	const db = await until(opening);
	try {
		const all = db.transaction(NAME, 'readwrite', { durability: 'strict' });
		const request = work(all.objectStore(NAME));
		await new Promise<void>((resolve, reject) => {
			all.oncomplete = () => resolve();
			all.onabort = () => reject(new ProblemError('STORE'));
		});
		return request.result;
	} finally {
		db.close();
	}
}

function forget(id: string): Promise<undefined> {
	return inStore((notes) => notes.delete(id));
}

export class BegunNote {
	private free: () => void = () => undefined;
	private readonly kept: Promise<boolean>; // false: this browser keeps nothing; then what is begun lapses

	constructor(private readonly begun: Begun) {
		this.kept = this.keep().then(() => true, () => false);
	}

	private async keep(): Promise<void> {
		await new Promise<void>((resolve, reject) => {
			navigator.locks.request(NAME + this.begun.id, () => {
				resolve();
				return new Promise<void>((free) => (this.free = free));
			}).catch(reject);
		});
		await inStore((notes) => notes.put(this.begun));
	}

	// Before this nothing may be sent.
	async there(): Promise<void> {
		await this.kept;
	}

	// All of it is left, or it is taken back.
	async over(): Promise<void> {
		if (await this.kept) await forget(this.begun.id);
		this.free();
	}

	// At once, also when the page is closed. What could not be said stays noted.
	async takeBack(): Promise<void> {
		const done = await takeBack(this.begun);
		await this.kept;
		if (done) await this.over().catch(() => undefined);
		this.free();
	}
}

// The lock comes when no page is alive that holds it; only then is it known whether there is still a note.
function takeBackOne({ id, owner }: Begun): Promise<void> {
	return navigator.locks.request(NAME + id, async () => {
		if ((await inStore((notes) => notes.count(id))) === 0) return;
		const calls = new Calls({ 404: 'GONE' }, () => undefined, new AbortController().signal);
		await calls.ask(id, { method: 'DELETE', rest: '', token: owner }).catch((e: unknown) => {
			if (!(e instanceof ProblemError && e.code === 'GONE')) throw e; // it stays noted
		});
		await forget(id);
	});
}

// What pages that are gone have left half done.
export async function takeBackBegun(): Promise<void> {
	const all = await inStore((notes) => notes.getAll() as IDBRequest<Begun[]>);
	for (const one of all) takeBackOne(one).catch(() => undefined); // at the next visit
}
