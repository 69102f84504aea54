// Bundles a test of this folder with the sources that it tests, and runs it; its TAP is ours.
// Usage: node run.mjs NAME_test.mjs        or, to bundle only: node run.mjs NAME.mjs OUT
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [, , name, out] = process.argv;

async function builder() {
	try {
		await import('fake-indexeddb');
		return (await import('../../../web/node_modules/esbuild/lib/main.js')).build;
	} catch (e) {
		if (e.code !== 'ERR_MODULE_NOT_FOUND')
			throw e;
		console.log('1..0 # SKIP npm packages are missing: tools/bootstrap test fetches them');
		return process.exit(0);
	}
}

async function bundle(outfile) {
	const build = await builder();
	await build({
		entryPoints: [join(here, name)],
		outfile,
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node18',
		logLevel: 'warning',
		banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
	});
}

if (out !== undefined) {
	await bundle(out);
} else {
	const folder = await mkdtemp(join(tmpdir(), 'tacit-web-'));
	process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
	const script = join(folder, 'test.mjs');
	await bundle(script);
	await import(pathToFileURL(script).href);
}
