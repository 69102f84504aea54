// The module through web/src/core/wasm_engine.ts: what its calls promise besides what the engine's own
// tests show. Run by tests/web/core/run.mjs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, main, test } from '../web/core/tap.mjs';
import { Core } from '../../web/src/core/module.ts';
import { enginesOf } from '../../web/src/core/wasm_engine.ts';

const root = process.env.TACIT_ROOT ?? process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'tacit-wasm-'));
const out = join(folder, 'tacit.wasm');
execFileSync(join(root, 'tools/build-wasm'), [out], { stdio: 'inherit' });
const module = new WebAssembly.Module(readFileSync(out));
rmSync(folder, { recursive: true });

const PASSWORD = 'correct horse 1!';
const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (s) => new TextEncoder().encode(s);

function fails(code, call) {
	assert.throws(call, (e) => e.code === code, code);
}

function sends(effects) {
	return effects.filter((fx) => fx.kind === 'send').map((fx) => ({ ...fx, json: JSON.parse(text(fx.body)) }));
}

function json(value) {
	return { status: value.status ?? 200, body: bytes(JSON.stringify(value)) };
}

// Registers against answers that are made up; gives back the engine and what it wants to have kept.
function registered() {
	const engine = enginesOf(module).create();
	const kept = new Map();
	const keep = (effects) => {
		for (const fx of effects) {
			if (fx.kind === 'profile') kept.set('profile', fx.data);
			if (fx.kind === 'persist') kept.set(text(fx.id.map((b) => b & 0x7f)) + fx.id.join(), fx);
		}
		return effects;
	};
	const begun = engine.command({
		kind: 'register', username: 'ann', email: 'ann@example.org', password: PASSWORD, text: '',
	});
	const [request] = sends(keep(begun.effects));
	assert.equal(request.path, '/api/register');
	const key = request.json.data.public_key;
	const pending = engine.answer(request.request, {
		...json({ qr_code: '', secret: 'ABCDEFGH', otpauth_uri: 'otpauth://totp/x?secret=ABCDEFGH' }), status: 201,
	});
	assert.deepEqual(pending.filter((fx) => fx.kind === 'deliver').map((fx) => fx.notice.kind), ['totp_setup', 'done']);
	const [verify] = sends(engine.command({ kind: 'verify_totp', code: '123456' }).effects);
	const user = { id: 7, username: 'ann', email: 'ann@example.org', public_key: key };
	const effects = keep(engine.answer(verify.request, {
		...json({ user, recovery_codes: ['aaaa-bbbb'] }), status: 201,
	}));
	return { engine, kept, effects };
}

test('asks for nothing but randomness and the time', () => {
	const wanted = WebAssembly.Module.imports(module).map((i) => `${i.module}.${i.name}`);
	assert.deepEqual(wanted.filter((name) => name.startsWith('tacit.')).sort(), ['tacit.now', 'tacit.random']);
	// What the C library names besides for files and an exit, nobody calls: module.ts ends who does.
	for (const name of wanted.filter((n) => !n.startsWith('tacit.')))
		assert.match(name, /^wasi_snapshot_preview1\.(fd|proc|environ|args)_/);
});

test('a profile without an account', () => {
	const engine = enginesOf(module).create();
	assert.deepEqual([engine.hasAccount(), engine.locked(), engine.loggedIn()], [false, false, false]);
	assert.equal(engine.username(), '');
	assert.equal(engine.due(), Infinity);
	assert.equal(engine.accountSecret().length, 0);
	assert.deepEqual(engine.conversations(), []);
	fails('NOT_LOGGED_IN', () => engine.command({ kind: 'sync', conversation: 0 }));
	fails('USAGE', () => engine.command({ kind: 'nonsense' }));
	fails('USAGE', () => engine.command({ kind: 'sync', conversation: 1.5 }));
	fails('USAGE', () => engine.answer(99, json({})));
	engine.free();
});

test('registers, and is logged in by a cookie that nobody here sees', () => {
	const { engine, effects } = registered();
	assert.deepEqual([engine.hasAccount(), engine.locked(), engine.loggedIn()], [true, false, true]);
	assert.equal(engine.username(), 'ann');
	assert.equal(engine.accountSecret().length, 32);
	const first = effects.findIndex((fx) => fx.kind === 'send' || fx.kind === 'deliver');
	assert.ok(effects.findIndex((fx) => fx.kind === 'profile') < first, 'what is kept comes first');
	engine.free();
});

test('comes back from what was kept, by the password or the secret', () => {
	const { engine, kept } = registered();
	const secret = engine.accountSecret();
	engine.free();
	const again = enginesOf(module).open(kept.get('profile'));
	assert.deepEqual([again.hasAccount(), again.locked()], [true, true]);
	const wrong = bytes('wrong horse 1!');
	fails('BAD_PASSWORD', () => again.unlock(wrong));
	assert.ok(wrong.every((b) => b === 0), 'a password is wiped where it fails, too');
	again.unlock(bytes(PASSWORD));
	assert.deepEqual(again.accountSecret(), secret);
	for (const fx of kept.values()) if (fx.kind === 'persist' && fx.data.length > 0) again.restore(fx.id, fx.data);
	const other = enginesOf(module).open(kept.get('profile'));
	fails('BAD_PASSWORD', () => other.unlockWithSecret(new Uint8Array(32)));
	other.unlockWithSecret(secret);
	const record = [...kept.values()].find((fx) => fx.kind === 'persist' && fx.data.length > 0);
	const changed = Uint8Array.from(record.data);
	changed[changed.length - 1] ^= 1;
	fails('BAD_SEAL', () => other.restore(record.id, changed));
	fails('MALFORMED', () => enginesOf(module).open(bytes('no profile')));
});

test('notes', () => {
	const { engine } = registered();
	fails('NOT_FOUND', () => engine.noteGet('theme'));
	const effects = engine.notePut('theme', bytes('dark'));
	assert.deepEqual(effects.map((fx) => fx.kind), ['persist']);
	assert.ok(!text(effects[0].data).includes('dark'));
	assert.equal(text(engine.noteGet('theme')), 'dark');
});

// tests/unit/file_stream.c, known answers; by version
const KNOWN = [
	['7299621eb41e51b8a13d13e6b7a85e473802af1721', '129526a269c383409885abbea8a674de946d99b027847ca74b3894bdd85bd8f3'],
	['aa6a58c38fef6168f6f98781e4d919c04d73e0d756', '9e1303823b63fb319b245fa94582b1e4a62837de177f97530b1fc4abf2b5d42e'],
];
const headerOf = (version) => Buffer.from(`7461636974460${version}10000102030405060708090a0b0c0d0e0f0000000000000000`, 'hex');

for (const [i, [sealed, named]] of KNOWN.entries())
	test(`a file of version ${i + 1} is sealed by WebCrypto as the core seals it`, async () => {
		const engine = enginesOf(module).create();
		const key = Uint8Array.from({ length: 32 }, (_, n) => 32 + n);
		const header = headerOf(i + 1);
		const token = engine.fileAgain(new Uint8Array([...key, ...header]));
		const stream = engine.fileStream(token, engine.fileHeader(token));
		assert.equal(stream.chunkBytes, 65536);
		assert.equal(stream.leaves, i === 1);
		const imported = await crypto.subtle.importKey('raw', stream.key, 'AES-GCM', false, ['encrypt']);
		const chunk = new Uint8Array(await crypto.subtle.encrypt(
			{ name: 'AES-GCM', iv: stream.nonces(0, 0, 1), additionalData: stream.additionalData }, imported, bytes('hello')));
		assert.equal(Buffer.from(chunk).toString('hex'), sealed);
		const digest = engine.fileDigest(header);
		digest.feed(stream.leaves ? new Uint8Array(await crypto.subtle.digest('SHA-256', chunk)) : chunk);
		assert.equal(Buffer.from(digest.soFar()).toString('hex'), named);
		digest.free();
		fails('MALFORMED', () => engine.fileStream(token, new Uint8Array(32)));
		fails('MALFORMED', () => engine.fileAgain(key));
	});

test('nonces of chunks', () => {
	const engine = enginesOf(module).create();
	const token = engine.fileNew();
	const stream = engine.fileStream(token, engine.fileHeader(token));
	assert.equal(stream.leaves, true, 'what is new is of version 2');
	const nonces = Buffer.from(stream.nonces(254, 256, 257)).toString('hex');
	assert.equal(nonces, '00000000000000000000fe0000000000000000000000ff00000000000000000000010001');
	fails('EXHAUSTED', () => stream.nonces(2 ** 32, 2 ** 32, 2 ** 32 + 1));
});

test('tokens of files', () => {
	const engines = enginesOf(module);
	const engine = engines.create();
	const token = engine.fileNew();
	const kept = engine.fileKept(token);
	assert.notEqual(engine.fileNew(), token);
	assert.equal(engine.fileAgain(kept), token);
	const digest = engine.fileDigest(engine.fileHeader(token));
	fails('NOT_FOUND', () => digest.prove(token));
	fails('NOT_FOUND', () => engine.fileKept('AAAAAAAAAAAAAAAAAAAAAA'));
	fails('NOT_FOUND', () => engine.fileKept('none at all'));
	fails('NOT_FOUND', () => digest.seal('AAAAAAAAAAAAAAAAAAAAAA'));
	digest.seal(token);
	digest.prove(token);
	digest.feed(new Uint8Array(32));
	fails('BAD_SEAL', () => digest.prove(token));
	digest.free();
	engine.free();
	assert.deepEqual(engines.create().fileKept(token), kept, 'they outlive their engine');
	fails('NOT_FOUND', () => enginesOf(module).create().fileKept(token)); // and mean nothing elsewhere
	engines.create().forgetFiles();
	fails('NOT_FOUND', () => engines.create().fileKept(token));
});

test('a message names a file only once it is sealed', () => {
	const { engine } = registered();
	const token = engine.fileNew();
	const send = () => engine.command({
		kind: 'send', username: 'bob',
		content: { kind: 'file', text: '', file: { id: 'f1', name: 'a.txt', type: 'text/plain', size: 5, token } },
	});
	fails('USAGE', send);
	engine.fileDigest(engine.fileHeader(token)).seal(token);
	assert.equal(sends(send().effects).length, 1);
});

test('digests of files', async () => {
	const engine = enginesOf(module).create();
	const all = Uint8Array.from({ length: 700_001 }, (_, i) => i * 7);
	const linear = engine.fileDigest(headerOf(1));
	linear.feed(all.subarray(0, 3));
	linear.feed(all.subarray(3));
	const expected = new Uint8Array(await crypto.subtle.digest('SHA-256', Buffer.concat([headerOf(1), all])));
	assert.deepEqual(linear.soFar(), expected);
	linear.check(expected);
	linear.feed(all.subarray(0, 1));
	fails('BAD_SEAL', () => linear.check(expected));
	linear.free();
	const tree = engine.fileDigest(headerOf(2));
	fails('MALFORMED', () => tree.feed(new Uint8Array(33)));
	tree.feed(new Uint8Array(64));
	assert.deepEqual(tree.soFar(), new Uint8Array(await crypto.subtle.digest('SHA-256',
		Buffer.concat([bytes('tacit file v2'), headerOf(2), new Uint8Array(64)]))));
	tree.free();
	fails('UNSUPPORTED', () => engine.fileDigest(headerOf(3)));
	fails('MALFORMED', () => engine.fileDigest(new Uint8Array(31)));
});

test('memory that is not there is an error, and what trapped is not used again', () => {
	const core = new Core(module);
	fails('NOMEM', () => core.room(0x7fff0000));
	core.room(16).free();
	assert.throws(() => core.call('engine_state', -4), WebAssembly.RuntimeError);
	assert.ok(core.isBroken);
	fails('NOMEM', () => core.room(16));
});

test('memory is bounded', () => {
	const core = new Core(module);
	const rooms = [];
	fails('NOMEM', () => {
		for (;;) rooms.push(core.room(8 << 20));
	});
	assert.ok(rooms.length >= 16 && rooms.length < 32, `${rooms.length} rooms of 8 MiB`);
	for (const room of rooms) room.free();
	core.room(64 << 20).free();
});

// wasm/words.c and the types in TypeScript are two lists of the same words.
test('both sides have the same words', () => {
	const words = readFileSync(join(root, 'wasm/words.c'), 'utf8');
	const types = ['messenger.ts', 'core/engine.ts'].map((f) => readFileSync(join(root, 'web/src', f), 'utf8'));
	const list = (name) => {
		const body = new RegExp(`${name}\\[\\] = \\{([^}]*)\\}`).exec(words)[1];
		return [...body.matchAll(/"([^"]+)"/g)].map((m) => m[1]).sort();
	};
	const kinds = (source, type) => {
		const body = source.slice(source.indexOf(`export type ${type} =`)).replace(/\/\/.*$/gm, '');
		return [...body.slice(0, body.search(/;\s*\n\n/)).matchAll(/kind: '(\w+)'|^\s*\| '(\w+)'|\| '(\w+)'/gm)]
			.map((m) => m[1] ?? m[2] ?? m[3]).filter((w) => /^[a-z_]+$/.test(w)).sort();
	};
	assert.ok(list('commands').length > 20 && list('contents').length > 4 && list('effects').length > 8);
	assert.deepEqual(kinds(types[0], 'Command'), list('commands'));
	assert.deepEqual(kinds(types[0], 'Content'), list('contents'));
	assert.deepEqual(kinds(types[0], 'NoticeKind'), list('notices'));
	assert.deepEqual(kinds(types[1], 'Effect'), list('effects'));
});

await main();
