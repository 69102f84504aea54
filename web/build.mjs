// build.mjs - from web/src and the WebAssembly module to the files that tacitd hands out.
//
//   node web/build.mjs --wasm FILE --parcel FILE --version TEXT --out DIR [--depfile FILE --target NAME]
//
// DIR/app holds the files as browsers get them; DIR/bundle.{bin,S,c} is what is linked into tacitd:
// every file in each coding that makes it smaller. The same sources give the same bytes wherever
// they lie: nothing here looks at a clock, a path outside of the project, or the order of a folder.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { addressOf, embed } from './embed.mjs';

const WEB = dirname(fileURLToPath(import.meta.url));
const { values: given } = parseArgs({
	options: {
		wasm: { type: 'string' },
		parcel: { type: 'string' },
		version: { type: 'string' },
		out: { type: 'string' },
		depfile: { type: 'string' },
		target: { type: 'string' },
	},
});

const inputs = new Set();
const files = []; // { name, bytes, immutable }

function digest(algorithm, bytes, coding) {
	return createHash(algorithm).update(bytes).digest(coding);
}

function integrity(bytes) {
	return `sha384-${digest('sha384', bytes, 'base64')}`;
}

function read(path) {
	inputs.add(path);
	return readFileSync(path);
}

// Adds a file whose name tells its bytes; gives back its address.
function addHashed(stem, extension, bytes) {
	const name = `assets/${stem}-${digest('sha256', bytes, 'hex').slice(0, 16)}.${extension}`;
	files.push({ name, bytes, immutable: true });
	return `/${name}`;
}

function addPlain(name, text) {
	files.push({ name, bytes: Buffer.from(text), immutable: false });
}

// One entry as one script, and the style that it imports.
async function bundle(entry, format, define) {
	const done = await build({
		entryPoints: [join(WEB, 'src', entry)],
		absWorkingDir: WEB,
		outdir: 'out',
		bundle: true,
		write: false,
		minify: true,
		format,
		target: 'es2022',
		charset: 'utf8',
		legalComments: 'none',
		metafile: true,
		logLevel: 'warning',
		jsx: 'automatic',
		jsxImportSource: 'preact',
		loader: { '.svg': 'text' },
		define: { 'process.env.NODE_ENV': '"production"', ...define },
	});
	for (const input of Object.keys(done.metafile.inputs)) inputs.add(join(WEB, input));
	const part = (end) => done.outputFiles.find((file) => file.path.endsWith(end));
	return { script: Buffer.from(part('.js').contents), style: part('.css') };
}

function constants(table) {
	return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, JSON.stringify(value)]));
}

// The template's {{names}}; one that is not known is an error.
function fill(template, table) {
	return template.replace(/\{\{(\w+)\}\}/g, (_, name) => {
		if (table[name] === undefined) throw new Error(`a page: {{${name}}} is nothing`);
		return table[name];
	});
}

function addIcons() {
	const icon = (name) => read(join(WEB, 'icons', name));
	const sized = (size, purpose) => ({
		src: addHashed(`icon-${size}`, 'png', icon(`icon-${size}.png`)),
		sizes: `${size}x${size}`,
		type: 'image/png',
		purpose,
	});
	const drawn = addHashed('icon', 'svg', icon('icon.svg'));
	const touch = addHashed('icon-180', 'png', icon('icon-180.png'));
	const list = [
		{ src: drawn, sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
		sized(192, 'any'),
		sized(512, 'any maskable'),
	];
	return { drawn, touch, list };
}

// The pages /s and /r: apart from the app, which neither loads nor keeps anything of them.
async function addTransferPages(icon) {
	const module = read(given.parcel);
	const wasm = addHashed('parcel', 'wasm', module);
	const known = { TACIT_WASM: wasm, TACIT_WASM_INTEGRITY: integrity(module), TACIT_WORKER: '', TACIT_CODES: '' };
	const { script, style } = await bundle('transfer/main.tsx', 'esm', constants(known));
	const page = fill(read(join(WEB, 'transfer.html')).toString(), {
		app: addHashed('transfer', 'js', script),
		appIntegrity: integrity(script),
		style: addHashed('transfer', 'css', Buffer.from(style.contents)),
		styleIntegrity: integrity(style.contents),
		wasm,
		icon,
	});
	for (const name of ['r.html', 's.html']) addPlain(name, page);
}

async function makeFiles() {
	const module = read(given.wasm);
	const wasm = addHashed('tacit', 'wasm', module);
	const known = {
		TACIT_WASM: wasm, TACIT_WASM_INTEGRITY: integrity(module), TACIT_WORKER: '', TACIT_CODES: '', TACIT_SHELL: '',
	};
	const worker = await bundle('core/worker.ts', 'iife', constants(known));
	known.TACIT_WORKER = addHashed('worker', 'js', worker.script);
	const codes = await bundle('scan/codes.ts', 'iife', constants(known));
	known.TACIT_CODES = addHashed('codes', 'js', codes.script);
	const boot = await bundle('boot.ts', 'iife', constants(known));
	const app = await bundle('ui/main.tsx', 'esm', constants(known));
	const icons = addIcons();
	const manifest = { ...JSON.parse(read(join(WEB, 'manifest.json'))), icons: icons.list };
	addPlain('manifest.webmanifest', JSON.stringify(manifest));
	addPlain('index.html', fill(read(join(WEB, 'index.html')).toString(), {
		boot: addHashed('boot', 'js', boot.script),
		bootIntegrity: integrity(boot.script),
		app: addHashed('app', 'js', app.script),
		appIntegrity: integrity(app.script),
		style: addHashed('style', 'css', Buffer.from(app.style.contents)),
		styleIntegrity: integrity(app.style.contents),
		wasm, // its worker asks for it two scripts later, and then has it
		icon: icons.drawn,
		touchIcon: icons.touch,
	}));
	// What the app needs without a network, at once or later; its hash names this version of the shell.
	const shell = files.map((file) => [addressOf(file.name), integrity(file.bytes)]).sort();
	const isLater = ([address]) => address === known.TACIT_CODES;
	await addTransferPages(icons.drawn);
	known.TACIT_SHELL = {
		version: digest('sha256', JSON.stringify(shell), 'hex').slice(0, 16),
		files: shell.filter((file) => !isLater(file)),
		later: shell.filter(isLater),
	};
	addPlain('sw.js', (await bundle('sw.ts', 'iife', constants(known))).script);
}

// docs/operating.md, "What the server hands out": the very list that sha256sum prints.
function hashOfAll() {
	const lines = files.map((file) => `${digest('sha256', file.bytes, 'hex')}  ${file.name}\n`);
	return digest('sha256', lines.join(''), 'hex');
}

function describe(hash) {
	const list = files.map((file) => ({
		path: addressOf(file.name),
		name: file.name,
		sha256: digest('sha256', file.bytes, 'hex'),
		size: file.bytes.length,
	}));
	return `${JSON.stringify({ version: given.version, hash, files: list }, null, '\t')}\n`;
}

function writeDepfile() {
	const escaped = [...inputs].sort().map((path) => path.replaceAll(' ', '\\ '));
	writeFileSync(given.depfile, `${given.target}: ${escaped.join(' ')}\n`);
}

for (const own of ['build.mjs', 'embed.mjs', 'package-lock.json']) inputs.add(join(WEB, own));
await makeFiles();
files.sort((a, b) => (a.name < b.name ? -1 : 1));
const hash = hashOfAll();
addPlain('.well-known/tacit-web.json', describe(hash));
const folder = join(given.out, 'app');
rmSync(folder, { recursive: true, force: true });
for (const file of files) {
	mkdirSync(dirname(join(folder, file.name)), { recursive: true });
	writeFileSync(join(folder, file.name), file.bytes);
}
embed(files, hash, given.out);
if (given.depfile !== undefined) writeDepfile();
