// store.ts - what this browser keeps: records, histories and the profile, all sealed by the core.
//
// One transaction per step of the engine, durable before anything of it leaves. Only who claimed the
// store last may write: a worker that slept through losing its turn (a frozen tab) finds out here,
// before it can put old state over new.
import type { Effect } from './engine.js';
import { ProblemError, storeProblem } from './problem.js';
import { type Bytes, hex, ownBytes, unhex } from './bytes.js';

export interface LogLine {
	position: number;
	data: Uint8Array;
}

// The account secret under a key that scripts can use but not read (see keeper.ts).
export interface Kept {
	key: CryptoKey;
	iv: Bytes;
	sealed: Bytes;
	until: number; // Unix seconds
}

export interface Store {
	// From now on this is the one that may write.
	claim(): Promise<void>;
	profile(): Promise<Uint8Array | null>;
	records(): Promise<{ id: Uint8Array; data: Uint8Array }[]>;
	// The last `limit` lines before a position (null: the end), oldest first.
	log(tag: Uint8Array, before: number | null, limit: number): Promise<LogLine[]>;
	// The first `limit` lines after a position, oldest first.
	logAfter(tag: Uint8Array, after: number, limit: number): Promise<LogLine[]>;
	// All that is to be kept of a step, or nothing of it. Fails: STORE, STORE_FULL, CONFLICT (another
	// one has claimed the store).
	apply(effects: readonly Effect[]): Promise<void>;
	kept(): Promise<Kept | null>;
	keep(kept: Kept | null): Promise<void>;
	// Everything is gone.
	clear(): Promise<void>;
	close(): void;
}

const PERSISTENT = new Set(['persist', 'profile', 'log', 'purge']);
const STORES = ['meta', 'records', 'log'];

export function persists(effects: readonly Effect[]): boolean {
	return effects.some((fx) => PERSISTENT.has(fx.kind));
}

function done<T>(request: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(storeProblem(request.error));
	});
}

function committed(tx: IDBTransaction): Promise<void> {
	return new Promise((resolve, reject) => {
		tx.oncomplete = () => resolve();
		tx.onabort = () => reject(storeProblem(tx.error));
	});
}

// Strings of a fixed length sort as the bytes do.
function line(tag: string, position: number): [string, number] {
	return [tag, position];
}

function putOne(tx: IDBTransaction, fx: Effect): void {
	switch (fx.kind) {
		case 'persist':
			if (fx.data.length === 0) tx.objectStore('records').delete(hex(fx.id));
			else tx.objectStore('records').put(ownBytes(fx.data), hex(fx.id));
			break;
		case 'profile':
			tx.objectStore('meta').put(ownBytes(fx.data), 'profile');
			break;
		case 'log': {
			const added = tx.objectStore('log').add(ownBytes(fx.data), line(hex(fx.tag), fx.position));
			added.onerror = (event) => {
				if (added.error?.name !== 'ConstraintError') return;
				event.preventDefault(); // it stands there already: the transaction goes on
				event.stopPropagation();
			};
			break;
		}
		case 'purge': {
			const tag = hex(fx.tag);
			const span = IDBKeyRange.bound(line(tag, fx.from), line(tag, fx.until));
			tx.objectStore('log').delete(span);
			break;
		}
		default:
			break;
	}
}

function asBytes(value: unknown): Uint8Array {
	if (value instanceof Uint8Array) return value;
	throw new ProblemError('STORE_CORRUPT', 'The store is damaged.');
}

class IndexedStore implements Store {
	private claimed = 0;

	constructor(private readonly db: IDBDatabase) {
		db.onversionchange = () => db.close();
	}

	private begin(mode: IDBTransactionMode): IDBTransaction {
		try {
			return this.db.transaction(STORES, mode, { durability: 'strict' });
		} catch (e) {
			throw storeProblem(e);
		}
	}

	// Runs put in a transaction that aborts when somebody else has claimed the store since.
	private async write(put: (tx: IDBTransaction) => void): Promise<void> {
		const tx = this.begin('readwrite');
		const end = committed(tx);
		let lost = false;
		let fault: unknown;
		tx.objectStore('meta').get('claim').onsuccess = (event) => {
			lost = (event.target as IDBRequest<unknown>).result !== this.claimed;
			try {
				if (lost) tx.abort();
				else put(tx);
			} catch (e) {
				fault = e;
				tx.abort();
			}
		};
		await end.catch((e: unknown) => {
			if (lost) throw new ProblemError('CONFLICT', 'Another window has taken over.');
			throw storeProblem(fault ?? e);
		});
	}

	async claim(): Promise<void> {
		const tx = this.begin('readwrite');
		const end = committed(tx);
		const meta = tx.objectStore('meta');
		let mine = 0;
		meta.get('claim').onsuccess = (event) => {
			const last: unknown = (event.target as IDBRequest<unknown>).result;
			mine = (typeof last === 'number' ? last : 0) + 1;
			meta.put(mine, 'claim');
		};
		await end;
		this.claimed = mine;
	}

	async profile(): Promise<Uint8Array | null> {
		const found: unknown = await done(this.begin('readonly').objectStore('meta').get('profile'));
		return found === undefined ? null : asBytes(found);
	}

	async records(): Promise<{ id: Uint8Array; data: Uint8Array }[]> {
		const records = this.begin('readonly').objectStore('records');
		const [keys, values] = await Promise.all([done(records.getAllKeys()), done(records.getAll())]);
		return keys.map((key, i) => ({ id: unhex(String(key)), data: asBytes(values[i]) }));
	}

	private async lastOf(span: IDBKeyRange, limit: number): Promise<LogLine[]> {
		const lines: LogLine[] = [];
		if (limit <= 0) return lines;
		const request = this.begin('readonly').objectStore('log').openCursor(span, 'prev');
		return new Promise((resolve, reject) => {
			request.onerror = () => reject(storeProblem(request.error));
			request.onsuccess = () => {
				const cursor = request.result;
				if (cursor === null) return resolve(lines);
				const [, position] = cursor.key as [string, number];
				if (!(cursor.value instanceof Uint8Array)) {
					return reject(new ProblemError('STORE_CORRUPT', 'The store is damaged.'));
				}
				lines.push({ position, data: cursor.value });
				if (lines.length >= limit) return resolve(lines);
				cursor.continue();
			};
		});
	}

	async log(tag: Uint8Array, before: number | null, limit: number): Promise<LogLine[]> {
		const name = hex(tag);
		const span = IDBKeyRange.bound(line(name, 0), line(name, before ?? Infinity), false, true);
		return (await this.lastOf(span, limit)).reverse();
	}

	async logAfter(tag: Uint8Array, after: number, limit: number): Promise<LogLine[]> {
		const name = hex(tag);
		const span = IDBKeyRange.bound(line(name, after), line(name, Infinity), true, true);
		const log = this.begin('readonly').objectStore('log');
		const [keys, values] = await Promise.all([
			done(log.getAllKeys(span, limit)),
			done(log.getAll(span, limit)),
		]);
		return keys.map((key, i) => ({ position: (key as [string, number])[1], data: asBytes(values[i]) }));
	}

	async apply(effects: readonly Effect[]): Promise<void> {
		if (!persists(effects)) return;
		await this.write((tx) => {
			for (const fx of effects) putOne(tx, fx);
		});
	}

	async kept(): Promise<Kept | null> {
		const found: unknown = await done(this.begin('readonly').objectStore('meta').get('kept'));
		return found === undefined ? null : (found as Kept);
	}

	async keep(kept: Kept | null): Promise<void> {
		await this.write((tx) => {
			if (kept === null) tx.objectStore('meta').delete('kept');
			else tx.objectStore('meta').put(kept, 'kept');
		});
	}

	async clear(): Promise<void> {
		await this.write((tx) => {
			tx.objectStore('records').clear();
			tx.objectStore('log').clear();
			tx.objectStore('meta').delete('profile');
			tx.objectStore('meta').delete('kept');
		});
	}

	close(): void {
		this.db.close();
	}
}

export async function openStore(factory: IDBFactory, name = 'tacit'): Promise<Store> {
	const request = factory.open(name, 1);
	request.onupgradeneeded = () => {
		for (const store of STORES) request.result.createObjectStore(store);
	};
	return new IndexedStore(await done(request));
}
