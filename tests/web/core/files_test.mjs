// Uploads and downloads against a server in this process that keeps its word, or does not.
import { createHash } from 'node:crypto';
import { ProblemError } from '../../../web/src/core/problem.ts';
import { download } from '../../../web/src/core/download.ts';
import { upload, uploadForget } from '../../../web/src/core/upload.ts';
import { assert, main, rejects, test } from './tap.mjs';

const CHUNK = 64 * 1024;
const TAG = 16;
const MIB = 1024 * 1024;

// --- the core's side, in the shape of core/e2e/file_stream.h -------------------------------------

class Desk {
	notes = new Map();
	files = new Map();
	count = 0;
	version = 2;

	add(key, header) {
		const token = `token-${++this.count}`;
		this.files.set(token, { key, header, digest: new Uint8Array() });
		return token;
	}

	async fileNew() {
		const header = crypto.getRandomValues(new Uint8Array(32));
		header[6] = this.version;
		return this.add(crypto.getRandomValues(new Uint8Array(32)), header);
	}

	async fileKept(token) {
		const { key, header } = this.files.get(token);
		return Uint8Array.from([...key, ...header]);
	}

	async fileAgain(kept) {
		return this.add(kept.slice(0, 32), kept.slice(32));
	}

	async fileHeader(token) {
		return this.files.get(token).header;
	}

	async fileStream(token, header) {
		return {
			chunkBytes: CHUNK,
			key: this.files.get(token).key.slice(),
			leaves: header[6] === 2,
			additionalData: header,
			nonces(first, last, until) {
				const nonces = new Uint8Array(12 * (until - first));
				for (let i = first, at = 0; i < until; i++, at += 12) {
					new DataView(nonces.buffer).setUint32(at + 7, i);
					nonces[at + 11] = i === last ? 1 : 0;
				}
				return nonces;
			},
		};
	}

	async fileDigest(header) {
		const hash = createHash('sha256').update(header[6] === 2 ? 'tacit file v2' : '').update(header);
		const soFar = () => new Uint8Array(hash.copy().digest());
		const hold = (to) => {
			if (hex(soFar()) !== hex(to))
				throw new ProblemError('BAD_SEAL');
		};
		return {
			soFar,
			feed(bytes) {
				assert.ok(header[6] === 1 || bytes.length % 32 === 0);
				hash.update(bytes);
			},
			check: hold,
			seal: (token) => void (this.files.get(token).digest = soFar()),
			prove: (token) => hold(this.files.get(token).digest),
			free() {},
		};
	}

	async noteGet(name) {
		return this.notes.get(name) ?? null;
	}

	async notePut(name, value) {
		if (value.length === 0)
			this.notes.delete(name);
		else
			this.notes.set(name, value.slice());
	}
}

// --- the server ----------------------------------------------------------------------------------

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const hex = (bytes) => Buffer.from(bytes).toString('hex');

function* blocks(bytes, size) {
	for (let at = 0; at < bytes.length; at += size)
		yield bytes.subarray(at, at + size);
}

// By what docs/protocol.md says of a file of version 2.
function digestOf(sealed) {
	const leaves = [...blocks(sealed.subarray(32), CHUNK + TAG)].map(sha256);
	return hex(sha256(Buffer.concat([Buffer.from('tacit file v2'), sealed.subarray(0, 32), ...leaves])));
}

// Upload-Checksum as the server reads it.
function fits(checksum, body) {
	const [, size, sum] = /^sha256-blocks-(\d+) (.*)$/.exec(checksum);
	return sha256(Buffer.concat([...blocks(body, Number(size))].map(sha256))).toString('base64') === sum;
}

class TusServer {
	uploads = new Map();
	count = 0;
	requests = [];
	beforePatch = () => undefined; // (upload, body) -> Response, or throws, or nothing
	answer(status, headers = {}, body = null) {
		return new Response(body, { status, headers });
	}

	fetch = async (path, init) => {
		this.requests.push(`${init.method} ${path}`);
		init.signal.throwIfAborted();
		const id = path.split('/').at(-1);
		if (init.method === 'POST')
			return this.create(Number(init.headers['Upload-Length']), init.body);
		const u = this.uploads.get(id);
		if (u === undefined)
			return this.answer(404, {}, '{"error":"No such upload","code":"NOT_FOUND"}');
		if (init.method === 'HEAD')
			return this.answer(200, { 'Upload-Offset': String(u.bytes.length) });
		if (init.method === 'DELETE') {
			this.uploads.delete(id);
			return this.answer(204);
		}
		return this.patch(u, Number(init.headers['Upload-Offset']), init.headers['Upload-Checksum'], init.body);
	};

	create(length, body) {
		const id = `up-${++this.count}`;
		assert.equal(body.length, 32);
		this.uploads.set(id, { length, bytes: Buffer.from(body) });
		return this.answer(201, { Location: `/api/files/tus/${id}` });
	}

	patch(u, offset, checksum, sent) {
		const body = Buffer.from(sent);
		const instead = this.beforePatch(u, body);
		if (instead !== undefined)
			return instead;
		if (offset !== u.bytes.length)
			return this.answer(409);
		if (!fits(checksum, body))
			return this.answer(460);
		u.bytes = Buffer.concat([u.bytes, body]);
		return this.answer(204, { 'Upload-Offset': String(u.bytes.length) });
	}
}

function transferTo(server, desk, signal = new AbortController().signal) {
	const told = [];
	return {
		desk, signal, told,
		platform: {
			fetch: server.fetch,
			monotonic: () => performance.now(),
			after(ms, then) { // retries come at once, patience is endless
				if (ms >= 60000)
					return () => undefined;
				const timer = setImmediate(then);
				return () => clearImmediate(timer);
			},
		},
		progress: (p) => told.push(p),
	};
}

function fileOf(bytes, name = 'a.bin') {
	const part = Buffer.alloc(bytes);
	for (let i = 0; i < bytes; i += 4096)
		part.writeUInt32LE((i * 2654435761) >>> 0, Math.min(i, bytes - 4));
	return new File([part], name, { lastModified: 1 });
}

const whatOf = (file) => ({ conversation: 7, file, name: file.name ?? 'a.bin' });

class MemorySink {
	parts = [];
	state = 'open';

	async write(bytes) {
		if (this.fails)
			throw new Error('disk full');
		this.parts.push(Buffer.from(bytes));
	}

	async close() {
		this.state = 'closed';
	}

	async abort() {
		this.state = 'aborted';
	}
}

function refOf(file, sent) {
	return { id: sent.id, name: 'a.bin', type: '', size: file.size, token: sent.token };
}

// Serves what was uploaded; bend may change, cut or break what leaves.
function downloads(server, bend = (part) => part) {
	let tries = 0;
	return {
		fetch: async (path, init) => {
			const bytes = server.uploads.get(path.split('/').at(-2)).bytes;
			const [from, to] = init.headers.Range.slice(6).split('-').map(Number);
			if (from >= bytes.length)
				return new Response('{"error":"too far"}', { status: 416 });
			return new Response(bend(bytes.subarray(from, to + 1), from, ++tries), { status: 206 });
		},
	};
}

async function sendAndFetch(size) {
	const desk = new Desk();
	const server = new TusServer();
	const file = fileOf(Math.max(size, 4)).slice(0, size);
	const t = transferTo(server, desk);
	const sent = await upload(t, whatOf(file));
	const sink = new MemorySink();
	await download({ ...t, ...{ platform: { ...t.platform, ...downloads(server) } } }, refOf(file, sent), sink);
	return { desk, server, file, sent, sink, t };
}

for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 5 * MIB + 3])
	test(`a file of ${size} bytes goes up and comes down as it was`, async () => {
		const { desk, server, file, sent, sink, t } = await sendAndFetch(size);
		const chunks = Math.max(1, Math.ceil(size / CHUNK));
		const stored = server.uploads.get(sent.id).bytes;
		assert.equal(stored.length, 32 + size + chunks * TAG);
		assert.equal(sink.state, 'closed');
		assert.ok(Buffer.concat(sink.parts).equals(Buffer.from(await file.arrayBuffer())));
		assert.equal(hex(desk.files.get(sent.token).digest), digestOf(stored));
		assert.deepEqual(t.told.at(-1), { done: stored.length, total: stored.length });
	});

test('an upload that lost its connection goes on in the same run', async () => {
	const desk = new Desk();
	const server = new TusServer();
	let broken = 0;
	server.beforePatch = (u, body) => {
		if (u.bytes.length < 600_000 || broken++ > 3)
			return undefined;
		if (broken % 2 === 0) // some whole chunks have come, though the server should not count them
			u.bytes = Buffer.concat([u.bytes, body.subarray(0, CHUNK + TAG)]);
		throw new TypeError('connection lost');
	};
	const file = fileOf(4 * MIB);
	const sent = await upload(transferTo(server, desk), whatOf(file));
	assert.equal(server.count, 1);
	assert.ok(broken > 3);
	assert.equal(hex(desk.files.get(sent.token).digest), digestOf(server.uploads.get(sent.id).bytes));
});

test('an upload gets on over a connection that lets little through at a time', async () => {
	const desk = new Desk();
	const server = new TusServer();
	const file = fileOf(12 * MIB);
	let large = 0;
	server.beforePatch = (u, body) => {
		if (u.bytes.length < 4 * MIB)
			return undefined;
		if (body.length > 300_000) {
			large++;
			throw new TypeError('connection lost');
		}
		return undefined;
	};
	const sent = await upload(transferTo(server, desk), whatOf(file));
	assert.ok(large > 0);
	assert.equal(server.count, 1);
	assert.equal(hex(desk.files.get(sent.token).digest), digestOf(server.uploads.get(sent.id).bytes));
});

// Ends an upload in the middle, as a closed window does.
async function interrupted(desk, server, file, after = 1_500_000) {
	const controller = new AbortController();
	server.beforePatch = (u) => {
		if (u.bytes.length < after)
			return undefined;
		controller.abort();
		throw new DOMException('aborted', 'AbortError');
	};
	await rejects(upload(transferTo(server, desk, controller.signal), whatOf(file)), 'CANCELLED');
	server.beforePatch = () => undefined;
}

test('an upload goes on after a reload, and sends nothing twice', async () => {
	const desk = new Desk();
	const server = new TusServer();
	const file = fileOf(6 * MIB + 77);
	await interrupted(desk, server, file);
	assert.equal(desk.notes.size, 1);
	const had = server.uploads.get('up-1').bytes.length;
	const first = [];
	server.beforePatch = (u, body) => void first.push([u.bytes.length, body.length]);
	const sent = await upload(transferTo(server, desk), whatOf(fileOf(6 * MIB + 77)));
	assert.equal(server.count, 1);
	assert.equal(first[0][0], had);
	const sink = new MemorySink();
	const t = transferTo(server, desk);
	await download({ ...t, platform: { ...t.platform, ...downloads(server) } }, refOf(file, sent), sink);
	assert.ok(Buffer.concat(sink.parts).equals(Buffer.from(await file.arrayBuffer())));
	await uploadForget(t, whatOf(file));
	assert.equal(desk.notes.size, 0);
});

test('another file of the same name, size and date is never sealed under the old key', async () => {
	const desk = new Desk();
	const server = new TusServer();
	await interrupted(desk, server, fileOf(6 * MIB));
	const other = Buffer.from(await fileOf(6 * MIB).arrayBuffer());
	other[70_000] ^= 1;
	const file = new File([other], 'a.bin', { lastModified: 1 });
	const before = server.requests.length;
	const sent = await upload(transferTo(server, desk), whatOf(file));
	assert.equal(sent.id, 'up-2');
	assert.ok(!server.requests.slice(before).includes('PATCH /api/files/tus/up-1'));
	assert.ok(server.requests.includes('DELETE /api/files/tus/up-1'));
});

test('two files of the same name, size and date at once have a key each', async () => {
	const desk = new Desk();
	const server = new TusServer();
	const bytes = Buffer.from(await fileOf(2 * MIB).arrayBuffer());
	bytes[70_000] ^= 1;
	const files = [fileOf(2 * MIB), new File([bytes], 'a.bin', { lastModified: 1 })];
	let second;
	const put = desk.notePut;
	desk.notePut = async function (name, value) { // the first has a key, and has sealed nothing yet
		await put.call(this, name, value);
		second ??= upload(transferTo(server, desk), whatOf(files[1]));
		await Promise.race([second, new Promise((resolve) => setImmediate(resolve))]);
	};
	const sent = [await upload(transferTo(server, desk), whatOf(files[0])), await second];
	const keys = sent.map(({ token }) => Buffer.from(desk.files.get(token).key).toString('hex'));
	assert.notEqual(keys[0], keys[1]);
	const t = transferTo(server, desk);
	for (const [i, file] of files.entries()) {
		const sink = new MemorySink();
		await download({ ...t, platform: { ...t.platform, ...downloads(server) } }, refOf(file, sent[i]), sink);
		assert.ok(Buffer.concat(sink.parts).equals(Buffer.from(await file.arrayBuffer())));
	}
});

test('a server that claims to have lost what it had gets a new upload under a new key', async () => {
	const desk = new Desk();
	const server = new TusServer();
	const file = fileOf(6 * MIB);
	await interrupted(desk, server, file);
	const u = server.uploads.get('up-1');
	u.bytes = u.bytes.subarray(0, 10);
	const before = server.requests.length;
	const sent = await upload(transferTo(server, desk), whatOf(file));
	assert.equal(sent.id, 'up-2');
	assert.ok(!server.requests.slice(before).includes('PATCH /api/files/tus/up-1'));
});

test('an upload that lapsed on the server begins anew', async () => {
	const desk = new Desk();
	const server = new TusServer();
	const file = fileOf(3 * MIB);
	await interrupted(desk, server, file, 500_000);
	server.uploads.delete('up-1');
	assert.equal((await upload(transferTo(server, desk), whatOf(file))).id, 'up-2');
});

test('a piece that changes on its way is sent again', async () => {
	const desk = new Desk();
	const server = new TusServer();
	const file = fileOf(3 * MIB);
	let bent = 0;
	server.beforePatch = (u, body) => void (bent++ < 3 ? body[100] ^= 1 : 0);
	const sent = await upload(transferTo(server, desk), whatOf(file));
	assert.equal(hex(desk.files.get(sent.token).digest), digestOf(server.uploads.get(sent.id).bytes));
	assert.equal(server.count, 1);
});

test('an upload whose pieces never come as they were sent ends', async () => {
	const desk = new Desk();
	const server = new TusServer();
	server.beforePatch = (u, body) => void (body[0] ^= 1);
	await rejects(upload(transferTo(server, desk), whatOf(fileOf(100))), 'BAD_SEAL');
	assert.equal(desk.notes.size, 0);
	assert.equal(server.uploads.size, 0);
});

test('a server that stands where no chunk ends gets nothing more', async () => {
	const desk = new Desk();
	const server = new TusServer();
	server.beforePatch = (u, body) => {
		u.bytes = Buffer.concat([u.bytes, body.subarray(0, 100)]);
		throw new TypeError('connection lost');
	};
	await rejects(upload(transferTo(server, desk), whatOf(fileOf(MIB))), 'GONE');
});

test('a note of an older app is not gone on with', async () => {
	const desk = new Desk();
	const server = new TusServer();
	await interrupted(desk, server, fileOf(6 * MIB));
	const [[name, note]] = desk.notes;
	note[0] = 1;
	desk.notes.set(name, note);
	assert.equal((await upload(transferTo(server, desk), whatOf(fileOf(6 * MIB)))).id, 'up-2');
});

const GONE = new DOMException('gone', 'NotReadableError');

test('a file that cannot be read any more ends its upload', async () => {
	const desk = new Desk();
	const server = new TusServer();
	const file = fileOf(2 * MIB);
	const parts = [file.slice(0, MIB)];
	const vanishing = { size: file.size, type: '', stream: () => new ReadableStream({
		async pull(c) {
			const part = parts.shift();
			if (part === undefined)
				throw GONE;
			c.enqueue(new Uint8Array(await part.arrayBuffer()));
		},
	}) };
	await rejects(upload(transferTo(server, desk), { conversation: 7, file: vanishing, name: 'v' }), 'CONFLICT');
	assert.equal(server.uploads.size, 0);
});

test('a file that ends too soon ends its upload', async () => {
	const server = new TusServer();
	const short = { size: 2 * MIB, type: '', stream: () => fileOf(MIB).stream() };
	await rejects(upload(transferTo(server, new Desk()), { conversation: 7, file: short, name: 's' }), 'CONFLICT');
	assert.equal(server.uploads.size, 0);
});

test('of a file that changed while it was read the end is never sent', async () => {
	const server = new TusServer();
	const file = fileOf(2 * MIB);
	const changing = { size: file.size, type: '', stream: () => file.stream(),
		slice: () => ({ arrayBuffer: async () => { throw GONE; } }) };
	await rejects(upload(transferTo(server, new Desk()), { conversation: 7, file: changing, name: 'c' }), 'CONFLICT');
	assert.equal(server.uploads.size, 0);
});

test('a refusal of the server is told in its words', async () => {
	const server = { fetch: async () => new Response('{"error":"Too large for you","code":"X"}', { status: 413 }) };
	const problem = await rejects(upload(transferTo(server, new Desk()), whatOf(fileOf(10))), 'TOO_LARGE');
	assert.equal(problem.message, 'Too large for you');
});

// --- down ----------------------------------------------------------------------------------------

async function uploaded(size = 3 * MIB + 5) {
	const desk = new Desk();
	const server = new TusServer();
	const file = fileOf(size);
	const t = transferTo(server, desk);
	const sent = await upload(t, whatOf(file));
	return { desk, server, file, ref: refOf(file, sent), t };
}

function fetching(ground, bend) {
	return { ...ground.t, platform: { ...ground.t.platform, ...downloads(ground.server, bend) } };
}

test('a download goes on where its connection broke', async () => {
	const ground = await uploaded();
	const sink = new MemorySink();
	let broke = 0;
	const bend = (part, from, tries) => tries % 2 === 0 && part.length > 200_000
		? new ReadableStream({
			start(c) {
				c.enqueue(new Uint8Array(part.subarray(0, 150_001)));
			},
			pull(c) {
				broke += 1;
				c.error(new TypeError('lost'));
			},
		})
		: part;
	await download(fetching(ground, bend), ground.ref, sink);
	assert.ok(broke > 0);
	assert.ok(Buffer.concat(sink.parts).equals(Buffer.from(await ground.file.arrayBuffer())));
	assert.equal(sink.state, 'closed');
});

const LIES = {
	'a changed byte': (part, from) => {
		const copy = Buffer.from(part);
		if (from <= 1_000_000 && from + part.length > 1_000_000)
			copy[1_000_000 - from] ^= 1;
		return copy;
	},
	'a file that ends too early': (part, from) => from + part.length > 2 * MIB
		? part.subarray(0, Math.max(0, 2 * MIB - from)) : part,
	'chunks that changed places': (part, from) => {
		const copy = Buffer.from(part);
		if (from > 32 || part.length < 200_000)
			return copy;
		const one = 32 - from, two = one + CHUNK + TAG;
		part.copy(copy, one, two, two + CHUNK + TAG);
		part.copy(copy, two, one, one + CHUNK + TAG);
		return copy;
	},
	'more than was asked for': (part, from) => from > 0 ? Buffer.concat([part, Buffer.alloc(9)]) : part,
};
for (const [what, bend] of Object.entries(LIES))
	test(`${what}: nothing is kept`, async () => {
		const ground = await uploaded();
		const sink = new MemorySink();
		await rejects(download(fetching(ground, bend), ground.ref, sink), 'BAD_SEAL');
		assert.equal(sink.state, 'aborted');
	});

// Sealed by an app before version 2.
async function ofVersion1(size) {
	const desk = new Desk();
	desk.version = 1;
	const server = new TusServer();
	const file = fileOf(size);
	const token = await desk.fileNew();
	const { key, header } = desk.files.get(token);
	const stream = await desk.fileStream(token, header);
	const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
	const chunks = [...blocks(Buffer.from(await file.arrayBuffer()), CHUNK)];
	const nonces = stream.nonces(0, chunks.length - 1, chunks.length);
	const sealed = [header];
	for (const [i, chunk] of chunks.entries()) {
		const iv = nonces.subarray(12 * i, 12 * i + 12);
		const parameters = { name: 'AES-GCM', iv, additionalData: header };
		sealed.push(Buffer.from(await crypto.subtle.encrypt(parameters, imported, chunk)));
	}
	const bytes = Buffer.concat(sealed);
	desk.files.get(token).digest = sha256(bytes);
	server.uploads.set('old', { length: bytes.length, bytes });
	return { desk, server, file, ref: refOf(file, { id: 'old', token }), t: transferTo(server, desk) };
}

test('a file of version 1 comes down', async () => {
	const ground = await ofVersion1(3 * MIB + 5);
	const sink = new MemorySink();
	await download(fetching(ground), ground.ref, sink);
	assert.ok(Buffer.concat(sink.parts).equals(Buffer.from(await ground.file.arrayBuffer())));
});

test('a digest of version 2 does not do for a file of version 1', async () => {
	const ground = await ofVersion1(3 * MIB);
	const { bytes } = ground.server.uploads.get('old');
	ground.desk.files.get(ground.ref.token).digest = Buffer.from(digestOf(bytes), 'hex');
	const sink = new MemorySink();
	await rejects(download(fetching(ground), ground.ref, sink), 'BAD_SEAL');
	assert.equal(sink.state, 'aborted');
});

test('a file whose message names another digest is not kept', async () => {
	const ground = await uploaded(1000);
	ground.desk.files.get(ground.ref.token).digest[31] ^= 1;
	const sink = new MemorySink();
	await rejects(download(fetching(ground), ground.ref, sink), 'BAD_SEAL');
	assert.equal(sink.state, 'aborted');
});

test('a sink that fails ends the download without another try', async () => {
	const ground = await uploaded();
	const sink = new MemorySink();
	sink.fails = true;
	await rejects(download(fetching(ground), ground.ref, sink), 'IO');
	assert.equal(sink.state, 'aborted');
});

test('a download can be broken off', async () => {
	const ground = await uploaded();
	const controller = new AbortController();
	const t = { ...fetching(ground), signal: controller.signal, progress: () => controller.abort() };
	const sink = new MemorySink();
	await rejects(download(t, ground.ref, sink), 'CANCELLED');
	assert.equal(sink.state, 'aborted');
});

test('a file id that is no file id goes into no address', async () => {
	const ground = await uploaded(10);
	const asked = ground.server.requests.length;
	await rejects(download(fetching(ground), { ...ground.ref, id: '../users' }, new MemorySink()), 'BAD_SEAL');
	assert.equal(ground.server.requests.length, asked);
});

await main();
