// zip.ts - a folder as one file, as it comes and without compression: for browsers that let no page
// write a folder.
import { makeZip } from 'client-zip';
import type { Bytes } from '../core/bytes.js';
import type { Entry } from './parcel.js';

// What comes is pushed, and a ZIP is pulled: one waits for the other.
class Pipe {
	private readonly through = new TransformStream<Bytes, Bytes>();
	private readonly writer = this.through.writable.getWriter();
	readonly readable = this.through.readable;

	constructor() {
		this.writer.closed.catch(() => undefined); // whoever writes hears of it
	}

	write(bytes: Bytes): Promise<void> {
		return this.writer.write(bytes);
	}

	close(): Promise<void> {
		return this.writer.close();
	}

	abort(): Promise<void> {
		return this.writer.abort();
	}
}

const EARLIEST = 315_532_800; // 1980, with which a ZIP's times begin
const LATEST = 4_354_819_200; // 2108, with which they end

function when({ modified }: Entry): { lastModified?: Date } {
	return modified > EARLIEST && modified < LATEST ? { lastModified: new Date(1000 * modified) } : {};
}

export class Zip {
	private readonly pipes = new Map<Entry, Pipe>(); // of what is on its way
	private readonly stop = new AbortController();
	private readonly made: Promise<void>;
	private failure: unknown = null;
	private refuse: (why: unknown) => void = () => undefined; // the step that is under way

	constructor(entries: readonly Entry[], to: WritableStream<Bytes>) {
		this.made = makeZip(this.parts(entries)).pipeTo(to, { signal: this.stop.signal });
		this.made.catch((why: unknown) => {
			this.failure = why ?? new Error();
			this.refuse(this.failure);
		});
	}

	private *parts(entries: readonly Entry[]) {
		for (const entry of entries)
			yield entry.folder
				? { name: `${entry.path}/`, ...when(entry) }
				: { name: entry.path, size: entry.size, input: this.pipe(entry).readable, ...when(entry) };
	}

	// Whoever asks first makes it, and the other one takes it away.
	private pipe(entry: Entry): Pipe {
		const there = this.pipes.get(entry);
		if (there !== undefined) {
			this.pipes.delete(entry);
			return there;
		}
		const made = new Pipe();
		this.pipes.set(entry, made);
		return made;
	}

	// One after the other, in their order; not for folders.
	open(entry: Entry): Pick<Pipe, 'write' | 'close' | 'abort'> {
		const pipe = this.pipe(entry);
		return {
			write: (bytes) => this.during(pipe.write(bytes)),
			close: () => this.during(pipe.close()),
			abort: () => this.during(pipe.abort()),
		};
	}

	// Where the ZIP cannot be made, nobody reads what is pushed, and it would wait for ever.
	private during(step: Promise<void>): Promise<void> {
		return new Promise((resolve, reject) => {
			this.refuse = reject;
			step.then(resolve, reject);
			if (this.failure !== null) reject(this.failure);
		});
	}

	close(): Promise<void> {
		return this.made;
	}

	async abort(): Promise<void> {
		this.stop.abort();
		await this.made.catch(() => undefined);
	}
}
