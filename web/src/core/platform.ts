// platform.ts - what the worker needs of its surroundings, so that tests can be the surroundings.

export interface LiveSocket {
	readonly readyState: number;
	send(text: string): void;
	close(code?: number): void;
	onopen: ((event: Event) => void) | null;
	onmessage: ((event: MessageEvent) => void) | null;
	onclose: ((event: CloseEvent) => void) | null;
	onerror: ((event: Event) => void) | null;
}

export interface Platform {
	readonly origin: string; // of the server: 'https://chat.example.org'
	fetch(path: string, init: RequestInit): Promise<Response>;
	openSocket(url: string): LiveSocket;
	now(): number; // milliseconds since 1970
	monotonic(): number; // milliseconds on a clock that does not go back
	// Runs `then` once after that long; what it returns calls it off.
	after(ms: number, then: () => void): () => void;
	// The network has gone ('offline') or come ('online'), as far as the machine knows.
	onNetwork(hear: (online: boolean) => void): void;
}

const LONGEST_TIMER = 2 ** 31 - 1;

export function browserPlatform(): Platform {
	return {
		origin: location.origin,
		fetch: (path, init) => fetch(path, init),
		openSocket: (url) => new WebSocket(url),
		now: () => Date.now(),
		monotonic: () => performance.now(),
		after(ms, then) {
			const timer = setTimeout(then, Math.min(Math.max(ms, 0), LONGEST_TIMER));
			return () => clearTimeout(timer);
		},
		onNetwork(hear) {
			addEventListener('online', () => hear(true));
			addEventListener('offline', () => hear(false));
		},
	};
}
