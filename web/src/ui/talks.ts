// talks.ts - what a person does in conversations, as commands and changes of the world.
import { signal } from '@preact/signals';
import type { Content, Entry, Notice } from '../messenger.js';
import { t } from '../i18n/index.js';
import * as state from './state.js';
import { codeOf, hear, messenger, readHistory, run, sentence, update, whenLocked, world } from './store.js';
import { heedRefusal, keepLeft, readConversations } from './profile.js';
import type { World } from './world.js';
import { now } from './times.js';
import { find } from './timeline.js';
import { detailsOpen, lastOpen, openId, say, target } from './view.js';

const FIRST_PAGE = 60; // soon there
const PAGE = 200;
const FAR_PAGE = 500; // when looking for one message
const MOST_PAGES = 200;

// --- opening ------------------------------------------------------------------------------------

// Before which message the line "new messages" stands: the first that was unread when the
// conversation was opened.
export const unreadFrom = signal<{ conversation: number; message: number } | null>(null);

let opening = 0;

export async function openTalk(id: number, message = 0): Promise<void> {
	const c = world.value.conversations.get(id);
	if (c === undefined)
		return;
	const turn = ++opening;
	if (world.value.timelines.get(id)?.oldest == null)
		await loadOlder(id);
	if (turn !== opening)
		return; // another one was chosen meanwhile
	if (openId.value !== id) {
		const message = firstUnread(world.value, id, c.unread);
		unreadFrom.value = message === 0 ? null : { conversation: id, message };
		detailsOpen.value = false;
		aim.value = null;
		if (openId.value === 0)
			history.pushState({ talk: true }, '');
	}
	openId.value = id;
	lastOpen.value = id;
	dropClosed();
	if (message > 0)
		await reveal(id, message);
}

function firstUnread(w: World, id: number, unread: number): number {
	const lines = w.timelines.get(id)?.lines ?? [];
	const theirs = lines.filter(({ notice }) => notice.kind === 'message' && !notice.flag);
	return unread === 0 ? 0 : (theirs.at(-Math.min(unread, theirs.length))?.notice.message ?? 0);
}

// Sessions that have destroyed themselves leave the list when nobody looks at them.
function dropClosed(): void {
	for (const c of world.value.conversations.values())
		if (c.closed && c.id !== openId.value)
			update((w) => state.forgetClosed(w, c.id));
}

// Back to the list, and to the row that one came from.
export function showList(): void {
	openId.value = 0;
	dropClosed();
	requestAnimationFrame(() => document.getElementById(`talk-${lastOpen.value}`)?.focus());
}

export function leaveTalk(): void {
	if (history.state !== null && (history.state as { talk?: boolean }).talk === true)
		history.back();
	else
		showList();
}

const loading = new Map<number, Promise<void>>();

export function loadOlder(id: number, wanted = PAGE): Promise<void> {
	const running = loading.get(id);
	if (running !== undefined)
		return running;
	const timeline = world.value.timelines.get(id);
	if (timeline?.whole === true)
		return Promise.resolve();
	const limit = timeline?.oldest == null ? FIRST_PAGE : wanted;
	const done = readHistory(id, timeline?.oldest ?? null, limit, (w, page) => state.loadPage(w, id, page, limit))
		.catch((thrown: unknown) => say(sentence(thrown), true))
		.finally(() => loading.delete(id));
	loading.set(id, done);
	return done;
}

async function reveal(id: number, message: number): Promise<void> {
	for (let i = 0; i < MOST_PAGES; i++) {
		const timeline = world.value.timelines.get(id);
		if (timeline === undefined || find(timeline, message) !== undefined || timeline.whole)
			break;
		const before = timeline.oldest;
		await loadOlder(id, FAR_PAGE);
		if (world.value.timelines.get(id)?.oldest === before)
			break;
	}
	target.value = { conversation: id, message };
}

export function markRead(id: number): void {
	const c = world.value.conversations.get(id);
	if (c === undefined || c.unread === 0 || c.closed)
		return;
	update((w) => state.markedRead(w, id));
	run({ kind: 'mark_read', conversation: id, message: 0 }).catch(() => undefined); // said again later
}

// --- saying -------------------------------------------------------------------------------------

let tickets = 0;

function sameContent(a: Content, b: Content | null): boolean {
	return b !== null && JSON.stringify(a) === JSON.stringify(b);
}

export async function send(conversation: number, content: Content): Promise<void> {
	const ticket = `page ${++tickets}`;
	unreadFrom.value = null; // who answers has read
	const about = content.kind === 'reaction' || content.kind === 'edit' || content.kind === 'delete';
	update((w) => state.beginSending(w, { ticket, conversation, content, time: now() }));
	try {
		const told = await messenger().run({ kind: 'send', conversation, content }, (notice) => {
			if (notice.kind === 'message' && notice.flag && sameContent(content, notice.content))
				update((w) => state.unsend(w, ticket));
			hear(notice);
		});
		update((w) => state.sent(w, ticket, told));
	} catch (thrown) {
		update((w) => state.unsend(w, ticket));
		heedRefusal(thrown, conversation);
		await readConversations();
		const waits = world.value.outgoing.some((o) => o.conversation === conversation && sameContent(content, o.content));
		if (!waits && !about)
			keepDraft(conversation, content);
		if (!waits || codeOf(thrown) !== 'NETWORK')
			say(t('app.failed', { why: sentence(thrown) }), true);
	}
}

// What could not be sent, and is not kept, goes back to where it was typed.
function keepDraft(conversation: number, content: Content): void {
	if (content.kind === 'text' && (drafts.value.get(conversation) ?? '') === '')
		setDraft(conversation, content.text);
}

export async function drop(ticket: string): Promise<void> {
	const done = await run({ kind: 'drop', text: ticket });
	update((w) => state.unsend(w, ticket));
	if (done.flag)
		say(t('message.drop.left'), true);
}

export const drafts = signal<ReadonlyMap<number, string>>(new Map());

export function setDraft(conversation: number, text: string): void {
	const next = new Map(drafts.value);
	if (text === '')
		next.delete(conversation);
	else
		next.set(conversation, text);
	drafts.value = next;
}

// What the composer is about: an answer, or an edit of an own message.
export type Aim = { kind: 'reply' | 'edit'; conversation: number; message: number };
export const aim = signal<Aim | null>(null);

whenLocked(() => {
	opening++;
	drafts.value = new Map();
	aim.value = null;
	unreadFrom.value = null;
});

let typingIn = 0;
let typingSaidAt = 0;
const TYPING_EVERY = 4000; // milliseconds

export function typing(conversation: number, active: boolean): void {
	const time = Date.now();
	if (active && typingIn === conversation && time - typingSaidAt < TYPING_EVERY)
		return;
	if (!active && typingIn !== conversation)
		return;
	typingIn = active ? conversation : 0;
	typingSaidAt = time;
	run({ kind: 'typing', conversation, flag: active }).catch(() => undefined); // a courtesy
}

export function react(conversation: number, message: number, emoji: string, mine: string): void {
	void send(conversation, { kind: 'reaction', message, text: emoji === mine ? '' : emoji });
}

// --- beginning ----------------------------------------------------------------------------------

async function begin(made: Promise<Notice>): Promise<void> {
	const done = await made;
	if (!world.value.conversations.has(done.conversation))
		await readConversations();
	await openTalk(done.conversation);
}

export function beginDirect(username: string): Promise<void> {
	return begin(run({ kind: 'resolve', username }));
}

export function beginGroup(kind: 'group' | 'room', name: string, users: string[]): Promise<void> {
	return begin(run({ kind: `create_${kind}`, text: name, users }));
}

export function beginSession(users: string[], seconds: number): Promise<void> {
	return begin(run({ kind: 'create_session', users, seconds }));
}

// --- changing -----------------------------------------------------------------------------------

export async function addPeople(conversation: number, users: string[]): Promise<void> {
	await run({ kind: 'add', conversation, users });
	await readConversations();
}

export async function removePerson(conversation: number, username: string): Promise<void> {
	await run({ kind: 'remove', conversation, username });
	await readConversations();
	if (username === world.value.self)
		update((w) => state.forgetClosed(w, conversation));
}

// Its history stays on the disk, sealed.
export function dropLeft(conversation: number): void {
	leaveTalk();
	update((w) => state.forgetClosed(w, conversation));
	keepLeft();
}

export async function setExpiry(conversation: number, seconds: number): Promise<void> {
	await run({ kind: 'set_expiry', conversation, seconds });
	await readConversations();
}

export async function closeSession(conversation: number): Promise<void> {
	await run({ kind: 'close_session', conversation });
}

// --- searching ----------------------------------------------------------------------------------

const MOST_FOUND = 60;

export function search(query: string): Promise<Entry[]> {
	return messenger().search(query, MOST_FOUND);
}
