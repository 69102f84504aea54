// machine.mjs - the small machine that the programs of tests/wasm/meson.build run on, in Node and in a
// browser's worker alike: arguments, what is printed, files that are only read. Of WASI (preview 1)
// only what these programs ask for; they fail to start when they ask for more.
const BAD_FILE = 8;
const NO_ENTRY = 44;
const STDOUT = 1;
const ROOT = 3; // the folder that was opened for the program
const IS_FOLDER = 3;
const IS_FILE = 4;

class Exit {
	constructor(code) {
		this.code = code;
	}
}

// files: {path below the folder: bytes}. print: takes what is printed, text by text.
export class Machine {
	constructor({ args, folder, files = {}, print }) {
		this.args = args.map((arg) => new TextEncoder().encode(`${arg}\0`));
		this.folder = new TextEncoder().encode(folder ?? '');
		this.files = files;
		this.print = print;
		this.open = new Map(folder === undefined ? [] : [[ROOT, { path: '', at: 0 }]]);
		this.next = ROOT + 1;
		this.decoder = new TextDecoder();
	}

	get view() {
		return new DataView(this.memory.buffer);
	}

	bytes(at, n) {
		return new Uint8Array(this.memory.buffer, at, n);
	}

	// [place, length] of each piece.
	pieces(at, count) {
		const view = this.view;
		return Array.from({ length: count }, (_, i) => [
			view.getUint32(at + 8 * i, true),
			view.getUint32(at + 8 * i + 4, true),
		]);
	}

	join(fd, at, n) {
		const below = new TextDecoder().decode(this.bytes(at, n)).split('/').filter((part) => part !== '' && part !== '.');
		const above = this.open.get(fd).path;
		return [...(above === '' ? [] : [above]), ...below].join('/');
	}

	names(path) {
		const start = path === '' ? '' : `${path}/`;
		const below = Object.keys(this.files).filter((name) => name.startsWith(start));
		return [...new Set(below.map((name) => name.slice(start.length).split('/')[0]))];
	}

	kind(path) {
		if (this.files[path] !== undefined) return IS_FILE;
		return path === '' || this.names(path).length > 0 ? IS_FOLDER : undefined;
	}

	// --- the calls ---

	args_sizes_get(count, size) {
		this.view.setUint32(count, this.args.length, true);
		this.view.setUint32(size, this.args.reduce((n, arg) => n + arg.length, 0), true);
		return 0;
	}

	args_get(list, room) {
		for (const [i, arg] of this.args.entries()) {
			this.view.setUint32(list + 4 * i, room, true);
			this.bytes(room, arg.length).set(arg);
			room += arg.length;
		}
		return 0;
	}

	clock_time_get(_clock, _precision, out) {
		this.view.setBigUint64(out, BigInt(Date.now()) * 1_000_000n, true);
		return 0;
	}

	proc_exit(code) {
		throw new Exit(code);
	}

	fd_prestat_get(fd, out) {
		if (fd !== ROOT || !this.open.has(fd)) return BAD_FILE;
		this.view.setUint32(out, 0, true);
		this.view.setUint32(out + 4, this.folder.length, true);
		return 0;
	}

	fd_prestat_dir_name(_fd, at, n) {
		this.bytes(at, n).set(this.folder.subarray(0, n));
		return 0;
	}

	fd_fdstat_get(fd, out) {
		this.bytes(out, 24).fill(0);
		this.view.setUint8(out, fd < ROOT ? 2 : this.kind(this.open.get(fd).path));
		this.view.setBigUint64(out + 8, ~0n & 0xffffffffffffffffn, true);
		this.view.setBigUint64(out + 16, ~0n & 0xffffffffffffffffn, true);
		return 0;
	}

	fd_fdstat_set_flags() {
		return 0;
	}

	path_filestat_get(fd, _flags, at, n, out) {
		const path = this.join(fd, at, n);
		const kind = this.kind(path);
		if (kind === undefined) return NO_ENTRY;
		this.bytes(out, 64).fill(0);
		this.view.setUint8(out + 16, kind);
		this.view.setBigUint64(out + 32, BigInt(this.files[path]?.length ?? 0), true);
		return 0;
	}

	path_open(fd, _look, at, n, _how, _rights, _inherited, _flags, out) {
		const path = this.join(fd, at, n);
		if (this.kind(path) === undefined) return NO_ENTRY;
		this.open.set(this.next, { path, at: 0 });
		this.view.setUint32(out, this.next++, true);
		return 0;
	}

	fd_close(fd) {
		return this.open.delete(fd) || fd < ROOT ? 0 : BAD_FILE;
	}

	fd_read(fd, list, count, out) {
		const file = this.open.get(fd);
		if (file === undefined) return BAD_FILE;
		const all = this.files[file.path];
		let total = 0;
		for (const [at, n] of this.pieces(list, count)) {
			const piece = all.subarray(file.at, file.at + n);
			this.bytes(at, piece.length).set(piece);
			file.at += piece.length;
			total += piece.length;
		}
		this.view.setUint32(out, total, true);
		return 0;
	}

	fd_seek(fd, offset, whence, out) {
		const file = this.open.get(fd);
		if (file === undefined) return BAD_FILE;
		file.at = Number(offset) + [0, file.at, this.files[file.path].length][whence];
		this.view.setBigUint64(out, BigInt(file.at), true);
		return 0;
	}

	fd_readdir(fd, room, size, cookie, out) {
		const path = this.open.get(fd).path;
		let used = 0;
		for (const [i, name] of [...this.names(path).entries()].slice(Number(cookie))) {
			const text = new TextEncoder().encode(name);
			const entry = new Uint8Array(24 + text.length);
			const view = new DataView(entry.buffer);
			view.setBigUint64(0, BigInt(i + 1), true);
			view.setUint32(16, text.length, true);
			view.setUint8(20, this.kind(path === '' ? name : `${path}/${name}`));
			entry.set(text, 24);
			const fits = entry.subarray(0, size - used);
			this.bytes(room + used, fits.length).set(fits);
			used += fits.length;
			if (fits.length < entry.length) break;
		}
		this.view.setUint32(out, used, true);
		return 0;
	}

	fd_write(fd, list, count, out) {
		let total = 0;
		for (const [at, n] of this.pieces(list, count)) {
			this.print(this.decoder.decode(this.bytes(at, n), { stream: true }), fd === STDOUT ? 'out' : 'error');
			total += n;
		}
		this.view.setUint32(out, total, true);
		return 0;
	}

	// --- running ---

	imports(module) {
		const calls = {};
		for (const { module: from, name } of WebAssembly.Module.imports(module))
			if (from === 'wasi_snapshot_preview1') {
				if (typeof this[name] !== 'function') throw new Error(`the program asks for ${name}`);
				calls[name] = (...args) => this[name](...args);
			}
		return {
			wasi_snapshot_preview1: calls,
			tacit: {
				random: (at, n) => {
					for (let i = 0; i < n; i += 65536)
						crypto.getRandomValues(this.bytes(at + i, Math.min(65536, n - i)));
				},
				now: () => Math.floor(Date.now() / 1000),
			},
		};
	}

	// The exit status.
	run(module) {
		const instance = new WebAssembly.Instance(module, this.imports(module));
		this.memory = instance.exports.memory;
		try {
			instance.exports._start();
			return 0;
		} catch (e) {
			if (e instanceof Exit) return e.code;
			throw e;
		}
	}
}
