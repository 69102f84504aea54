// The pages for transfers without an account: where what comes is put, and how bytes leave.
import { Calls } from '../../../web/src/transfer/calls.ts';
import { chooseSink } from '../../../web/src/transfer/sink.ts';
import { Zip } from '../../../web/src/transfer/zip.ts';
import { assert, main, test } from './tap.mjs';

const WAIT_MS = 30000;

function file(path, size) {
	return { folder: false, size, modified: 0, path };
}

function folder(path) {
	return { folder: true, size: 0, modified: 0, path };
}

// What it rejects with; a promise that is never settled is a failure.
function problemOf(promise) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error('it goes on for ever')), WAIT_MS);
		promise.then(() => reject(new Error('it should fail')), resolve).finally(() => clearTimeout(timer));
	});
}

// --- a folder as a browser has it -----------------------------------------------------------------

class Folder {
	inside = new Map();

	#find(name, create, kind) {
		if (name.endsWith('.lnk')) throw new TypeError('Name is not allowed.');
		if (!this.inside.has(name)) {
			if (!create) throw new DOMException('', 'NotFoundError');
			this.inside.set(name, kind === 'folder' ? new Folder() : { bytes: [] });
		}
		const found = this.inside.get(name);
		if ((found instanceof Folder) !== (kind === 'folder')) throw new DOMException('', 'TypeMismatchError');
		return found;
	}

	async getDirectoryHandle(name, { create = false } = {}) {
		return this.#find(name, create, 'folder');
	}

	async getFileHandle(name, { create = false } = {}) {
		const { bytes } = this.#find(name, create, 'file');
		const write = async (piece) => void bytes.push(...piece);
		return { createWritable: async () => ({ write, close: async () => undefined, abort: async () => undefined }) };
	}

	async removeEntry(name) {
		if (!this.inside.delete(name)) throw new DOMException('', 'NotFoundError');
	}
}

async function sinkInto(root, entries) {
	globalThis.showDirectoryPicker = async () => root;
	const total = entries.reduce((n, entry) => n + entry.size, 0);
	return chooseSink({ kind: 'files', total, entries });
}

test('what comes into a folder replaces nothing that is there', async () => {
	const root = new Folder();
	await root.getFileHandle('a', { create: true });
	await root.getDirectoryHandle('b', { create: true });
	const sink = await sinkInto(root, [file('a', 1), folder('b'), file('b/c', 2)]);
	await sink.write(Uint8Array.of(1, 2, 3));
	await sink.close();
	assert.deepEqual([...root.inside.keys()], ['a', 'b', 'a (2)', 'b (2)']);
	assert.deepEqual(root.inside.get('a').bytes, []);
	assert.equal(root.inside.get('b').inside.size, 0);
	assert.deepEqual(root.inside.get('a (2)').bytes, [1]);
	assert.deepEqual(root.inside.get('b (2)').inside.get('c').bytes, [2, 3]);
});

test('a name that the browser does not take ends it, and nothing of it stays', async () => {
	const root = new Folder();
	await root.getFileHandle('mine', { create: true });
	const sink = await sinkInto(root, [file('a', 1), file('b', 1), file('c.lnk', 1)]);
	await sink.write(Uint8Array.of(1, 2));
	const why = await problemOf(sink.write(Uint8Array.of(3)));
	assert.ok(why instanceof TypeError);
	root.inside.delete('a'); // the person was quicker
	await sink.abort();
	assert.deepEqual([...root.inside.keys()], ['mine']);
});

// --- a ZIP ------------------------------------------------------------------------------------------

test('a ZIP that finds no room ends what is written into it, and what is written later', async () => {
	const entries = [folder('d'), file('d/a', 1_000_000), file('d/b', 10)];
	let taken = 0;
	const zip = new Zip(entries, new WritableStream({
		write: (bytes) => {
			taken += bytes.length;
			if (taken > 300_000) throw new Error('full');
		},
	}));
	const out = zip.open(entries[1]);
	const pour = async () => {
		for (let i = 0; i < 10; i++) await out.write(new Uint8Array(100_000));
	};
	assert.equal((await problemOf(pour())).message, 'full');
	assert.equal((await problemOf(zip.open(entries[2]).write(new Uint8Array(10)))).message, 'full');
	assert.equal((await problemOf(zip.close())).message, 'full');
	await zip.abort();
});

// --- bytes to the server ----------------------------------------------------------------------------

class Request {
	upload = {};
	status = 0;

	open() {}

	setRequestHeader() {}

	send() {
		this.status = 204;
		queueMicrotask(() => this.onloadend());
	}

	abort() {
		this.onloadend();
	}
}

test('a part that has left is held by nothing', async () => {
	const { signal } = new AbortController();
	const heard = new Set();
	signal.addEventListener = (_, listener) => void heard.add(listener);
	signal.removeEventListener = (_, listener) => void heard.delete(listener);
	globalThis.XMLHttpRequest = Request;
	const part = Calls.part('id', 'token', 0, new Uint8Array(8), () => undefined, signal);
	assert.equal(heard.size, 1, 'it can be cancelled');
	assert.equal(await part, 204);
	assert.equal(heard.size, 0);
});

await main();
