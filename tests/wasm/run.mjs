// Runs one of the programs of tests/wasm/meson.build: node tests/wasm/run.mjs PROGRAM.wasm [ARGUMENT]...
// An argument that is a folder is what the program may read, and nothing else of the machine.
import { webcrypto } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Machine } from './machine.mjs';

globalThis.crypto ??= webcrypto; // Node 18

const [program, ...args] = process.argv.slice(2);
const folder = args.find((arg) => existsSync(arg));
const files = {};
if (folder !== undefined)
	for (const name of readdirSync(folder, { recursive: true }))
		if (statSync(join(folder, name)).isFile()) files[name] = readFileSync(join(folder, name));
const machine = new Machine({
	args: [basename(program, '.wasm'), ...args],
	folder,
	files,
	print: (text, where) => (where === 'out' ? process.stdout : process.stderr).write(text),
});
process.exitCode = machine.run(new WebAssembly.Module(readFileSync(program)));
