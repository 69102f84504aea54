// worker.mjs - runs one program of tests/wasm/meson.build in a browser's worker.
// In: {program, args, folder, files}, addresses below this one. Out: {status, out}.
import { Machine } from './machine.mjs';

async function read(address) {
	return new Uint8Array(await (await fetch(address)).arrayBuffer());
}

addEventListener('message', async ({ data: { program, args, folder, files } }) => {
	let out = '';
	try {
		const module = await WebAssembly.compileStreaming(fetch(program));
		const kept = {};
		for (const name of files) kept[name] = await read(`files/${name}`);
		const print = (text) => {
			out += text;
		};
		postMessage({ status: new Machine({ args, folder, files: kept, print }).run(module), out });
	} catch (e) {
		postMessage({ status: String(e.stack ?? e), out });
	}
});
