// Pages and workers: what goes between them, several windows with one engine, search, and locking.
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { RemoteMessenger } from '../../../web/src/core/remote.ts';
import { Seat } from '../../../web/src/core/rpc.ts';
import { Search, fold } from '../../../web/src/core/search.ts';
import { Service } from '../../../web/src/core/service.ts';
import { openStore } from '../../../web/src/core/store.ts';
import { Tabs } from '../../../web/src/core/tabs.ts';
import { FakeEngines, notice } from './fake_engine.mjs';
import { fakePlatform, settle } from './platform.mjs';
import { assert, main, rejects, test, until } from './tap.mjs';

// Both ends of a port: what passes is copied, as postMessage does.
function pipe() {
	const ends = [{}, {}];
	for (const [i, end] of ends.entries()) {
		end.post = (message) => {
			const copy = structuredClone(message);
			setImmediate(() => ends[1 - i].hear?.(copy));
		};
		end.listen = (hear) => {
			end.hear = hear;
		};
	}
	return ends;
}

const answers = async () => new Response('{}', { status: 200 });
const login = { kind: 'login', username: 'me', email: '', password: 'right', code: '' };
const say = (text) => ({ kind: 'send', conversation: 1, content: { kind: 'text', text } });

async function opened(factory = new IDBFactory(), platform = fakePlatform(answers)) {
	const engines = new FakeEngines();
	const service = await Service.open(engines, await openStore(factory), platform);
	return { service, engines, platform, factory };
}

function pageAt(service) {
	const [page, worker] = pipe();
	const seat = new Seat(worker, async () => service);
	worker.listen((message) => seat.take(message));
	const messenger = new RemoteMessenger(page);
	const heard = [];
	const links = [];
	messenger.onNotice((n) => heard.push(n));
	messenger.onLink((link) => links.push(link.state));
	messenger.onLocked(() => heard.push({ kind: 'locked' }));
	return { messenger, heard, links, seat };
}

// --- between page and worker ---------------------------------------------------------------------

test('a command is told and ends; what it was told stays with who asked', async () => {
	const { service } = await opened();
	const [one, other] = [pageAt(service), pageAt(service)];
	assert.equal((await one.messenger.run(login)).kind, 'done');
	const told = [];
	await one.messenger.run({ kind: 'safety_number', username: 'x' }, (n) => told.push(n.kind));
	await one.messenger.run({ kind: 'sync', conversation: 0 }, (n) => told.push(n.kind));
	await settle();
	assert.deepEqual(told, ['safety', 'message']);
	assert.deepEqual(other.heard.map((n) => n.kind), ['message']); // a message is news for all, a number is not
	assert.deepEqual(one.heard, []);
});

test('a message that one window sends is told to the others', async () => {
	const { service } = await opened();
	const [one, other] = [pageAt(service), pageAt(service)];
	await one.messenger.run(login);
	await one.messenger.run(say('hello'));
	await settle();
	assert.deepEqual(other.heard.map((n) => [n.kind, n.content?.text, n.flag]), [['message', 'hello', true]]);
	assert.deepEqual(one.heard, []);
});

test('a call that fails rejects with a code and a sentence', async () => {
	const { service } = await opened();
	const { messenger } = pageAt(service);
	const problem = await rejects(messenger.run(say('x')), 'NOT_LOGGED_IN');
	assert.deepEqual(Object.keys(problem).sort(), ['code', 'text']);
	await rejects(messenger.history(1, null, 5), 'NOT_LOGGED_IN');
	await rejects(messenger.setting('a'), 'NOT_LOGGED_IN');
});

test('a worker that could not be opened may be opened later', async () => {
	const { service } = await opened();
	const [page, worker] = pipe();
	let tries = 0;
	const seat = new Seat(worker, async () => {
		if (tries++ < 2)
			throw Object.assign(new Error('no module'), { code: 'NETWORK' });
		return service;
	});
	worker.listen((message) => seat.take(message));
	const messenger = new RemoteMessenger(page);
	const links = [];
	messenger.onLink((link) => links.push(link.state));
	await assert.rejects(messenger.state());
	assert.equal((await messenger.state()).account, '');
	await settle();
	assert.deepEqual(links, ['offline']);
});

test('without a worker every call fails', async () => {
	const [page] = pipe();
	const messenger = new RemoteMessenger(page);
	const early = rejects(messenger.state(), 'IO');
	messenger.fail({ code: 'IO', text: 'no worker' });
	await early;
	await rejects(messenger.state(), 'IO');
});

const NOBODY = { account: '', locked: false, loggedIn: false };

test('where nothing was ever kept the first answer does not wait for the worker', async () => {
	const [page, worker] = pipe();
	const messenger = new RemoteMessenger(page, undefined, Promise.resolve(true));
	assert.deepEqual(await messenger.state(), NOBODY);
	let later = null;
	void messenger.state().then((state) => {
		later = state;
	});
	await settle();
	assert.equal(later, null, 'only the first');
	const { service } = await opened();
	await service.run(login, () => undefined);
	const seat = new Seat(worker, async () => service);
	worker.listen((message) => seat.take(message));
	seat.take({ id: 2, call: { name: 'state' } });
	await settle();
	assert.equal(later.account, 'me');
});

test('where something was kept, or nobody knows, the worker says what', async () => {
	const { service } = await opened();
	await service.run(login, () => undefined);
	for (const fresh of [Promise.resolve(false), new Promise(() => undefined)]) {
		const [page, worker] = pipe();
		const seat = new Seat(worker, async () => service);
		worker.listen((message) => seat.take(message));
		assert.equal((await new RemoteMessenger(page, undefined, fresh).state()).account, 'me');
	}
	const [page] = pipe();
	const messenger = new RemoteMessenger(page, undefined, Promise.resolve(false));
	const state = rejects(messenger.state(), 'IO');
	messenger.fail({ code: 'IO', text: 'no worker' });
	await state;
});

// A service that only has files, to see what the ports make of sinks.
function sinkService(write) {
	return {
		listen: () => () => undefined,
		saveFile: (file, sink, progress, signal) => write(sink, progress, signal),
	};
}

function savedBy(write, sink, signal = new AbortController().signal, progress = () => undefined) {
	const [page, worker] = pipe();
	const seat = new Seat(worker, async () => sinkService(write));
	worker.listen((message) => seat.take(message));
	return new RemoteMessenger(page).saveFile({ token: 't' }, sink, progress, signal);
}

test('bytes reach the sink in order, one write at a time', async () => {
	const got = [];
	let writing = 0;
	const sink = new WritableStream({
		async write(bytes) {
			assert.equal(writing++, 0);
			await settle();
			got.push(...bytes);
			writing -= 1;
		},
		close: () => void got.push('closed'),
	});
	const seen = [];
	await savedBy(async (s, progress) => {
		for (let i = 0; i < 5; i++) {
			await s.write(Uint8Array.of(i, i));
			progress({ done: i, total: 5 });
		}
		await s.close();
	}, sink, undefined, (p) => seen.push(p.done));
	assert.deepEqual(got, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 'closed']);
	assert.deepEqual(seen, [0, 1, 2, 3, 4]);
});

test('a sink that fails fails the transfer', async () => {
	const sink = new WritableStream({ write() { throw new Error('full'); } });
	await rejects(savedBy((s) => s.write(Uint8Array.of(1)), sink), 'IO');
});

test('a transfer that is broken off ends, even when its sink does not answer', async () => {
	const sink = new WritableStream({ write: () => new Promise(() => undefined) });
	const controller = new AbortController();
	const saving = rejects(savedBy((s) => s.write(Uint8Array.of(1)), sink, controller.signal), 'CANCELLED');
	await settle();
	controller.abort();
	await saving;
	await assert.rejects(sink.getWriter().write(Uint8Array.of(2)));
});

// --- locking -------------------------------------------------------------------------------------

test('nobody there for as long as the person set: locked, in every window', async () => {
	const g = await opened();
	const [one, other] = [pageAt(g.service), pageAt(g.service)];
	await one.messenger.run(login);
	await one.messenger.setSetting('lock_after', '5');
	await g.platform.clock.advance(4 * 60_000);
	one.messenger.activity();
	await settle();
	await g.platform.clock.advance(4 * 60_000);
	assert.equal((await one.messenger.state()).locked, false);
	await g.platform.clock.advance(61_000);
	await until(async () => (await one.messenger.state()).locked, 'locked');
	await settle();
	for (const { heard } of [one, other])
		assert.deepEqual(heard.map((n) => n.kind), ['locked']);
	assert.ok(g.engines.made.some((engine) => engine.calls.includes('forgetFiles')));
});

test('a machine that slept for longer than that is locked by whoever wakes it', async () => {
	const g = await opened();
	const { messenger } = pageAt(g.service);
	await messenger.run(login);
	await messenger.setSetting('lock_after', '5');
	g.platform.clock.ms += 8 * 3_600_000; // no timer runs in a sleep
	messenger.activity();
	await until(async () => (await messenger.state()).locked, 'locked');
});

test('a window that is closed and opened is unlocked, but not after the time is over', async () => {
	const g = await opened();
	await g.service.run(login, () => undefined);
	g.service.end();
	const again = await opened(g.factory, g.platform);
	assert.deepEqual(await again.service.state(), { account: 'me', locked: false, loggedIn: true });
	await again.service.setSetting('lock_after', '5');
	again.service.end();
	g.platform.clock.ms += 7 * 60_000;
	const late = await opened(g.factory, g.platform);
	assert.equal((await late.service.state()).locked, true);
	await rejects(late.service.unlock('wrong'), 'BAD_PASSWORD');
	assert.equal((await late.service.unlock('right')).locked, false);
	await late.service.setSetting('lock_after', '0');
	for (const [days, locked] of [[6, false], [6, false], [8, true]]) {
		g.platform.clock.ms += days * 86_400_000;
		const after = await opened(g.factory, g.platform);
		assert.equal((await after.service.state()).locked, locked, `${days} days later`);
	}
});

test('what is due is done when it is due, and a store that fails is not asked without end', async () => {
	const g = await opened();
	await g.service.run(login, () => undefined);
	const engine = g.engines.last;
	engine.dueAt = g.platform.now() / 1000 + 60;
	await g.service.run(say('x'), () => undefined);
	await g.platform.clock.advance(59_000);
	assert.ok(!engine.calls.includes('tick'));
	await g.platform.clock.advance(2000);
	assert.ok(engine.calls.includes('tick'));
	let ticks = 0;
	engine.dueAt = 0;
	engine.tick = () => {
		ticks += 1;
		throw new Error('fault');
	};
	engine.accountSecret = () => new Uint8Array();
	g.engines.open = () => {
		throw new Error('no memory');
	};
	await g.service.run(say('y'), () => undefined).catch(() => undefined);
	await g.platform.clock.advance(60_000);
	assert.ok(ticks <= 2, `${ticks} ticks`);
});

// --- several windows -----------------------------------------------------------------------------

// Web Locks of one origin, as far as tabs.ts uses them.
class Locks {
	held = new Map(); // name -> { window, lose }
	queues = new Map();
	delay = 0; // from asked for to held, in milliseconds

	of(window) {
		return { request: (name, options, held) => this.request(window, name, options, held) };
	}

	request(window, name, { steal, signal }, held) {
		return new Promise((resolve, reject) => {
			const asked = { window, held, resolve, reject };
			const queue = this.queues.get(name) ?? [];
			this.queues.set(name, queue);
			signal?.addEventListener('abort', () => {
				const at = queue.indexOf(asked);
				if (at >= 0)
					queue.splice(at, 1);
				reject(new DOMException('', 'AbortError'));
			});
			if (steal) {
				this.held.get(name)?.reject(new DOMException('', 'AbortError'));
				this.held.delete(name);
				queue.unshift(asked);
			} else {
				queue.push(asked);
			}
			this.grant(name);
		});
	}

	grant(name) {
		const next = this.held.has(name) ? undefined : this.queues.get(name)?.shift();
		if (next === undefined)
			return;
		this.held.set(name, next);
		const give = () => Promise.resolve(next.held()).then((value) => {
			next.resolve(value);
			this.release(name, next);
		});
		if (this.delay > 0)
			setTimeout(give, this.delay);
		else
			setImmediate(give);
	}

	release(name, one) {
		if (this.held.get(name) !== one)
			return;
		this.held.delete(name);
		this.grant(name);
	}

	// A window is closed.
	close(window) {
		for (const queue of this.queues.values())
			queue.splice(0, queue.length, ...queue.filter((asked) => asked.window !== window));
		for (const [name, one] of [...this.held])
			if (one.window === window)
				this.release(name, one);
	}
}

class World {
	locks = new Locks();
	factory = new IDBFactory();
	windows = [];
	platform = fakePlatform(answers);
	engines = 0;

	open() {
		const [page, worker] = pipe();
		const window = { awake: true };
		const channel = {
			onmessage: null,
			postMessage: (message) => {
				if (!window.awake)
					return;
				for (const other of this.windows)
					if (other !== window)
						setImmediate(() => other.awake && other.channel.onmessage?.({ data: structuredClone(message) }));
			},
		};
		Object.assign(window, { channel, heard: [], links: [] });
		this.windows.push(window);
		new Tabs({
			page: worker, channel, locks: this.locks.of(window), platform: this.platform,
			openService: async () => {
				this.engines += 1;
				window.service = await Service.open(new FakeEngines(), await openStore(this.factory), this.platform);
				return window.service;
			},
		});
		window.messenger = new RemoteMessenger(page);
		window.messenger.onNotice((n) => window.heard.push(n));
		window.messenger.onLink((link) => window.links.push(link.state));
		window.messenger.onLocked(() => window.heard.push({ kind: 'locked' }));
		return window;
	}

	close(window) {
		window.awake = false;
		this.windows = this.windows.filter((one) => one !== window);
		window.service?.end();
		this.locks.close(window);
	}
}

test('two windows have one engine', async () => {
	const world = new World();
	const one = world.open();
	await one.messenger.run(login);
	const two = world.open();
	assert.deepEqual(await two.messenger.state(), { account: 'me', locked: false, loggedIn: true });
	const done = await two.messenger.run(say('from the second'));
	assert.equal(done.message, 1);
	await settle();
	assert.equal(world.engines, 1);
	assert.deepEqual(one.heard.map((n) => n.content?.text), ['from the second']);
	assert.deepEqual((await two.messenger.history(1, null, 9)).map((e) => e.notice.content.text), ['from the second']);
	assert.ok(two.links.length > 0);
});

test('what a window asks before its own lock is held is answered', async () => {
	const world = new World();
	const one = world.open();
	await one.messenger.run(login);
	world.locks.delay = 50;
	const two = world.open();
	assert.equal((await two.messenger.state()).account, 'me');
	await one.messenger.run(say('to both'));
	await until(() => two.heard.length > 0);
	assert.equal(world.engines, 1);
});

test('windows that open at the same time have one engine, too', async () => {
	const world = new World();
	const windows = [world.open(), world.open(), world.open()];
	await windows[2].messenger.run(login);
	for (const window of windows)
		assert.equal((await window.messenger.state()).account, 'me');
	assert.equal(world.engines, 1);
});

test('the next window takes over when the first is closed', async () => {
	const world = new World();
	const one = world.open();
	await one.messenger.run(login);
	await one.messenger.run(say('before'));
	const two = world.open();
	const three = world.open();
	await two.messenger.state();
	await three.messenger.state();
	world.close(one);
	await settle();
	assert.deepEqual(await three.messenger.state(), { account: 'me', locked: false, loggedIn: true });
	await three.messenger.run(say('after'));
	await settle();
	assert.deepEqual((await two.messenger.history(1, null, 9)).map((e) => e.notice.content.text), ['before', 'after']);
	assert.deepEqual(two.heard.map((n) => n.content?.text), ['after']);
});

test('what was asked of a window that is closed is not asked twice', async () => {
	const world = new World();
	const one = world.open();
	await one.messenger.run(login);
	const two = world.open();
	await two.messenger.state();
	world.platform.fetch = () => new Promise(() => undefined);
	const lost = rejects(two.messenger.run(say('perhaps')), 'IO');
	await settle();
	world.platform.fetch = answers;
	world.close(one);
	await lost;
	assert.deepEqual((await two.messenger.conversations()).filter((n) => n.kind === 'outgoing')
		.map((n) => n.content.text), ['perhaps']);
});

test('what only asks is asked again of the window that takes over', async () => {
	const world = new World();
	const one = world.open();
	await one.messenger.run(login);
	const two = world.open();
	const three = world.open();
	await two.messenger.state();
	await three.messenger.state();
	one.awake = false; // and so it never answers
	const asked = [two, three].flatMap(({ messenger }) => [
		messenger.conversations(), messenger.state(), messenger.setSetting('colour', 'green'),
		messenger.run({ kind: 'conversations' }),
	]);
	await settle();
	world.close(one);
	await Promise.all(asked);
	assert.equal(await two.messenger.setting('colour'), 'green');
	assert.equal(world.engines, 2);
});

test('a window that sleeps is robbed, and cannot write any more', async () => {
	const world = new World();
	const one = world.open();
	await one.messenger.run(login);
	const two = world.open();
	await two.messenger.state();
	one.awake = false;
	const state = two.messenger.state();
	state.catch(() => undefined);
	await world.platform.clock.advance(40_000);
	await state.catch(() => undefined);
	assert.equal((await two.messenger.state()).account, 'me');
	assert.equal(world.engines, 2);
	await two.messenger.run(say('of the one that is awake'));
	one.awake = true;
	await assert.rejects(one.service.run(say('of the sleeper'), () => undefined));
	await settle();
	assert.deepEqual((await one.messenger.history(1, null, 9)).map((e) => e.notice.content.text),
		['of the one that is awake']);
});

test('a locked profile stays locked for the window that takes over', async () => {
	const world = new World();
	const one = world.open();
	await one.messenger.run(login);
	const two = world.open();
	await two.messenger.state();
	await one.messenger.lock();
	await settle();
	assert.deepEqual(two.heard.map((n) => n.kind), ['locked']);
	world.close(one);
	await settle();
	assert.equal((await two.messenger.state()).locked, true);
	assert.equal((await two.messenger.unlock('right')).locked, false);
});

// --- search --------------------------------------------------------------------------------------

function shelfOf(books) {
	let reads = 0;
	return {
		get reads() {
			return reads;
		},
		conversations: async () => Object.keys(books),
		after: async (tag, position, limit) => {
			const entries = books[tag].filter((e) => e.position > position).slice(0, limit);
			reads += entries.length;
			return structuredClone(entries);
		},
	};
}

function entry(message, text, more = {}) {
	return { position: message * 8, notice: notice({ kind: 'message', message, time: message,
		username: 'bob', content: { kind: 'text', text }, ...more }) };
}

const textsOf = (entries) => entries.map((e) => e.notice.content.text);

test('folding: neither case nor accents count', () => {
	assert.equal(fold('ÉCOLE Straße ﬁn'), 'ecole straße fin');
	assert.equal(fold('Ωμέγα'), 'ωμεγα');
});

test('every word must be there, newest first, as many as asked for', async () => {
	const search = new Search(shelfOf({
		a: [entry(1, 'the red house'), entry(3, 'a red car'), entry(5, 'blue')],
		b: [entry(2, 'Red Réd'), entry(4, 'housered')],
	}));
	assert.deepEqual(textsOf(await search.find('red', 9)), ['housered', 'a red car', 'Red Réd', 'the red house']);
	assert.deepEqual(textsOf(await search.find('red', 2)), ['housered', 'a red car']);
	assert.deepEqual(textsOf(await search.find(' house  RED ', 9)), ['housered', 'the red house']);
	assert.deepEqual(await search.find('  ', 9), []);
	assert.deepEqual(await search.find('green', 9), []);
});

test('file names and captions are found, other notices are not', async () => {
	const file = (name, text) => ({ kind: 'file', text, file: { id: 'x', name, type: '', size: 1, token: 't' } });
	const search = new Search(shelfOf({ a: [
		entry(1, '', { content: file('report.pdf', 'for you') }),
		entry(2, '', { kind: 'refused', text: 'report', content: null }),
		entry(3, '', { kind: 'deleted', content: null }),
	] }));
	assert.equal((await search.find('report you', 9)).length, 1);
});

test('later searches read what is new, and again what has changed', async () => {
	const books = { a: Array.from({ length: 1203 }, (_, i) => entry(i + 1, `number ${i + 1}`)) };
	const shelf = shelfOf(books);
	const search = new Search(shelf);
	assert.equal((await search.find('number 1203', 9)).length, 1);
	const reads = shelf.reads;
	books.a.push(entry(1204, 'number fresh'));
	books.a[6] = entry(7, 'edited');
	search.purge('a', 7 * 8, 7 * 8);
	search.logged('a', 7 * 8);
	books.a.splice(9, 1);
	search.purge('a', 10 * 8, 10 * 8);
	assert.deepEqual(textsOf(await search.find('fresh', 9)), ['number fresh']);
	assert.deepEqual(textsOf(await search.find('edited', 9)), ['edited']);
	assert.equal((await search.find('number 7', 5000)).filter((e) => e.position === 56).length, 0);
	assert.equal((await search.find('number 10', 5000)).filter((e) => e.position === 80).length, 0);
	assert.equal(shelf.reads, reads + 2);
	search.wipe();
	await search.find('x', 1);
	assert.ok(shelf.reads > 2 * reads - 10);
});

await main();
