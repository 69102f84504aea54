// sw.ts - the service worker: keeps one version of the app's files, so that it starts without a
// network. It knows the files by name and digest from the build, and touches no other request:
// what goes to the API is never seen, let alone kept, here.

type ShellFile = [address: string, integrity: string];
interface Shell {
	version: string;
	files: ShellFile[];
	later: ShellFile[]; // fetched and kept when first asked for
}
declare const TACIT_SHELL: Shell;

// What the compiler's "dom" does not know of; its "webworker" cannot stand beside it.
interface Lasting extends Event {
	waitUntil(done: Promise<unknown>): void;
}
interface Fetching extends Lasting {
	readonly request: Request;
	respondWith(answer: Promise<Response>): void;
}
interface Scope {
	readonly clients: { claim(): Promise<void> };
	skipWaiting(): Promise<void>;
	addEventListener(type: 'install' | 'activate', run: (event: Lasting) => void): void;
	addEventListener(type: 'fetch', run: (event: Fetching) => void): void;
	addEventListener(type: 'message', run: (event: MessageEvent) => void): void;
}
const scope = globalThis as unknown as Scope;

const PREFIX = 'tacit-shell-';
const CACHE = PREFIX + TACIT_SHELL.version;
const LATER = new Map(TACIT_SHELL.later);
const ADDRESSES = new Set([...TACIT_SHELL.files, ...TACIT_SHELL.later].map(([address]) => address));

// The page is HTML to those alone who ask for it. Names without a hash may be old in the browser's
// own cache: the digest would refuse them for ever.
async function keep(cache: Cache, address: string, integrity: string): Promise<void> {
	const request = new Request(address, {
		headers: address === '/' ? { accept: 'text/html' } : {},
		cache: 'no-cache',
		integrity,
	});
	const answer = await fetch(request);
	if (!answer.ok) throw new TypeError(`${address}: ${answer.status}`);
	await cache.put(address, answer);
}

async function install(): Promise<void> {
	const cache = await caches.open(CACHE);
	await Promise.all(TACIT_SHELL.files.map(([address, integrity]) => keep(cache, address, integrity)));
	// Who had it goes on having it: a name tells its bytes.
	for (const address of LATER.keys()) {
		const had = await caches.match(address, { ignoreVary: true });
		if (had !== undefined) await cache.put(address, had);
	}
}

async function activate(): Promise<void> {
	for (const name of await caches.keys()) {
		if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
	}
	await scope.clients.claim();
}

async function answer(request: Request, address: string): Promise<Response> {
	const kept = (): Promise<Response | undefined> => caches.match(address, { cacheName: CACHE, ignoreVary: true });
	const integrity = LATER.get(address);
	const had = await kept();
	if (had === undefined && integrity !== undefined) await keep(await caches.open(CACHE), address, integrity);
	return had ?? (await kept()) ?? fetch(request);
}

function addressOf(request: Request): string | null {
	const url = new URL(request.url);
	if (request.method !== 'GET' || url.origin !== location.origin) return null;
	if (url.pathname === '/' && request.mode !== 'navigate') return null; // the API's own answer there
	return ADDRESSES.has(url.pathname) ? url.pathname : null;
}

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('fetch', (event) => {
	const address = addressOf(event.request);
	if (address !== null) event.respondWith(answer(event.request, address));
});
// A new version waits until the page says that its person agreed.
scope.addEventListener('message', (event) => {
	if (event.data === 'take-over') void scope.skipWaiting();
});
