// embed.mjs - the files of the app as one object for the linker: server/web/web.h says of what form.
//
// bundle.bin is all bytes one after the other, bundle.S takes them in whole (fast, and the same for
// gcc and clang), bundle.c is the table of what lies where.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { extname, resolve, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const TYPES = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.json': 'application/json',
	'.svg': 'image/svg+xml',
	'.png': 'image/png',
	'.txt': 'text/plain; charset=utf-8',
	'.wasm': 'application/wasm',
	'.webmanifest': 'application/manifest+json',
};

function codings(bytes) {
	const brotli = brotliCompressSync(bytes, {
		params: {
			[constants.BROTLI_PARAM_QUALITY]: 11,
			[constants.BROTLI_PARAM_LGWIN]: 22,
			[constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
		},
	});
	const gzip = gzipSync(bytes, { level: 9 });
	const smaller = (coded) => (coded.length < bytes.length ? coded : null);
	return [bytes, smaller(gzip), smaller(brotli)]; // in the order of enum web_coding
}

function typeOf(name) {
	const type = TYPES[extname(name)];
	if (type === undefined) throw new Error(`${name}: of no known type`);
	return type;
}

// Pages have no name of a file in their address.
export function addressOf(name) {
	return `/${name === 'index.html' ? '' : name.replace(/\.html$/, '')}`;
}

function entry(file, parts) {
	const page = file.name.endsWith('.html');
	const path = addressOf(file.name);
	const tag = createHash('sha256').update(file.bytes).digest('hex').slice(0, 32);
	return `\t{"${path}", "${typeOf(file.name)}", "${tag}", ${file.immutable}, ${page},\n\t\t{${parts.join(', ')}}},\n`;
}

export function embed(files, hash, folder) {
	const all = [];
	let at = 0;
	const add = (bytes) => {
		if (bytes === null) return '{0, 0}';
		const part = `{tacit_web_bytes + ${at}, ${bytes.length}}`;
		all.push(bytes);
		at += bytes.length;
		return part;
	};
	const entries = files.map((file) => entry(file, codings(file.bytes).map(add)));
	const binary = resolve(join(folder, 'bundle.bin'));
	writeFileSync(binary, Buffer.concat(all));
	writeFileSync(join(folder, 'bundle.S'), `\t.section .rodata
	.globl tacit_web_bytes
	.hidden tacit_web_bytes
	.type tacit_web_bytes, %object
tacit_web_bytes:
	.incbin ${JSON.stringify(binary)}
	.size tacit_web_bytes, . - tacit_web_bytes
	.section .note.GNU-stack, "", %progbits
`);
	writeFileSync(join(folder, 'bundle.c'), `#include "server/web/web.h"

extern const uint8_t tacit_web_bytes[];
static const struct web_file files[] = {
${entries.join('')}};
static const struct web_bundle bundle = {"${hash}", files, sizeof(files) / sizeof(files[0])};

const struct web_bundle *web_bundle(void)
{
	return &bundle;
}
`);
}
