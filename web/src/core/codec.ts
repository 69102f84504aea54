// codec.ts - commands to the core, effects and notices from it, in the form of wasm/abi.h.
//
// The words of kinds are those of wasm/words.c, which the types in messenger.ts and engine.ts repeat;
// tests/wasm/module_test.mjs holds them against each other.
import type { Command, Content, Notice } from '../messenger.js';
import type { Effect } from './engine.js';
import { EngineError } from './engine.js';
import { Reader, Writer } from './cursor.js';

const ID_BYTES = 16;

function writeContent(w: Writer, content: Content): void {
	w.word(content.kind);
	w.text('text' in content ? content.text : '');
	w.u64('replyTo' in content ? (content.replyTo ?? 0) : 0);
	w.u64('message' in content ? content.message : 0);
	if (content.kind !== 'file') return;
	w.text(content.file.id);
	w.text(content.file.name);
	w.text(content.file.type);
	w.u64(content.file.size);
	w.text(content.file.token);
}

// Every field that a command of some kind has.
interface Said {
	kind: string;
	username?: string;
	email?: string;
	text?: string;
	password?: string;
	code?: string;
	conversation?: number;
	message?: number;
	seconds?: number;
	flag?: boolean;
	users?: string[];
	content?: Content;
}

// Secrets among it: wipe the writer.
export function writeCommand(w: Writer, command: Command): void {
	const said: Said = command;
	w.word(command.kind);
	for (const name of ['username', 'email', 'text', 'password', 'code'] as const) w.text(said[name] ?? '');
	for (const name of ['conversation', 'message', 'seconds'] as const) w.u64(said[name] ?? 0);
	w.u8(said.flag === true ? 1 : 0);
	const users = said.users ?? [];
	w.u32(users.length);
	for (const name of users) w.text(name);
	w.u8(said.content === undefined ? 0 : 1);
	if (said.content !== undefined) writeContent(w, said.content);
}

function readContent(r: Reader): Content {
	const kind = r.word();
	const text = r.text();
	const replyTo = r.u64();
	const message = r.u64();
	const reply = replyTo === 0 ? {} : { replyTo };
	switch (kind) {
		case 'text':
			return { kind, text, ...reply };
		case 'file': {
			const [id, name, type] = [r.text(), r.text(), r.text()];
			return { kind, text, file: { id, name, type, size: r.u64(), token: r.text() }, ...reply };
		}
		case 'reaction':
		case 'edit':
			return { kind, message, text };
		case 'delete':
			return { kind, message };
		default:
			throw new EngineError('UNSUPPORTED');
	}
}

function lines(text: string): string[] {
	return text.split('\n').filter((line) => line !== '');
}

export function readNotice(r: Reader): Notice {
	return {
		kind: r.word() as Notice['kind'],
		op: r.u64(),
		error: r.word(),
		text: r.text(),
		detail: r.text(),
		username: r.text(),
		conversation: r.u64(),
		message: r.u64(),
		conversationKind: r.word() as Notice['conversationKind'],
		title: r.text(),
		members: lines(r.text()),
		count: r.u64(),
		seconds: r.u64(),
		time: r.u64(),
		flag: r.u8() !== 0,
		content: r.u8() !== 0 ? readContent(r) : null,
	};
}

export function readNotices(r: Reader): Notice[] {
	return Array.from({ length: r.u32() }, () => readNotice(r));
}

type Method = Extract<Effect, { kind: 'send' }>['method'];

function readEffect(r: Reader): Effect {
	const kind = r.word();
	switch (kind) {
		case 'persist':
			return { kind, id: r.raw(ID_BYTES), data: r.bytes() };
		case 'profile':
		case 'cookie':
			return { kind, data: r.bytes() };
		case 'log':
			return { kind, tag: r.raw(ID_BYTES), position: r.u64(), data: r.bytes() };
		case 'purge':
			return { kind, tag: r.raw(ID_BYTES), from: r.u64(), until: r.bound() };
		case 'recall':
			return { kind, request: r.u64(), tag: r.raw(ID_BYTES), position: r.u64() };
		case 'send':
			return { kind, request: r.u64(), method: r.word() as Method, path: r.text(), body: r.bytes() };
		case 'deliver':
			return { kind, notice: readNotice(r) };
		case 'live':
			return { kind, name: r.text(), body: r.text() };
		default:
			throw new EngineError('UNSUPPORTED');
	}
}

export function readEffects(r: Reader): Effect[] {
	return Array.from({ length: r.u32() }, () => readEffect(r));
}
