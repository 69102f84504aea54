// connect.ts - the page's way to the worker.
import type { Messenger } from '../messenger.js';
import type { Boot } from '../boot.js';
import { RemoteMessenger } from './remote.js';
import type { ToPage, ToWorker } from './rpc.js';

const ACTIVITY_MS = 5000; // at most that often
const SIGNS = ['pointerdown', 'keydown', 'wheel', 'touchstart'];

// Someone is there: the worker locks when nobody was for as long as the person set.
function reportActivity(messenger: RemoteMessenger): void {
	let last = -Infinity;
	const report = (): void => {
		const now = performance.now();
		if (now - last < ACTIVITY_MS) return;
		last = now;
		messenger.activity();
	};
	for (const sign of SIGNS) addEventListener(sign, report, { passive: true, capture: true });
	document.addEventListener('visibilitychange', () => {
		if (document.visibilityState === 'visible') report();
	});
}

// The browser is asked not to throw away what is here when the disk fills up. Only a page can ask, and
// some browsers ask the person: so not before there is something to keep.
function askToPersist(): void {
	navigator.storage?.persist?.().catch(() => undefined);
}

export function connect(): Messenger {
	const boot = (globalThis as unknown as { tacitBoot: Boot }).tacitBoot;
	const { worker } = boot;
	const port = {
		post: (message: ToWorker) => worker.postMessage(message),
		listen(hear: (message: ToPage) => void) {
			worker.onmessage = (event: MessageEvent) => hear(event.data as ToPage);
			for (const message of boot.early.splice(0)) hear(message as ToPage);
		},
	};
	const messenger = new RemoteMessenger(port, askToPersist, boot.fresh);
	worker.onerror = () => messenger.fail({ code: 'IO', text: 'The app could not be started.' });
	if (boot.failed) worker.onerror(new ErrorEvent('error'));
	reportActivity(messenger);
	return messenger;
}
