// module.ts - one instance of the WebAssembly module: its memory, its calls, its answers
// (wasm/abi.h). It gets randomness and the time from here, and nothing else.
import { EngineError } from './engine.js';
import type { Bytes } from './bytes.js';

type Call = (...args: (number | bigint)[]) => unknown;

const RANDOM_AT_ONCE = 65_536; // what crypto.getRandomValues gives in one piece
const STDERR = 2;
const WASI = 'wasi_snapshot_preview1';

// What wasi-libc would ask of a machine, whatever its version names. Only a bug of the core's speaks
// (core/base/err.c), and ends it; everything else is a call that must not be.
function machine(module: WebAssembly.Module, memory: () => ArrayBuffer): WebAssembly.ModuleImports {
	let said = '';
	const none = (name: string) => (): never => {
		throw new Error(`the core asked the machine for ${name}${said === '' ? '' : `: ${said}`}`);
	};
	const write = (file: number, pieces: number, count: number, written: number): number => {
		if (file !== STDERR) return none('fd_write')();
		const view = new DataView(memory());
		let total = 0;
		for (let i = 0; i < count; i++) {
			const at = view.getUint32(pieces + 8 * i, true);
			const n = view.getUint32(pieces + 8 * i + 4, true);
			said += new TextDecoder().decode(new Uint8Array(memory(), at, n));
			total += n;
		}
		view.setUint32(written, total, true);
		return 0;
	};
	const calls: WebAssembly.ModuleImports = {};
	for (const { module: from, name } of WebAssembly.Module.imports(module))
		if (from === WASI) calls[name] = name === 'fd_write' ? write : none(name);
	return calls;
}

// Bytes in the module's memory, wiped when they are given back.
export class Room {
	constructor(
		private readonly core: Core,
		readonly at: number,
		readonly size: number,
	) {}

	// Holds for as long as nothing is called.
	view(): Bytes {
		return new Uint8Array(this.core.memory(), this.at, this.size);
	}

	free(): void {
		this.core.call('free', this.at, this.size);
	}
}

export class Core {
	private readonly exports: WebAssembly.Exports;
	private broken = false;

	constructor(module: WebAssembly.Module) {
		this.exports = new WebAssembly.Instance(module, {
			tacit: {
				random: (at: number, n: number) => {
					for (let i = 0; i < n; i += RANDOM_AT_ONCE)
						crypto.getRandomValues(
							new Uint8Array(this.memory(), at + i, Math.min(RANDOM_AT_ONCE, n - i)),
						);
				},
				now: () => Math.floor(Date.now() / 1000),
			},
			[WASI]: machine(module, () => this.memory()),
		}).exports;
		this.call('_initialize');
	}

	// A call did not come back as it should: what is in the memory means nothing any more.
	get isBroken(): boolean {
		return this.broken;
	}

	memory(): ArrayBuffer {
		return (this.exports['memory'] as WebAssembly.Memory).buffer;
	}

	call(name: string, ...args: (number | bigint)[]): unknown {
		if (this.broken) throw new EngineError('NOMEM');
		try {
			return (this.exports[name] as Call)(...args);
		} catch (e) {
			this.broken = true;
			throw e;
		}
	}

	number(name: string, ...args: (number | bigint)[]): number {
		return this.call(name, ...args) as number;
	}

	// A call that can fail; gives back its answer.
	ask(name: string, ...args: (number | bigint)[]): Bytes {
		const error = this.number(name, ...args);
		if (error !== 0) {
			this.call('answer_wipe');
			throw new EngineError(this.tell('error_name', error), this.tell('error_text', error));
		}
		return this.takeAnswer();
	}

	private takeAnswer(): Bytes {
		const at = this.number('answer') >>> 0;
		const answer = new Uint8Array(this.memory(), at, this.number('answer_size') >>> 0).slice();
		this.call('answer_wipe');
		return answer;
	}

	private tell(name: string, error: number): string {
		return this.number(name, error) === 0 ? new TextDecoder().decode(this.takeAnswer()) : 'NOMEM';
	}

	room(size: number): Room {
		const at = this.number('alloc', size) >>> 0;
		if (at === 0) throw new EngineError('NOMEM');
		return new Room(this, at, size);
	}

	// The same with bytes as the last two arguments, their place and their number.
	askWith(name: string, before: (number | bigint)[], bytes: Uint8Array): Bytes {
		const room = this.room(bytes.length);
		try {
			room.view().set(bytes);
			return this.ask(name, ...before, room.at, bytes.length);
		} finally {
			if (!this.broken) room.free();
		}
	}
}
