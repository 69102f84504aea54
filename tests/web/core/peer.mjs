// Browsers without a browser: worker and page of the web client in Node, driven by JSON lines
// (tests/support/web_worker.py). Each browser has its own database and cookies.
// Usage: node peer.mjs MODULE.wasm ORIGIN
import './node18.mjs';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { WebSocket } from 'ws';
import { browserPlatform } from '../../../web/src/core/platform.ts';
import { ProblemError } from '../../../web/src/core/problem.ts';
import { RemoteMessenger } from '../../../web/src/core/remote.ts';
import { Seat } from '../../../web/src/core/rpc.ts';
import { Service } from '../../../web/src/core/service.ts';
import { openStore, persists } from '../../../web/src/core/store.ts';
import { enginesOf } from '../../../web/src/core/wasm_engine.ts';

const WAIT_MS = 60000;
const [, , wasm, origin] = process.argv;
const module = await WebAssembly.compile(await readFile(wasm));
globalThis.location = { origin };

// The browser's part: cookies, and the headers that pages cannot forge.
class Surroundings {
	cookies = new Map();
	offline = false;
	sockets = new Set();
	failing = { after: 0, steps: 0 }; // the store keeps so many steps, and then so many not
	live = true;
	losing = 0; // answers to messages that get lost
	networkEars = [];
	requests = [];
	said = []; // live
	listening = true; // to what is sent

	headers() {
		return { Cookie: [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; '), Origin: origin };
	}

	take(response) {
		for (const line of response.headers.getSetCookie?.() ?? [response.headers.get('set-cookie') ?? '']) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
			if (value === '')
				this.cookies.delete(name);
			else if (name !== undefined)
				this.cookies.set(name, value);
		}
	}

	platform() {
		return {
			...browserPlatformOfNode(),
			origin,
			fetch: (path, init) => this.fetch(path, init),
			openSocket: (url) => this.openSocket(url),
			onNetwork: (hear) => this.networkEars.push(hear),
		};
	}

	async fetch(path, init) {
		if (this.listening)
			this.requests.push({ method: init.method, path, body: Buffer.from(init.body ?? '') });
		if (this.offline)
			throw new TypeError('fetch failed');
		const lost = this.losing > 0 && init.method === 'POST' && path.endsWith('/messages');
		const response = await fetch(origin + path, { ...init, headers: { ...init.headers, ...this.headers() } });
		this.take(response);
		if (lost) {
			this.losing -= 1;
			throw new TypeError('fetch failed');
		}
		return response;
	}

	openSocket(url) {
		const socket = new WebSocket(this.offline || !this.live ? 'ws://127.0.0.1:1/' : url, { headers: this.headers() });
		this.sockets.add(socket);
		const send = socket.send.bind(socket);
		socket.send = (text) => {
			this.said.push(text);
			send(text);
		};
		return socket;
	}

	setOffline(offline) {
		this.offline = offline;
		if (offline)
			for (const socket of this.sockets)
				socket.terminate();
		for (const hear of this.networkEars)
			hear(!offline);
	}
}

function browserPlatformOfNode() {
	const { now, monotonic, after } = browserPlatform();
	return { now, monotonic, after };
}

function failingStore(store, around) {
	return new Proxy(store, {
		get(target, name) {
			if (name === 'apply')
				return async (effects) => {
					if (around.failing.steps > 0 && persists(effects) && around.failing.after-- <= 0) {
						around.failing.steps -= 1;
						throw new ProblemError('STORE');
					}
					return target.apply(effects);
				};
			const value = target[name];
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
}

// Both ends of a port, as between a page and its worker.
function pipe() {
	const ends = [{}, {}];
	for (const [i, end] of ends.entries()) {
		end.post = (message, transfer) => {
			const copy = structuredClone(message, { transfer: transfer ?? [] });
			setImmediate(() => ends[1 - i].hear?.(copy));
		};
		end.listen = (hear) => {
			end.hear = hear;
		};
	}
	return ends;
}

class Browser {
	around = new Surroundings();
	factory = new IDBFactory();
	heard = [];
	links = [];
	lockings = 0;

	async open() {
		const [page, worker] = pipe();
		const store = failingStore(await openStore(this.factory), this.around);
		this.service = Service.open(enginesOf(module), store, this.around.platform());
		const service = this.service;
		const seat = new Seat(worker, () => service);
		worker.listen((message) => seat.take(message));
		this.messenger = new RemoteMessenger(page);
		this.messenger.onNotice((notice) => this.heard.push(notice));
		this.messenger.onLink((link) => this.links.push(link));
		this.messenger.onLocked(() => {
			this.lockings += 1;
		});
		await this.service;
	}

	// A window that is closed, or a crash: nobody says goodbye.
	async reload() {
		this.around.networkEars = [];
		for (const socket of this.around.sockets)
			socket.terminate();
		(await this.service).end();
		this.heard = [];
		this.links = [];
		await this.open();
	}
}

const browsers = new Map();

async function browserOf(name) {
	if (!browsers.has(name)) {
		browsers.set(name, new Browser());
		await browsers.get(name).open();
	}
	return browsers.get(name);
}

function fits(notice, wanted) {
	return Object.entries(wanted).every(([name, value]) => typeof value === 'object'
		? typeof notice[name] === 'object' && notice[name] !== null && fits(notice[name], value)
		: notice[name] === value);
}

async function until(look, what) {
	const end = Date.now() + WAIT_MS;
	for (;;) {
		const value = look();
		if (value !== undefined)
			return value;
		if (Date.now() > end)
			throw Object.assign(new Error(`did not come: ${what()}`), { code: 'DID_NOT_COME' });
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

// The part of a text's base64 that does not depend on what stands around it, at one of three places.
function inBase64(text, place) {
	const bytes = Buffer.concat([Buffer.alloc(place), Buffer.from(text)]);
	const whole = bytes.toString('base64').replace(/=+$/, '');
	return whole.slice([0, 2, 3][place], bytes.length % 3 === 0 ? undefined : -1); // all that is the text's alone
}

// Bytes in buffers, without what nobody holds any more.
function heldNow() {
	globalThis.gc();
	return process.memoryUsage().arrayBuffers;
}

// The most that buffers have taken while work was done, in bytes beyond what they took before.
async function peakOf(work) {
	let before = Infinity;
	for (let i = 0; i < 5; i++) { // some are given back only after a turn
		await new Promise((resolve) => setTimeout(resolve, 20));
		before = Math.min(before, heldNow());
	}
	let most = 0;
	const look = () => {
		most = Math.max(most, heldNow() - before);
	};
	const timer = setInterval(look, 250);
	try {
		await work();
	} finally {
		clearInterval(timer);
	}
	look();
	return most;
}

const DEEDS = {
	async run(b, { command }) {
		const told = [];
		const done = await b.messenger.run(command, (notice) => told.push(notice));
		return { done, told };
	},
	state: (b) => b.messenger.state(),
	unlock: (b, { password }) => b.messenger.unlock(password),
	lock: (b) => b.messenger.lock(),
	forget: (b) => b.messenger.forget(),
	conversations: (b) => b.messenger.conversations(),
	history: (b, { conversation, before, limit }) => b.messenger.history(conversation, before, limit),
	search: (b, { query, limit }) => b.messenger.search(query, limit),
	setting: (b, { name }) => b.messenger.setting(name),
	setSetting: (b, { name, value }) => b.messenger.setSetting(name, value),
	heard: (b, { notice }) => until(() => b.heard.find((n) => fits(n, notice)),
		() => JSON.stringify([notice, b.heard.slice(-5)])),
	count: (b, { notice }) => b.heard.filter((n) => fits(n, notice)).length,
	link: (b, { state }) => until(() => b.links.at(-1)?.state === state ? b.links.at(-1) : undefined,
		() => `${state}, but ${JSON.stringify(b.links)}`),
	reload: (b) => b.reload(),
	offline: (b, { offline }) => b.around.setOffline(offline),
	failing: (b, { after, steps }) => void (b.around.failing = { after: after ?? 0, steps }),
	losing: (b, { answers }) => void (b.around.losing = answers),
	live: (b, { live }) => void (b.around.live = live),
	requests: (b) => b.around.requests.map(({ method, path, body }) => ({ method, path, bytes: body.length })),
	// Whether a text stands in what was sent, as it is or in base64.
	sent: (b, { text }) => [text, ...[0, 1, 2].map((n) => inBase64(text, n))].some((form) =>
		b.around.requests.some(({ path, body }) => path.includes(form) || body.includes(form))
			|| b.around.said.some((line) => line.includes(form))),
	lockings: (b) => b.lockings,
	async sendFile(b, { conversation, path, name, caption, modified, abortAt, offlineAtEnd }) {
		const file = new File([await openAsBlobOrRead(path)], name, { type: 'application/x-test', lastModified: modified ?? 1 });
		const controller = new AbortController();
		const told = [];
		const done = await b.messenger.sendFile(conversation, file, name, caption ?? '', (p) => {
			told.push(p);
			if (abortAt !== undefined && p.done >= abortAt)
				controller.abort();
			if (offlineAtEnd && p.done === p.total)
				b.around.setOffline(true);
		}, controller.signal);
		return { done, progress: [told[0], told.at(-1)] };
	},
	// Sends a file and saves it again, into nothing but a hash.
	async flat(b, { conversation, path, name }) {
		b.around.listening = false;
		const file = new File([await openAsBlobOrRead(path)], name);
		const signal = new AbortController().signal;
		let sent;
		const up = await peakOf(async () => {
			sent = await b.messenger.sendFile(conversation, file, name, '', () => undefined, signal);
		});
		const [{ notice }] = (await b.messenger.history(conversation, (sent.message + 1) * 8, 1));
		const hash = createHash('sha256');
		const sink = new WritableStream({ write: (bytes) => void hash.update(bytes) });
		const down = await peakOf(() => b.messenger.saveFile(notice.content.file, sink, () => undefined, signal));
		b.around.listening = true;
		return { up, down, fromDisk: fs.openAsBlob !== undefined, sha256: hash.digest('hex') };
	},
	async saveFile(b, { file, path }) {
		const parts = [];
		let state = 'open';
		const sink = new WritableStream({
			write: (bytes) => void parts.push(Buffer.from(bytes)),
			close: () => void (state = 'closed'),
			abort: () => void (state = 'aborted'),
		});
		try {
			await b.messenger.saveFile(file, sink, () => undefined, new AbortController().signal);
		} catch (e) {
			throw { ...e, sink: state };
		}
		await writeFile(path, Buffer.concat(parts));
		return state;
	},
};

async function openAsBlobOrRead(path) {
	return fs.openAsBlob !== undefined ? fs.openAsBlob(path) : readFile(path); // Node 18 reads it
}

function reply(line) {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
	const { id, browser, deed, ...rest } = JSON.parse(line);
	browserOf(browser)
		.then((b) => DEEDS[deed](b, rest))
		.then((result) => reply({ id, result: result ?? null }))
		.catch((e) => reply({ id, problem: { code: e.code ?? 'FAULT', text: String(e.text ?? e.stack ?? e), sink: e.sink } }));
}
process.exit(0);
