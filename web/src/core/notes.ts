// notes.ts - small things that are sealed with the rest: settings, and uploads under way.
import type { Engine } from './engine.js';
import type { Host } from './host.js';
import { codeOf, ProblemError } from './problem.js';
import type { FileDesk } from './transfer.js';

const SETTING = 'setting.'; // before the names of the page's settings

export function unlockedOnly(engine: Engine): Engine {
	if (engine.locked() || !engine.hasAccount()) throw new ProblemError('NOT_LOGGED_IN');
	return engine;
}

// null: there is none.
export function noteGet(host: Host, name: string): Promise<Uint8Array | null> {
	return host.read((engine) => {
		try {
			return unlockedOnly(engine).noteGet(name);
		} catch (e) {
			if (codeOf(e) === 'NOT_FOUND') return null;
			throw e;
		}
	});
}

export async function setting(host: Host, name: string): Promise<string> {
	const value = await noteGet(host, SETTING + name);
	return value === null ? '' : new TextDecoder().decode(value);
}

export function setSetting(host: Host, name: string, value: string): Promise<void> {
	return host.notePut(SETTING + name, new TextEncoder().encode(value));
}

// What transfers need of the engine, of whichever is there when they ask.
export function fileDesk(host: Host): FileDesk {
	const ask = <T>(look: (engine: Engine) => T): Promise<T> =>
		host.read((engine) => look(unlockedOnly(engine)));
	return {
		fileNew: () => ask((engine) => engine.fileNew()),
		fileKept: (token) => ask((engine) => engine.fileKept(token)),
		fileAgain: (kept) => ask((engine) => engine.fileAgain(kept)),
		fileHeader: (token) => ask((engine) => engine.fileHeader(token)),
		fileStream: (token, header) => ask((engine) => engine.fileStream(token, header)),
		fileDigest: (header) => ask((engine) => engine.fileDigest(header)),
		noteGet: (name) => noteGet(host, name),
		notePut: (name, value) => host.notePut(name, value),
	};
}
