// addresses.ts - where the parts of the app are, as the build names them (web/build.mjs).
//
// The page's policy demands Trusted Types: a script's address comes from here, or the browser
// refuses it. Nothing but these constants ever passes the policy.

declare const TACIT_WORKER: string; // '/assets/worker-<hash>.js'
declare const TACIT_CODES: string; // '/assets/codes-<hash>.js'
declare const TACIT_WASM: string; // '/assets/tacit-<hash>.wasm'
declare const TACIT_WASM_INTEGRITY: string; // 'sha384-...', for fetch's option of that name

interface ScriptPolicy {
	createScriptURL(address: string): string;
}
interface PolicyFactory {
	createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy;
}

const SERVICE_WORKER = '/sw.js';

// There can be one policy of a name: the scripts of a page share it.
const shared = globalThis as { trustedTypes?: PolicyFactory; tacitPolicy?: ScriptPolicy };

function trusted(address: string): string {
	const policy = shared.tacitPolicy ?? shared.trustedTypes?.createPolicy('tacit', { createScriptURL: onlyOurs });
	if (policy === undefined) return address;
	shared.tacitPolicy = policy;
	return policy.createScriptURL(address);
}

function onlyOurs(address: string): string {
	if (address !== TACIT_WORKER && address !== TACIT_CODES && address !== SERVICE_WORKER)
		throw new TypeError('not a script of this app');
	return address;
}

// For new Worker(): what the constructor takes, whatever its type says.
export function workerAddress(): string {
	return trusted(TACIT_WORKER);
}

// Likewise: what reads and draws QR codes (scan/codes.ts).
export function codesAddress(): string {
	return trusted(TACIT_CODES);
}

// For navigator.serviceWorker.register().
export function serviceWorkerAddress(): string {
	return trusted(SERVICE_WORKER);
}

// In the worker: fetch(address, { integrity }).
export const wasmAddress: string = TACIT_WASM;
export const wasmIntegrity: string = TACIT_WASM_INTEGRITY;
