// store.ts - the page's state as signals, and the Messenger behind it. Notices go through reduce();
// nothing else changes the world but the functions here.
import { computed, signal } from '@preact/signals';
import type { Command, Entry, Link, Messenger, Notice, NoticeKind, Problem, ProfileState } from '../messenger.js';
import { errorText, t } from '../i18n/index.js';
import { expireTyping, reduce } from './state.js';
import { emptyWorld, listed, totalUnread, type Conversation, type World } from './world.js';
import { now } from './times.js';

// What the page shows: one of the screens before a person is in, or the conversations.
export type Mode = 'opening' | 'welcome' | 'unlock' | 'again' | 'main';

export const mode = signal<Mode>('opening');
export const openingProblem = signal(''); // why there is nothing but "Opening..."
export const account = signal('');
export const loginEnded = signal(false); // what is here can be read; nothing leaves
export const revoked = signal(false); // likewise: this device is none of the account's any more
export const world = signal<World>(emptyWorld);
export const link = signal<Link>({ state: 'connecting', text: '', seconds: 0 });
export const connected = computed(() => link.value.state === 'online' || link.value.state === 'asking');
export const conversations = computed(() => listed(world.value).map(called));
export const unread = computed(() => totalUnread(world.value));

// As it is shown: what has no name is told from the direct chat with the same person.
export function called(c: Conversation): Conversation {
	return c.named ? c : { ...c, title: `${t(`kind.${c.kind}`)} · ${c.title}` };
}

let held: Messenger | null = null;

export function messenger(): Messenger {
	if (held === null)
		throw new Error('no messenger yet');
	return held;
}

export function hold(m: Messenger): void {
	held = m;
}

// After the profile was locked, answers that were on their way must not bring anything back.
let sealed = false;

export function unsealTheWorld(): void {
	sealed = false;
}

export function update(change: (w: World) => World): void {
	if (sealed)
		return;
	world.value = change(world.value);
}

type Listener = (notice: Notice, before: World) => void;
const listeners: Listener[] = [];

// For what happens beside the world: announcements, notifications, refreshing.
export function afterNotice(listener: Listener): void {
	listeners.push(listener);
}

// What a history says; told again, these change nothing that they have changed.
const SAID: ReadonlySet<NoticeKind> = new Set([
	'message', 'edited', 'deleted', 'reaction', 'expired', 'closed', 'refused', 'missing', 'member', 'expiry',
]);
const readings = new Set<{ id: number; told: Notice[] }>();

// Takes a page of a history into the world. What is told while it is read may be missing in it, or stand
// there as it was before: it comes after the page, once more.
export async function readHistory(
	id: number, before: number | null, limit: number, take: (w: World, page: readonly Entry[]) => World,
): Promise<void> {
	const reading = { id, told: [] as Notice[] };
	readings.add(reading);
	try {
		const page = await messenger().history(id, before, limit);
		update((w) => reading.told.reduce((next, notice) => reduce(next, notice, now()), take(w, page)));
	} finally {
		readings.delete(reading);
	}
}

export function hear(notice: Notice): void {
	if (sealed)
		return;
	for (const { id, told } of readings)
		if (notice.conversation === id && SAID.has(notice.kind))
			told.push(notice);
	const before = world.value;
	update((w) => reduce(w, notice, now()));
	for (const listener of listeners)
		listener(notice, before);
}

export async function run(command: Command, listener = hear): Promise<Notice> {
	try {
		return await messenger().run(command, listener);
	} catch (thrown) {
		if (codeOf(thrown) === 'NOT_LOGGED_IN')
			loginEnded.value = true;
		throw thrown;
	}
}

// Runs a command for its notices of one kind.
export async function ask(command: Command, kind: Notice['kind']): Promise<Notice[]> {
	const told: Notice[] = [];
	await run(command, (notice) => {
		if (notice.kind === kind)
			told.push(notice);
		hear(notice);
	});
	return told;
}

export function enterProfile(state: ProfileState): void {
	account.value = state.account;
	const { self } = world.value;
	const known = self === '' || self === state.account ? world.value : emptyWorld;
	world.value = { ...known, self: state.account };
}

const forgetters: (() => void)[] = [];

// What else knows something of conversations forgets it when the profile is locked.
export function whenLocked(forget: () => void): void {
	forgetters.push(forget);
}

export function emptyTheWorld(): void {
	sealed = true;
	for (const forget of forgetters)
		forget();
	world.value = { ...emptyWorld, self: world.value.self };
}

export function isProblem(thrown: unknown): thrown is Problem {
	return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string';
}

export function codeOf(thrown: unknown): string {
	if (isProblem(thrown))
		return thrown.code;
	return thrown instanceof DOMException && thrown.name === 'AbortError' ? 'CANCELLED' : '';
}

export function sentence(thrown: unknown): string {
	return errorText(codeOf(thrown), isProblem(thrown) ? thrown.text : '');
}

// A second's beat for clocks and for who has stopped typing.
export const second = signal(now());

export function beat(): void {
	second.value = now();
	const w = expireTyping(world.value, second.value);
	if (w !== world.value)
		world.value = w;
}
