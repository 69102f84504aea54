// state.ts - how each notice, and what the person does, changes the world. Pure: the same world and
// notice give the same world; what has not changed keeps its identity.
import type { Entry, Notice } from '../messenger.js';
import { addLive, addPage, amend, dropMessages, emptyTimeline, isLoud, isNoDevice, isRemoval, isSaid } from './timeline.js';
import { changedKeys, type Alert, type Conversation, type Outgoing, type Presence, type World } from './world.js';

export const TYPING_LASTS = 8; // seconds

// --- parts --------------------------------------------------------------------------------------

function change(world: World, id: number, changes: Partial<Conversation>): World {
	const old = world.conversations.get(id);
	if (old === undefined)
		return world;
	return { ...world, conversations: new Map(world.conversations).set(id, { ...old, ...changes }) };
}

function describe(world: World, n: Notice): World {
	const old = world.conversations.get(n.conversation);
	const marks = n.detail.split('\n');
	const readUpTo = new Map(old?.readUpTo);
	n.members.forEach((name, i) => {
		const upTo = Number(marks[i] ?? 0);
		if (upTo > (readUpTo.get(name) ?? 0))
			readUpTo.set(name, upTo);
	});
	const others = n.members.filter((name) => name !== world.self);
	const next: Conversation = {
		newest: 0,
		last: null,
		movedAt: 0,
		...old,
		id: n.conversation,
		kind: n.conversationKind === '' ? 'group' : n.conversationKind,
		// Sessions have no name, and that of a group is sealed until somebody lets this device in.
		named: n.title !== '',
		title: n.title !== '' ? n.title : (others.length > 0 ? others : n.members).join(', '),
		members: n.members,
		unread: n.count,
		verified: n.flag,
		kept: n.seconds,
		endsAt: n.time,
		readUpTo,
		closed: false,
		left: false,
	};
	return { ...world, conversations: new Map(world.conversations).set(next.id, next) };
}

function stopTyping(world: World, conversation: number, username: string): World {
	const those = world.typing.get(conversation);
	if (those === undefined || !those.has(username))
		return world;
	const rest = new Map(those);
	rest.delete(username);
	return { ...world, typing: new Map(world.typing).set(conversation, rest) };
}

function onTyping(world: World, n: Notice, now: number): World {
	if (n.username === world.self)
		return world;
	if (!n.flag)
		return stopTyping(world, n.conversation, n.username);
	const those = new Map(world.typing.get(n.conversation)).set(n.username, now + TYPING_LASTS);
	return { ...world, typing: new Map(world.typing).set(n.conversation, those) };
}

export function expireTyping(world: World, now: number): World {
	let next = world;
	for (const [id, those] of world.typing)
		for (const [name, until] of those)
			if (until <= now)
				next = stopTyping(next, id, name);
	return next;
}

function onSaid(world: World, n: Notice): World {
	const c = world.conversations.get(n.conversation);
	if (c === undefined)
		return world;
	const isNew = isSaid(n) && n.message > c.newest;
	const counts = isNew && n.kind === 'message' && !n.flag;
	const timeline = world.timelines.get(n.conversation);
	let next = change(world, n.conversation, {
		unread: c.unread + (counts ? 1 : 0),
		newest: Math.max(c.newest, isSaid(n) ? n.message : 0),
		last: isNewer(n, c.last) ? n : c.last,
		movedAt: Math.max(c.movedAt, n.time),
	});
	if (timeline !== undefined)
		next = { ...next, timelines: new Map(next.timelines).set(n.conversation, addLive(timeline, n)) };
	return isNew ? stopTyping(next, n.conversation, n.username) : next;
}

function isNewer(n: Notice, last: Notice | null): boolean {
	return last === null || n.message === 0 || n.message >= last.message;
}

// What a message has become, in the conversation and as its last line.
function onChanged(world: World, n: Notice, become: (old: Notice) => Notice): World {
	const c = world.conversations.get(n.conversation);
	const timeline = world.timelines.get(n.conversation);
	let next = world;
	if (c?.last?.message === n.message && c.last !== null && isSaid(c.last))
		next = change(next, c.id, { last: become(c.last) });
	if (timeline === undefined)
		return next;
	const amended = amend(timeline, n.message, become);
	return amended === timeline ? next : { ...next, timelines: new Map(next.timelines).set(n.conversation, amended) };
}

function onMember(world: World, n: Notice): World {
	const c = world.conversations.get(n.conversation);
	if (c === undefined)
		return world;
	const others = c.members.filter((name) => name !== n.username);
	const members = n.flag ? [...others, n.username] : others;
	const left = n.username === world.self ? !n.flag : c.left;
	return onSaid(change(world, c.id, { members, left }), n);
}

function onRead(world: World, n: Notice): World {
	const c = world.conversations.get(n.conversation);
	if (c === undefined)
		return world;
	if (n.username === world.self)
		return n.message >= c.newest ? change(world, c.id, { unread: 0 }) : world;
	if (n.message <= (c.readUpTo.get(n.username) ?? 0))
		return world;
	return change(world, c.id, { readUpTo: new Map(c.readUpTo).set(n.username, n.message) });
}

function onExpired(world: World, n: Notice): World {
	const timeline = world.timelines.get(n.conversation);
	const c = world.conversations.get(n.conversation);
	const lost = c?.last != null && isSaid(c.last) && c.last.message >= n.message && c.last.message <= n.count;
	const next = lost ? change(world, n.conversation, { last: null }) : world;
	if (timeline === undefined)
		return next;
	const left = dropMessages(timeline, n.message, n.count);
	return { ...next, timelines: new Map(next.timelines).set(n.conversation, left) };
}

function onClosed(world: World, n: Notice): World {
	const timelines = new Map(world.timelines);
	if (timelines.has(n.conversation))
		timelines.set(n.conversation, { ...emptyTimeline, oldest: 0, whole: true });
	const outgoing = world.outgoing.filter((o) => o.conversation !== n.conversation);
	return change({ ...world, timelines, outgoing }, n.conversation, { closed: true, unread: 0, last: null });
}

function directWith(world: World, username: string): number {
	for (const c of world.conversations.values())
		if (c.kind === 'direct' && c.title === username)
			return c.id;
	return 0;
}

// Loud: in the conversation that it is about, and in front of everything until it is read.
function onAlert(world: World, n: Notice & { kind: Alert['kind'] }): World {
	const conversation = n.conversation !== 0 ? n.conversation : directWith(world, n.username);
	const id = `${n.kind} ${n.username} ${n.time} ${n.error} ${n.text}`;
	const said = onSaid(world, { ...n, conversation });
	if (world.alerts.some((alert) => alert.id === id))
		return said;
	const alert: Alert = {
		id,
		kind: n.kind,
		conversation,
		username: n.username,
		error: n.error,
		text: n.text,
		time: n.time,
		seen: false,
	};
	return { ...said, alerts: [...world.alerts, alert] };
}

function onOutgoing(world: World, n: Notice): World {
	if (n.content === null || world.outgoing.some((o) => o.ticket === n.text))
		return world;
	const waiting: Outgoing = {
		ticket: n.text,
		state: 'waiting',
		conversation: n.conversation,
		content: n.content,
		time: n.time,
	};
	return { ...world, outgoing: [...world.outgoing, waiting] };
}

function onPresence(world: World, n: Notice): World {
	const presence: Presence = !n.flag ? 'offline' : n.text === 'away' ? 'away' : 'online';
	return { ...world, presence: new Map(world.presence).set(n.username, presence) };
}

// --- all ----------------------------------------------------------------------------------------

export function reduce(world: World, n: Notice, now: number): World {
	switch (n.kind) {
	case 'conversation':
		return describe(world, n);
	case 'message':
	case 'refused':
	case 'missing':
		return onSaid(world, n);
	case 'edited':
		return onChanged(world, n, () => ({ ...n, kind: 'message' }));
	case 'deleted':
		return onChanged(world, n, () => n);
	case 'reaction':
		return onChanged(world, n, (old) => ({ ...old, detail: n.detail }));
	case 'member':
		return onMember(world, n);
	case 'expiry':
		return onSaid(change(world, n.conversation, { kept: n.count }), n);
	case 'key_changed':
	case 'warning':
		if (isLoud(n))
			return onAlert(world, { ...n, kind: n.kind });
		if (isNoDevice(n) && world.conversations.get(n.conversation)?.last?.text === n.text)
			return world; // said with each try
		return onSaid(isRemoval(n) ? change(world, n.conversation, { left: true }) : world, n);
	case 'read':
		return onRead(world, n);
	case 'expired':
		return onExpired(world, n);
	case 'closed':
		return onClosed(world, n);
	case 'typing':
		return onTyping(world, n, now);
	case 'presence':
		return onPresence(world, n);
	case 'outgoing':
		return onOutgoing(world, n);
	case 'done':
	case 'failed':
	case 'totp_setup':
	case 'recovery_codes':
	case 'user':
	case 'safety':
	case 'device':
		return world; // for who asked
	}
}

// --- what the page does itself ------------------------------------------------------------------

export function loadPage(world: World, id: number, page: readonly Entry[], asked: number): World {
	const timeline = addPage(world.timelines.get(id) ?? emptyTimeline, page, asked);
	return { ...world, timelines: new Map(world.timelines).set(id, timeline) };
}

// It was not there before: nothing is newer.
export function appeared(world: World, id: number, now: number): World {
	return change(world, id, { movedAt: now });
}

// The newest entries of a conversation that is only listed.
export function preview(world: World, id: number, page: readonly Entry[]): World {
	const c = world.conversations.get(id);
	if (c === undefined)
		return world;
	let { last, newest, movedAt } = c;
	for (const { notice } of page) {
		last = isNewer(notice, last) ? notice : last;
		newest = Math.max(newest, isSaid(notice) ? notice.message : 0);
		movedAt = Math.max(movedAt, notice.time);
	}
	return change(world, id, { last, newest, movedAt });
}

export function markedRead(world: World, id: number): World {
	return world.conversations.get(id)?.unread === 0 ? world : change(world, id, { unread: 0 });
}

export function beginSending(world: World, sending: Omit<Outgoing, 'state'>): World {
	return { ...world, outgoing: [...world.outgoing, { ...sending, state: 'sending' }] };
}

// The message has its place now; told is the DONE of its command.
export function sent(world: World, ticket: string, told: Notice): World {
	const own = world.outgoing.find((o) => o.ticket === ticket);
	const outgoing = world.outgoing.filter((o) => o.ticket !== ticket);
	if (own === undefined)
		return world;
	if (told.message === 0 || (own.content.kind !== 'text' && own.content.kind !== 'file'))
		return { ...world, outgoing };
	return onSaid({ ...world, outgoing }, {
		...told,
		kind: 'message',
		username: world.self,
		conversation: own.conversation,
		content: own.content,
		count: 0,
		detail: '',
		flag: true,
	});
}

// waiting: the OUTGOING notices as they are now; what is being sent stays.
export function replaceWaiting(world: World, waiting: readonly Notice[]): World {
	const sending = world.outgoing.filter((o) => o.state === 'sending');
	return waiting.reduce(onOutgoing, { ...world, outgoing: sending });
}

export function unsend(world: World, ticket: string): World {
	return { ...world, outgoing: world.outgoing.filter((o) => o.ticket !== ticket) };
}

// kept: alerts of an earlier page; what was told while they were read stays, too.
export function recallAlerts(world: World, kept: readonly Alert[]): World {
	const told = world.alerts.filter(({ id }) => !kept.some((alert) => alert.id === id));
	return { ...world, alerts: [...kept, ...told] };
}

// A message to this conversation was refused for a key that has changed. The change is told once, and
// perhaps no page was there to hear it.
export function refusedForKey(world: World, id: number, time: number): World {
	const c = world.conversations.get(id);
	if (c?.kind !== 'direct' || changedKeys(world, id).length > 0)
		return world;
	const alert: Alert = {
		id: `key_changed ${c.title} ${time}`,
		kind: 'key_changed',
		conversation: id,
		username: c.title,
		error: 'KEY_CHANGED',
		text: '',
		time,
		seen: false,
	};
	return { ...world, alerts: [...world.alerts, alert] };
}

export function acknowledge(world: World, id: string): World {
	const alerts = world.alerts.flatMap((alert) => {
		if (alert.id !== id)
			return [alert];
		return alert.kind === 'warning' ? [] : [{ ...alert, seen: true }];
	});
	return { ...world, alerts };
}

export function keyAccepted(world: World, username: string): World {
	return { ...world, alerts: world.alerts.filter((a) => a.kind !== 'key_changed' || a.username !== username) };
}

// A conversation that one was put out of before this page was there.
export function recallLeft(world: World, was: Pick<Conversation, 'id' | 'kind' | 'title'>): World {
	if (world.conversations.has(was.id))
		return world;
	const c: Conversation = {
		...was,
		named: true,
		members: [],
		unread: 0,
		verified: false,
		kept: 0,
		endsAt: 0,
		readUpTo: new Map(),
		newest: 0,
		last: null,
		movedAt: 0,
		closed: false,
		left: true,
	};
	return { ...world, conversations: new Map(world.conversations).set(c.id, c) };
}

export function forgetClosed(world: World, id: number): World {
	const conversations = new Map(world.conversations);
	const timelines = new Map(world.timelines);
	conversations.delete(id);
	timelines.delete(id);
	return { ...world, conversations, timelines };
}
