// cursor.ts - the integers, texts and bytes of wasm/abi.h, one after the other.
import { EngineError } from './engine.js';
import type { Bytes } from './bytes.js';

const HIGH = 2 ** 32;

// Grows; wipe() when a secret was among what was written.
export class Writer {
	private room = new Uint8Array(1024);
	private n = 0;

	private take(size: number): DataView {
		if (this.n + size > this.room.length) {
			const larger = new Uint8Array(Math.max(2 * this.room.length, this.n + size));
			larger.set(this.room);
			this.room.fill(0);
			this.room = larger;
		}
		this.n += size;
		return new DataView(this.room.buffer, this.n - size, size);
	}

	u8(x: number): void {
		this.take(1).setUint8(0, x);
	}

	u32(x: number): void {
		this.take(4).setUint32(0, x);
	}

	u64(x: number): void {
		if (!Number.isSafeInteger(x) || x < 0) throw new EngineError('USAGE');
		const view = this.take(8);
		view.setUint32(0, Math.floor(x / HIGH));
		view.setUint32(4, x % HIGH);
	}

	raw(bytes: Uint8Array): void {
		this.take(bytes.length);
		this.room.set(bytes, this.n - bytes.length);
	}

	word(word: string): void {
		this.u8(word.length);
		this.raw(new TextEncoder().encode(word));
	}

	bytes(bytes: Uint8Array): void {
		this.u32(bytes.length);
		this.raw(bytes);
	}

	text(text: string): void {
		const bytes = new TextEncoder().encode(text);
		this.bytes(bytes);
		bytes.fill(0);
	}

	view(): Bytes {
		return this.room.subarray(0, this.n);
	}

	wipe(): void {
		this.room.fill(0);
		this.n = 0;
	}
}

// What the core writes is well-formed: an end before the end is a bug, and throws.
export class Reader {
	private at = 0;
	private readonly view: DataView;

	constructor(private readonly all: Bytes) {
		this.view = new DataView(all.buffer, all.byteOffset, all.byteLength);
	}

	private step(n: number): number {
		this.at += n;
		return this.at - n;
	}

	u8(): number {
		return this.view.getUint8(this.step(1));
	}

	u32(): number {
		return this.view.getUint32(this.step(4));
	}

	private wide(): number {
		const at = this.step(8);
		return this.view.getUint32(at) * HIGH + this.view.getUint32(at + 4);
	}

	u64(): number {
		const x = this.wide();
		if (!Number.isSafeInteger(x)) throw new RangeError('a number that JavaScript cannot hold');
		return x;
	}

	// An upper bound, which may be the largest number that the core knows.
	bound(): number {
		return Math.min(this.wide(), Number.MAX_SAFE_INTEGER);
	}

	raw(n: number): Bytes {
		if (n > this.all.length - this.at) throw new RangeError('the core said too little');
		const at = this.step(n);
		return this.all.slice(at, at + n);
	}

	bytes(): Bytes {
		return this.raw(this.u32());
	}

	text(): string {
		return new TextDecoder().decode(this.bytes());
	}

	word(): string {
		return new TextDecoder().decode(this.raw(this.u8()));
	}
}
