// line.ts - a connection to the relay. Reads one message at a time, so that whoever reads slowly slows
// the other end down where the browser has WebSocketStream; elsewhere what came waits here.
import type { Bytes } from '../core/bytes.js';
import { ProblemError } from '../core/problem.js';

export const PATH = '/api/transfer';
const HIGH_WATER = 1024 * 1024; // bytes that wait to leave
const LOOK_MS = 10;

export interface Line {
	// null: the connection is over.
	next(): Promise<Bytes | null>;
	// In order, whoever waits for what. Returns when there is room for more.
	send(messages: readonly Bytes[]): Promise<void>;
	close(): void;
}

// https://websockets.spec.whatwg.org/#the-websocketstream-interface
interface StreamOptions {
	signal: AbortSignal;
}
interface SocketStream {
	readonly opened: Promise<{
		readable: ReadableStream<ArrayBuffer | string>;
		writable: WritableStream<Bytes>;
	}>;
	readonly closed: Promise<unknown>;
	close(): void;
}
type SocketStreamMaker = new (address: string, options: StreamOptions) => SocketStream;

function streamMaker(): SocketStreamMaker | null {
	const found: unknown = (globalThis as { WebSocketStream?: unknown }).WebSocketStream;
	return typeof found === 'function' ? (found as SocketStreamMaker) : null;
}

function address(query: string): string {
	const url = new URL(PATH, location.href);
	url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
	url.search = query;
	return url.href;
}

function binary(message: unknown): Bytes | null {
	return message instanceof ArrayBuffer ? new Uint8Array(message) : null;
}

async function openStream(Maker: SocketStreamMaker, query: string, signal: AbortSignal): Promise<Line> {
	const socket = new Maker(address(query), { signal });
	socket.closed.catch(() => undefined); // the reader hears of it
	const { readable, writable } = await socket.opened;
	const reader = readable.getReader();
	const writer = writable.getWriter();
	writer.closed.catch(() => undefined);
	return {
		next: async () => {
			const got = await reader.read().catch(() => ({ done: true, value: undefined }));
			return got.done ? null : binary(got.value);
		},
		send: async (messages) => {
			for (const message of messages) void writer.write(message).catch(() => undefined);
			await writer.ready.catch(() => undefined);
		},
		close: () => socket.close(),
	};
}

class SocketLine implements Line {
	private readonly came: (Bytes | null)[] = [];
	private wake: () => void = () => undefined;

	constructor(private readonly socket: WebSocket) {
		socket.addEventListener('message', (event: MessageEvent<unknown>) => this.put(binary(event.data)));
		socket.addEventListener('close', () => this.put(null));
	}

	private put(message: Bytes | null): void {
		this.came.push(message);
		this.wake();
	}

	async next(): Promise<Bytes | null> {
		while (this.came.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
		const [first] = this.came;
		if (first === null || first === undefined) return null; // and it stays over
		this.came.shift();
		return first;
	}

	async send(messages: readonly Bytes[]): Promise<void> {
		if (this.socket.readyState !== WebSocket.OPEN) return;
		for (const message of messages) this.socket.send(message);
		while (this.socket.readyState === WebSocket.OPEN && this.socket.bufferedAmount > HIGH_WATER)
			await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
	}

	close(): void {
		this.socket.close();
	}
}

function openSocket(query: string): Promise<Line> {
	return new Promise((resolve, reject) => {
		const socket = new WebSocket(address(query));
		socket.binaryType = 'arraybuffer';
		const line = new SocketLine(socket);
		socket.addEventListener('open', () => resolve(line));
		socket.addEventListener('error', () => reject(new ProblemError('NETWORK')));
	});
}

export async function openLine(query: string, signal: AbortSignal): Promise<Line> {
	const Maker = streamMaker();
	try {
		return await (Maker !== null ? openStream(Maker, query, signal) : openSocket(query));
	} catch {
		throw new ProblemError(signal.aborted ? 'CANCELLED' : 'NETWORK');
	}
}
