// The store, the host and the keeper, on an engine that does little (fake_engine.mjs).
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { EngineError } from '../../../web/src/core/engine.ts';
import { Host } from '../../../web/src/core/host.ts';
import { Keeper } from '../../../web/src/core/keeper.ts';
import { openStore } from '../../../web/src/core/store.ts';
import { FakeEngines, tagOf } from './fake_engine.mjs';
import { fakePlatform, settle } from './platform.mjs';
import { assert, main, rejects, test } from './tap.mjs';

const bytes = (...values) => Uint8Array.from(values);
const id = (n) => new Uint8Array(16).fill(n);
const log = (tag, position, ...data) => ({ kind: 'log', tag, position, data: bytes(...data) });
const positions = (lines) => lines.map((line) => line.position);

async function freshStore(factory = new IDBFactory()) {
	const store = await openStore(factory);
	await store.claim();
	return store;
}

// --- the store -----------------------------------------------------------------------------------

test('records and the profile are there after a reload; empty data deletes', async () => {
	const factory = new IDBFactory();
	const store = await freshStore(factory);
	assert.equal(await store.profile(), null);
	await store.apply([
		{ kind: 'persist', id: id(1), data: bytes(1, 2) },
		{ kind: 'persist', id: id(2), data: bytes(3) },
		{ kind: 'profile', data: bytes(9) },
	]);
	await store.apply([{ kind: 'persist', id: id(1), data: bytes() }]);
	store.close();
	const again = await freshStore(factory);
	assert.deepEqual(await again.records(), [{ id: id(2), data: bytes(3) }]);
	assert.deepEqual(await again.profile(), bytes(9));
});

test('what stands in a history stays', async () => {
	const store = await freshStore();
	await store.apply([log(tagOf(1), 8, 1)]);
	await store.apply([log(tagOf(1), 8, 2), log(tagOf(1), 8, 3), log(tagOf(1), 16, 4)]);
	assert.deepEqual(await store.log(tagOf(1), null, 10),
		[{ position: 8, data: bytes(1) }, { position: 16, data: bytes(4) }]);
});

test('histories are paged from the end, and walked from the beginning', async () => {
	const store = await freshStore();
	const all = Array.from({ length: 25 }, (_, i) => log(tagOf(3), 8 * (i + 1), i));
	await store.apply([...all, log(tagOf(2), 8, 0), log(tagOf(4), 8, 0)]);
	assert.deepEqual(positions(await store.log(tagOf(3), null, 3)), [184, 192, 200]);
	assert.deepEqual(positions(await store.log(tagOf(3), 184, 2)), [168, 176]);
	assert.deepEqual(positions(await store.log(tagOf(3), 8, 5)), []);
	assert.deepEqual(positions(await store.log(tagOf(3), null, 0)), []);
	assert.deepEqual(positions(await store.logAfter(tagOf(3), -1, 2)), [8, 16]);
	assert.deepEqual(positions(await store.logAfter(tagOf(3), 192, 9)), [200]);
});

test('a purge takes both its ends, and nothing beside', async () => {
	const store = await freshStore();
	await store.apply([8, 16, 24, 32].map((p) => log(tagOf(1), p, p)).concat(log(tagOf(2), 16, 1)));
	await store.apply([{ kind: 'purge', tag: tagOf(1), from: 16, until: 24 }]);
	assert.deepEqual(positions(await store.log(tagOf(1), null, 9)), [8, 32]);
	assert.deepEqual(positions(await store.log(tagOf(2), null, 9)), [16]);
	await store.apply([{ kind: 'purge', tag: tagOf(1), from: 0, until: 2 ** 64 }]);
	assert.deepEqual(await store.log(tagOf(1), null, 9), []);
});

test('a step is kept whole or not at all', async () => {
	const store = await freshStore();
	const effects = [
		{ kind: 'persist', id: id(1), data: bytes(1) },
		{ kind: 'log', tag: tagOf(1), position: NaN, data: bytes(1) }, // no key of a database
	];
	await rejects(store.apply(effects), 'STORE');
	assert.deepEqual(await store.records(), []);
});

test('who claimed the store last may write, and nobody else', async () => {
	const factory = new IDBFactory();
	const asleep = await freshStore(factory);
	const awake = await freshStore(factory);
	await rejects(asleep.apply([{ kind: 'persist', id: id(1), data: bytes(1) }]), 'CONFLICT');
	await rejects(asleep.clear(), 'CONFLICT');
	await awake.apply([{ kind: 'persist', id: id(1), data: bytes(2) }]);
	assert.deepEqual(await awake.records(), [{ id: id(1), data: bytes(2) }]);
});

// --- the host ------------------------------------------------------------------------------------

// A store that tells when, and fails when it is told to.
function watched(store, order) {
	return new Proxy(store, {
		get(target, name) {
			if (name === 'apply')
				return async (effects) => {
					if (order.failing > 0 && effects.some((fx) => fx.kind === 'persist')) {
						order.failing -= 1;
						throw Object.assign(new Error('disk'), { code: 'STORE' });
					}
					await target.apply(effects);
					if (effects.some((fx) => fx.kind === 'persist'))
						order.push('kept');
				};
			if (name === 'profile' && order.unreadable)
				return () => Promise.reject(Object.assign(new Error('disk'), { code: 'STORE' }));
			const value = target[name];
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
}

async function ground({ fetch, factory = new IDBFactory() } = {}) {
	const order = [];
	order.failing = 0;
	const engines = new FakeEngines();
	const answer = fetch ?? (async () => new Response('{}', { status: 200 }));
	const platform = fakePlatform(async (path, init) => {
		order.push(`${init.method} ${path}`);
		return answer(path, init);
	});
	const heard = [];
	const ears = {
		heard: (n) => heard.push(n),
		say: (name) => order.push(`say ${name}`),
		kept: () => undefined,
		unanswered: () => order.push('unanswered'),
		rebuilt: () => order.push('rebuilt'),
		keptSecret: async () => order.secret ?? null,
	};
	const store = watched(await freshStore(factory), order);
	const host = await Host.open(engines, store, platform, ears);
	return { host, order, engines, platform, heard, store, factory };
}

const login = { kind: 'login', username: 'me', email: '', password: 'right', code: '' };
const say = (text) => ({ kind: 'send', conversation: 1, content: { kind: 'text', text } });
const nobody = () => undefined;

async function loggedIn(options) {
	const g = await ground(options);
	await g.host.run(login, nobody);
	g.order.length = 0;
	return g;
}

test('what is to be kept is kept before anything leaves', async () => {
	const g = await loggedIn();
	const done = await g.host.run(say('hello'), nobody);
	assert.equal(done.kind, 'done');
	assert.equal(done.message, 1);
	assert.deepEqual([...g.order], ['kept', 'POST /api/conversations/1/messages', 'kept']);
});

test('a step that cannot be kept sends nothing, and the engine is built anew from the store', async () => {
	const g = await loggedIn();
	await g.host.run(say('first'), nobody);
	g.order.length = 0;
	g.order.failing = 1;
	const before = g.engines.last;
	await rejects(g.host.run(say('second'), nobody), 'STORE');
	assert.deepEqual(g.order.filter((what) => what.startsWith('POST')), []);
	const waiting = await g.host.read((engine) => engine.outgoing());
	assert.deepEqual(waiting, []);
	assert.ok(before.freed);
	assert.ok(g.order.includes('rebuilt'));
	const done = await g.host.run(say('third'), nobody);
	assert.equal(done.message, 2); // the state before the failed step, unlocked
});

test('a crash between keeping and sending loses nothing', async () => {
	const g = await loggedIn({ fetch: async (path) => {
		if (path.endsWith('messages'))
			return new Promise(() => undefined);
		return new Response('{}');
	} });
	const stuck = g.host.run(say('hello'), nobody);
	stuck.catch(nobody);
	await settle();
	const next = await ground({ factory: g.factory });
	await next.host.unlock(new TextEncoder().encode('right'));
	const waiting = await next.host.read((engine) => engine.outgoing());
	assert.deepEqual(waiting.map((n) => n.content.text), ['hello']);
	assert.ok(await next.host.read((engine) => engine.loggedIn()));
});

test('without a network a message is kept, and the failure says so', async () => {
	const g = await loggedIn({ fetch: async (path) => {
		if (path.endsWith('messages'))
			throw new TypeError('Failed to fetch');
		return new Response('{}');
	} });
	const problem = await rejects(g.host.run(say('later'), nobody), 'NETWORK');
	assert.ok(problem.kept);
	assert.equal(g.order.filter((what) => what.startsWith('POST')).length, 3);
});

test('commands follow one another; reading does not wait for the network', async () => {
	let release;
	const released = new Promise((resolve) => {
		release = resolve;
	});
	const g = await loggedIn({ fetch: async (path) => {
		if (path.endsWith('messages'))
			await released;
		return new Response('{}');
	} });
	const first = g.host.run(say('one'), nobody);
	const second = g.host.run({ kind: 'whoami' }, nobody);
	await settle();
	assert.deepEqual(g.engines.last.calls.slice(-1), ['send']);
	assert.equal((await g.host.read((engine) => engine.outgoing())).length, 1);
	release();
	await first;
	await second;
	assert.deepEqual(g.engines.last.calls.slice(-1), ['whoami']);
});

test('the password opens a profile, and a wrong one does not', async () => {
	const g = await loggedIn();
	await g.host.run(say('one'), nobody);
	await g.host.notePut('setting.x', new TextEncoder().encode('y'));
	await g.host.lock();
	assert.ok(await g.host.read((engine) => engine.locked()));
	await rejects(g.host.run(say('two'), nobody), 'NOT_LOGGED_IN');
	await rejects(g.host.unlock(new TextEncoder().encode('wrong')), 'BAD_PASSWORD');
	const password = new TextEncoder().encode('right');
	await g.host.unlock(password);
	assert.ok(password.every((byte) => byte === 0));
	assert.equal(await g.host.read((engine) => engine.state.sent), 1);
	assert.equal(new TextDecoder().decode(await g.host.read((e) => e.noteGet('setting.x'))), 'y');
});

test('locking breaks off what is under way', async () => {
	const g = await loggedIn({ fetch: (path, init) => path.endsWith('messages')
		? new Promise((_, reject) => init.signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError'))))
		: Promise.resolve(new Response('{}')) });
	const stuck = rejects(g.host.run(say('hello'), nobody), 'CANCELLED');
	await settle();
	const unlocked = g.engines.last;
	await g.host.lock();
	await stuck;
	assert.ok(unlocked.freed);
	await g.host.unlock(new TextEncoder().encode('right'));
	assert.equal((await g.host.read((engine) => engine.outgoing())).length, 1);
});

test('locking wipes the keys even when the store cannot be read', async () => {
	const g = await loggedIn();
	const unlocked = g.engines.last;
	g.order.unreadable = true;
	await rejects(g.host.lock(), 'STORE');
	assert.ok(unlocked.freed);
	await rejects(g.host.run(say('x'), nobody), 'STORE');
	g.order.unreadable = false;
	assert.ok(await g.host.read((engine) => engine.hasAccount() && engine.locked()));
	await g.host.unlock(new TextEncoder().encode('right'));
	await g.host.run(say('x'), nobody);
});

test('a damaged record keeps the profile locked, and does not keep it from being forgotten', async () => {
	const g = await loggedIn();
	await g.store.apply([{ kind: 'persist', id: id(9), data: bytes(1) }]);
	await g.host.lock();
	await rejects(g.host.unlock(new TextEncoder().encode('right')), 'STORE_CORRUPT');
	assert.ok(await g.host.read((engine) => engine.locked()));
	await g.host.forget();
	assert.ok(!(await g.host.read((engine) => engine.hasAccount())));
});

test('forgetting leaves nothing', async () => {
	const g = await loggedIn();
	await g.host.run(say('one'), nobody);
	await g.host.forget();
	assert.deepEqual(await g.store.records(), []);
	assert.deepEqual(await g.store.log(tagOf(1), null, 9), []);
	assert.equal(await g.store.profile(), null);
	assert.ok(!(await g.host.read((engine) => engine.hasAccount())));
});

test('live: nonsense is nothing, and a fault of the engine builds it anew', async () => {
	const g = await loggedIn();
	await g.host.liveUp();
	assert.deepEqual([...g.order], ['say join_room']);
	await g.host.liveEvent('nonsense', '{}');
	await g.host.liveEvent('new_message', '{"id":5}');
	assert.deepEqual(g.heard.map((n) => n.message), [5]);
	const before = g.engines.last;
	await assert.rejects(g.host.liveEvent('trap', '{}'));
	await g.host.liveEvent('new_message', '{"id":6}');
	assert.notEqual(g.engines.last, before);
	assert.deepEqual(g.heard.map((n) => n.message), [5, 6]);
});

test('a fault of the engine while it is read builds it anew, too, and nothing is asked of it any more', async () => {
	const g = await loggedIn();
	await g.host.run(say('one'), nobody);
	const before = g.engines.last;
	before.liveDown = () => {
		throw new EngineError('NOMEM');
	};
	await assert.rejects(g.host.read(() => {
		throw new WebAssembly.RuntimeError('unreachable');
	}));
	g.host.liveDown();
	assert.equal(g.host.due(), 0);
	assert.deepEqual(await g.host.read((engine) => engine.outgoing()), []);
	assert.notEqual(g.engines.last, before);
	await rejects(g.host.read(() => {
		throw new EngineError('NOT_FOUND');
	}), 'NOT_FOUND');
	assert.notEqual(g.host.due(), 0);
});

test('what the history has is given when it is asked for', async () => {
	const g = await loggedIn();
	await g.host.run(say('one'), nobody);
	await g.host.run(say('two'), nobody);
	await g.host.liveUp();
	await g.host.liveEvent('reaction', '{"id":1}');
	await g.host.liveEvent('reaction', '{"id":3}');
	assert.deepEqual(g.engines.last.calls.slice(-3), ['recalled 9 1', 'reaction {"id":3}', 'recalled 9 nothing']);
	assert.deepEqual(g.heard.map((n) => n.message), [1, 0]);
});

test('an engine that cannot be asked for its secret is opened with the kept one, or stays locked', async () => {
	const g = await loggedIn();
	await g.host.run(say('one'), nobody);
	for (const secret of [new Uint8Array(32).fill(42), null]) {
		g.order.secret = secret;
		g.engines.last.accountSecret = () => {
			throw new Error('unreachable');
		};
		await assert.rejects(g.host.liveEvent('trap', '{}'));
		assert.equal(await g.host.read((engine) => engine.locked()), secret === null);
	}
});

test('what is due by the clock is done before the next command', async () => {
	const g = await loggedIn();
	g.engines.last.dueAt = g.platform.now() / 1000 - 1;
	await g.host.run({ kind: 'whoami' }, nobody);
	assert.deepEqual(g.engines.last.calls.slice(-2), ['tick', 'whoami']);
	assert.deepEqual(g.heard.map((n) => n.kind), ['expired']);
});

test('a host that has ended answers nothing', async () => {
	const g = await loggedIn();
	g.host.end();
	await rejects(g.host.run(say('x'), nobody), 'CANCELLED');
	await settle();
	assert.ok(g.engines.last.freed);
});

// --- the keeper ----------------------------------------------------------------------------------

test('a secret is kept over a reload, and no longer than it should be', async () => {
	const factory = new IDBFactory();
	const platform = fakePlatform();
	const secret = new Uint8Array(32).fill(7);
	await new Keeper(await freshStore(factory), platform).keep(secret, 60);
	const kept = await (await freshStore(factory)).kept();
	assert.ok(!kept.key.extractable);
	assert.notDeepEqual(kept.sealed.subarray(0, 32), secret);
	const store = await freshStore(factory);
	const keeper = new Keeper(store, platform);
	assert.deepEqual(await keeper.secret(), secret);
	platform.clock.ms += 50_000;
	await keeper.prolong(60);
	platform.clock.ms += 50_000;
	assert.deepEqual(await keeper.secret(), secret);
	platform.clock.ms += 11_000;
	assert.equal(await keeper.secret(), null);
	assert.equal(await store.kept(), null);
});

test('what is prolonged while it is forgotten does not come back', async () => {
	const store = await freshStore();
	const keeper = new Keeper(store, fakePlatform());
	await keeper.keep(new Uint8Array(32), 60);
	await Promise.all([keeper.prolong(60), keeper.forget(), keeper.prolong(60)]);
	assert.equal(await store.kept(), null);
	await Promise.all([keeper.keep(new Uint8Array(32), 60), keeper.forget()]);
	assert.equal(await store.kept(), null);
});

test('a kept secret that was changed is not used', async () => {
	const store = await freshStore();
	const keeper = new Keeper(store, fakePlatform());
	await keeper.keep(new Uint8Array(32), 60);
	const kept = await store.kept();
	kept.sealed[3] ^= 1;
	await store.keep(kept);
	assert.equal(await keeper.secret(), null);
});

await main();
