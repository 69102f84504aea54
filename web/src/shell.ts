// shell.ts - the page's side of the service worker: starts it, and tells of new versions.
import { serviceWorkerAddress } from './addresses.js';

const SETTLED_MS = 1000;

// A new version is here: `apply` loads it into every window.
export type NewVersion = (apply: () => void) => void;

function offer(waiting: ServiceWorker, tell: NewVersion): void {
	tell(() => waiting.postMessage('take-over'));
}

// All windows at once: those of an older version would fight for the profile (core/tabs.ts), and wait
// for answers in a language that nobody speaks any more.
function followTheVersion(): void {
	let settled = navigator.serviceWorker.controller !== null;
	navigator.serviceWorker.addEventListener('controllerchange', () => {
		if (settled) location.reload();
		settled = true; // the first version took the page over as it is
	});
}

// It fetches all of the app once more, which nobody should wait for.
function afterTheStart(): Promise<void> {
	return new Promise((resolve) => {
		const soon = (): unknown => setTimeout(resolve, SETTLED_MS);
		if (document.readyState === 'complete') soon();
		else addEventListener('load', soon, { once: true });
	});
}

// Without a service worker (none in this browser, a private window) the app only needs its network.
export async function startShell(tell: NewVersion): Promise<void> {
	if (!('serviceWorker' in navigator)) return;
	followTheVersion();
	await afterTheStart();
	const registration = await navigator.serviceWorker
		.register(serviceWorkerAddress(), { updateViaCache: 'none' })
		.catch(() => null);
	if (registration === null) return;
	if (registration.waiting !== null && navigator.serviceWorker.controller !== null)
		offer(registration.waiting, tell);
	registration.addEventListener('updatefound', () => {
		const fresh = registration.installing;
		fresh?.addEventListener('statechange', () => {
			// Without a controller it is the first version, and nothing new.
			if (fresh.state === 'installed' && navigator.serviceWorker.controller !== null) offer(fresh, tell);
		});
	});
}
