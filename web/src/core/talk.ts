// talk.ts - one live connection: WebSocket, Engine.IO 4, Socket.IO 5 (client/talk.c).
//
//   greeting: WebSocket opens -> OPEN -> CONNECT -> open: events both ways -> ended, with a reason
import type { LiveSocket, Platform } from './platform.js';
import { CONNECT, eventPacket, PONG, parsePacket, type Packet } from './live_packets.js';
import { codeOf } from './problem.js';

const HANDSHAKE_MS = 20_000;
const MAX_MESSAGE = 32 * 1024 * 1024;
const TRY_LATER = 1013; // RFC 6455 7.4.1, registered with IANA
const LATER = new Set(['RATE_LIMITED', 'TOO_MANY_REQUESTS', 'UNAVAILABLE', 'INTERNAL']);

export interface TalkEars {
	opened(): void;
	event(name: string, body: string): void;
	// NOT_LOGGED_IN, UNSUPPORTED (nothing live there), LIMIT (told to come later), NETWORK, MALFORMED.
	ended(why: string): void;
}

type Phase = 'dialling' | 'opening' | 'connecting' | 'open' | 'ended';

export class Talk {
	private phase: Phase = 'dialling';
	private readonly socket: LiveSocket;
	private callOff: () => void;
	private patience = HANDSHAKE_MS;

	constructor(
		private readonly platform: Platform,
		private readonly ears: TalkEars,
	) {
		const url = new URL('/socket.io/?EIO=4&transport=websocket', platform.origin);
		url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
		this.socket = platform.openSocket(url.href);
		this.callOff = this.wait();
		this.socket.onopen = () => {
			if (this.phase === 'dialling') this.phase = 'opening';
		};
		this.socket.onmessage = (event) => this.take(event.data);
		this.socket.onerror = () => undefined; // a close follows
		this.socket.onclose = (event) => {
			if (this.phase === 'dialling') this.end('UNSUPPORTED');
			else this.end(event.code === TRY_LATER ? 'LIMIT' : 'NETWORK');
		};
	}

	private wait(): () => void {
		return this.platform.after(this.patience, () => this.end('NETWORK'));
	}

	private end(why: string): void {
		if (this.phase === 'ended') return;
		this.phase = 'ended';
		this.callOff();
		this.socket.close();
		this.ears.ended(why);
	}

	private take(data: unknown): void {
		if (this.phase === 'ended') return;
		this.callOff();
		this.callOff = this.wait();
		if (typeof data !== 'string') return;
		if (data.length > MAX_MESSAGE) return this.end('TOO_LARGE');
		try {
			this.takePacket(parsePacket(data));
		} catch (e) {
			this.end(codeOf(e));
		}
	}

	private takePacket(packet: Packet): void {
		switch (packet.kind) {
			case 'open':
				if (this.phase !== 'opening') return this.end('MALFORMED');
				this.patience = packet.silenceMs;
				this.phase = 'connecting';
				this.socket.send(CONNECT);
				break;
			case 'ping':
				this.socket.send(PONG + packet.data);
				break;
			case 'connect':
				if (this.phase !== 'connecting') break;
				this.phase = 'open';
				this.ears.opened();
				break;
			case 'event':
				if (this.phase === 'open') this.ears.event(packet.name, packet.body);
				break;
			case 'refused':
				this.end(LATER.has(packet.code) ? 'LIMIT' : 'NOT_LOGGED_IN');
				break;
			case 'close':
			case 'disconnect':
				this.end('NETWORK');
				break;
			default:
				break;
		}
	}

	// Dropped when the talk is not open.
	say(name: string, body: string): void {
		if (this.phase === 'open') this.socket.send(eventPacket(name, body));
	}

	// Ends without a word to the ears.
	hangUp(): void {
		if (this.phase === 'ended') return;
		this.phase = 'ended';
		this.callOff();
		this.socket.close(1000);
	}
}
