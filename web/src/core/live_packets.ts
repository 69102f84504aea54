// live_packets.ts - the text packets of Engine.IO 4 and Socket.IO 5 in the default namespace, as
// core/wire/eio.h and sio.h have them. Anything else is MALFORMED.
import { ProblemError } from './problem.js';

export type Packet =
	| { kind: 'open'; silenceMs: number } // longer than that without a word: the connection is dead
	| { kind: 'ping'; data: string }
	| { kind: 'close' }
	| { kind: 'connect' }
	| { kind: 'refused'; code: string }
	| { kind: 'disconnect' }
	| { kind: 'event'; name: string; body: string }
	| { kind: 'other' }; // of no use to us

const DAY_MS = 86_400_000;
const MAX_NAME = 64;
const OTHER: Packet = { kind: 'other' };

export const CONNECT = '40';
export const PONG = '3';

function malformed(): never {
	throw new ProblemError('MALFORMED');
}

function json(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return malformed();
	}
}

function field(value: unknown, name: string): unknown {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
	return (value as Record<string, unknown>)[name];
}

function interval(value: unknown): number {
	if (typeof value !== 'number' || !(value > 0 && value <= DAY_MS)) return malformed();
	return value;
}

function open(data: string): Packet {
	const said = json(data);
	if (typeof field(said, 'sid') !== 'string') return malformed();
	return {
		kind: 'open',
		silenceMs: interval(field(said, 'pingInterval')) + interval(field(said, 'pingTimeout')),
	};
}

function event(data: string): Packet {
	const args = json(data);
	if (!Array.isArray(args)) return malformed();
	const name: unknown = args[0];
	if (typeof name !== 'string') return malformed();
	if (name.length > MAX_NAME) return OTHER;
	return { kind: 'event', name, body: JSON.stringify(args[1] ?? null) };
}

function refused(data: string): Packet {
	const code = field(field(json(data), 'data'), 'code');
	return { kind: 'refused', code: typeof code === 'string' ? code : '' };
}

// type, namespace (none: the default one), acknowledgement; then JSON, or nothing.
const HEAD = /^([0-6])(?:(\/[^,]{0,63}),)?(\d{0,16})/;

function message(text: string): Packet {
	const head = HEAD.exec(text);
	if (head === null) return malformed();
	const [whole, type, space] = head;
	const data = text.slice(whole.length);
	if (space !== undefined && space !== '/') return OTHER;
	switch (type) {
		case '0':
			return { kind: 'connect' };
		case '1':
			return { kind: 'disconnect' };
		case '2':
			return event(data);
		case '4':
			return refused(data);
		default: // no acknowledgement was asked for, and no event of ours is binary
			return OTHER;
	}
}

export function parsePacket(text: string): Packet {
	const data = text.slice(1);
	switch (text[0]) {
		case '0':
			return open(data);
		case '1':
			return { kind: 'close' };
		case '2':
			return { kind: 'ping', data };
		case '3':
		case '5':
		case '6':
			return OTHER;
		case '4':
			return message(data);
		default:
			return malformed();
	}
}

// name: of the engine; body: JSON.
export function eventPacket(name: string, body: string): string {
	return `42${JSON.stringify([name]).slice(0, -1)},${body}]`;
}
