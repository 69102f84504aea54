// An engine that does little, by the rules of the real one: its state is what it has persisted, and a
// message goes out once it is kept. Whatever it "seals" is JSON.
import { EngineError } from '../../../web/src/core/engine.ts';

const encode = (value) => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
const STATE = new Uint8Array(16).fill(1);
const noteId = (name) => Uint8Array.from({ length: 16 }, (_, i) => (name.charCodeAt(i % name.length) + i * 7) & 255);

export function notice(fields) {
	return {
		kind: 'done', op: 0, error: '', text: '', detail: '', username: '', conversation: 0, message: 0,
		conversationKind: '', title: '', members: [], count: 0, seconds: 0, time: 0, flag: false,
		content: null, ...fields,
	};
}

export function tagOf(conversation) {
	return new Uint8Array(16).fill(conversation);
}

const deliver = (fields) => ({ kind: 'deliver', notice: notice(fields) });

export class FakeEngine {
	state = { sent: 0, waiting: [], session: false, notes: {} };
	ops = 0;
	requests = new Map();
	isLocked = false;
	account = false;
	freed = false;
	calls = [];
	dueAt = Infinity;

	persist() {
		return { kind: 'persist', id: STATE, data: encode(this.state) };
	}

	unlock(password) {
		if (new TextDecoder().decode(password) !== 'right')
			throw new EngineError('BAD_PASSWORD');
		password.fill(0);
		this.isLocked = false;
	}

	unlockWithSecret(secret) {
		if (secret[0] !== 42)
			throw new EngineError('BAD_PASSWORD');
		this.isLocked = false;
	}

	accountSecret() {
		return this.account && !this.isLocked ? new Uint8Array(32).fill(42) : new Uint8Array();
	}

	restore(id, data) {
		if (id[0] === 9 && data.length === 1)
			throw new EngineError('BAD_SEAL');
		if (id[0] === 1 && id[1] === 1)
			this.state = { ...decode(data), notes: this.state.notes };
		else
			Object.assign(this.state.notes, decode(data));
	}

	send(op, method, path, body, then) {
		const request = this.requests.size + 1 + op * 100;
		this.requests.set(request, { then, tries: 0, again: { method, path, body }, op });
		return { kind: 'send', request, method, path, body: encode(body) };
	}

	command(command) {
		const op = ++this.ops;
		this.calls.push(command.kind);
		if (command.kind === 'login') {
			this.account = true;
			return { op, effects: [{ kind: 'profile', data: encode('profile') },
				this.send(op, 'POST', '/api/login', {}, () => {
					this.state.session = true;
					return [this.persist(), deliver({ op })];
				})] };
		}
		if (this.isLocked || !this.account)
			throw new EngineError('NOT_LOGGED_IN');
		if (command.kind === 'send')
			return { op, effects: this.sendMessage(op, command) };
		if (command.kind === 'logout')
			return { op, effects: [this.send(op, 'POST', '/api/logout', {}, () => {
				this.state.session = false;
				return [this.persist(), deliver({ op })];
			})] };
		if (command.kind === 'safety_number')
			return { op, effects: [deliver({ kind: 'safety', op, text: '123' }), deliver({ op })] };
		if (command.kind === 'sync')
			return { op, effects: [this.send(op, 'GET', '/api/sync', {}, () =>
				[deliver({ kind: 'message', op, message: 77 }), deliver({ op, count: 1 })])] };
		return { op, effects: [deliver({ op })] };
	}

	sendMessage(op, { conversation, content }) {
		this.state.waiting.push(content.text);
		return [this.persist(), this.send(op, 'POST', `/api/conversations/${conversation}/messages`,
			{ text: content.text }, () => {
				const message = ++this.state.sent;
				this.state.waiting = this.state.waiting.filter((text) => text !== content.text);
				const line = notice({ kind: 'message', conversation, message, username: 'me', flag: true,
					time: message, content });
				return [this.persist(), { kind: 'log', tag: tagOf(conversation), position: message * 8,
					data: encode(line) }, deliver({ op, conversation, message })];
			})];
	}

	answer(request, { status }) {
		const asked = this.requests.get(request);
		if (asked === undefined)
			throw new EngineError('USAGE');
		if (status === 0 && ++asked.tries < 3)
			return [{ kind: 'send', request, ...asked.again, body: encode(asked.again.body) }];
		this.requests.delete(request);
		if (status === 401)
			return [deliver({ kind: 'failed', op: asked.op, error: 'NOT_LOGGED_IN' })];
		if (status === 0)
			return [deliver({ kind: 'failed', op: asked.op, error: 'NETWORK', flag: true })];
		return asked.then();
	}

	liveUp() {
		this.calls.push('liveUp');
		return [{ kind: 'live', name: 'join_room', body: '{"room_id":1}' }];
	}

	liveDown() {
		this.calls.push('liveDown');
	}

	liveEvent(name, body) {
		this.calls.push(`${name} ${body}`);
		if (name === 'reaction')
			return [{ kind: 'recall', request: 9, tag: tagOf(1), position: JSON.parse(body).id * 8 }];
		if (name === 'nonsense')
			throw new EngineError('MALFORMED');
		if (name === 'trap')
			throw new Error('unreachable');
		return [deliver({ kind: 'message', message: JSON.parse(body).id ?? 0, text: name })];
	}

	due() {
		return this.dueAt;
	}

	tick() {
		this.calls.push('tick');
		this.dueAt = Infinity;
		return [deliver({ kind: 'expired' })];
	}

	recalled(request, sealed) {
		this.calls.push(`recalled ${request} ${sealed.length === 0 ? 'nothing' : decode(sealed).message}`);
		return [deliver({ kind: 'reaction', message: sealed.length === 0 ? 0 : decode(sealed).message })];
	}

	hasAccount() {
		return this.account;
	}

	locked() {
		return this.isLocked;
	}

	loggedIn() {
		return this.account && !this.isLocked && this.state.session;
	}

	username() {
		return this.account ? 'me' : '';
	}

	logTag(conversation) {
		return tagOf(conversation);
	}

	logOpen(tag, position, sealed) {
		return decode(sealed);
	}

	conversations() {
		return [notice({ kind: 'conversation', conversation: 1 }), notice({ kind: 'conversation', conversation: 2 })];
	}

	outgoing() {
		return this.state.waiting.map((text) => notice({ kind: 'outgoing', content: { kind: 'text', text } }));
	}

	notePut(name, value) {
		const text = new TextDecoder().decode(value);
		this.state.notes[name] = text === '' ? undefined : text;
		return [{ kind: 'persist', id: noteId(name), data: encode({ [name]: this.state.notes[name] }) }];
	}

	noteGet(name) {
		const text = this.state.notes[name];
		if (text === undefined)
			throw new EngineError('NOT_FOUND');
		return new TextEncoder().encode(text);
	}

	forgetFiles() {
		this.calls.push('forgetFiles');
	}

	free() {
		this.freed = true;
	}
}

export class FakeEngines {
	made = [];

	get last() {
		return this.made.at(-1);
	}

	create() {
		this.made.push(new FakeEngine());
		return this.last;
	}

	open() {
		const engine = this.create();
		engine.account = true;
		engine.isLocked = true;
		return engine;
	}
}
