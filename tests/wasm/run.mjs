// Runs one of the programs of tests/wasm/meson.build: node tests/wasm/run.mjs PROGRAM.wasm [ARGUMENT]...
// An argument that is a folder is what the program may read, and nothing else of the machine.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { WASI } from 'node:wasi';

const [program, ...given] = process.argv.slice(2);
const preopens = Object.fromEntries(given.filter((a) => existsSync(a)).map((a) => [a, a]));
const wasi = new WASI({ version: 'preview1', args: [basename(program, '.wasm'), ...given], preopens });
// Called through functions of ours: V8's short way into Node's own (20.x) takes memory that has grown
// for what it was, and crashes.
const machine = Object.fromEntries(
	Object.entries(wasi.wasiImport).map(([name, call]) => [name, (...args) => call(...args)]),
);
let memory;
const { instance } = await WebAssembly.instantiate(await readFile(program), {
	wasi_snapshot_preview1: machine,
	tacit: {
		random: (at, n) => {
			for (let done = 0; done < n; done += 65536)
				crypto.getRandomValues(new Uint8Array(memory.buffer, at + done, Math.min(65536, n - done)));
		},
		now: () => Math.floor(Date.now() / 1000),
	},
});
memory = instance.exports.memory;
process.exitCode = wasi.start(instance);
