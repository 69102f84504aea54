// worker.ts - the entry of the dedicated worker of each window.
import { wasmAddress, wasmIntegrity } from '../addresses.js';
import { browserPlatform } from './platform.js';
import type { ToPage, ToWorker } from './rpc.js';
import { Service } from './service.js';
import { openStore } from './store.js';
import { type Locks, Tabs } from './tabs.js';
import { loadEngines } from './wasm_engine.js';

interface WorkerScope {
	postMessage(message: unknown, transfer: Transferable[]): void;
	onmessage: ((event: MessageEvent) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
const platform = browserPlatform();

const page = {
	post: (message: ToPage, transfer: Transferable[] = []) => scope.postMessage(message, transfer),
	listen(hear: (message: ToWorker) => void) {
		scope.onmessage = (event) => hear(event.data as ToWorker);
	},
};

const locks: Locks = {
	request: (name, options, held) => navigator.locks.request(name, options, held),
};

async function openService(): Promise<Service> {
	const [engines, store] = await Promise.all([
		loadEngines(wasmAddress, wasmIntegrity),
		openStore(indexedDB),
	]);
	return Service.open(engines, store, platform);
}

// Workers of another version speak another language: each version has a channel of its own.
const channel = new BroadcastChannel(`tacit ${location.pathname}`);
new Tabs({ page, channel, locks, platform, openService });
