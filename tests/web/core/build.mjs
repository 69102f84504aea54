// Bundles a test with the sources that it tests, so that Node can run it. Usage: node build.mjs IN OUT
import { build } from '../../../web/node_modules/esbuild/lib/main.js';

const [, , entry, outfile] = process.argv;
await build({
	entryPoints: [entry],
	outfile,
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'node18',
	logLevel: 'warning',
	banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
