// boot.ts - the first script of the page: starts the worker, which takes longest, while the browser
// still reads the app. connect() takes over what is here (core/connect.ts).
import { workerAddress } from './addresses.js';

export interface Boot {
	worker: Worker;
	early: unknown[]; // what the worker said before anybody listened
	failed: boolean;
	// Nothing was ever kept here: so there is no account, and no need to wait for the worker to say so.
	fresh: Promise<boolean>;
}

async function nothingKept(): Promise<boolean> {
	return (await indexedDB.databases()).length === 0;
}

const boot: Boot = {
	fresh: nothingKept().catch(() => false), // asked before the worker makes its database
	worker: new Worker(workerAddress()),
	early: [],
	failed: false,
};
boot.worker.onmessage = (event: MessageEvent<unknown>) => boot.early.push(event.data);
boot.worker.onerror = () => {
	boot.failed = true;
};
(globalThis as { tacitBoot?: Boot }).tacitBoot = boot;
