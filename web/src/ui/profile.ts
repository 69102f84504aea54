// profile.ts - the life of the profile on this page: opening, unlocking, locking, leaving.
import type { ProfileState } from '../messenger.js';
import { t } from '../i18n/index.js';
import { noteLoggedOut, readSealedPreferences } from './preferences.js';
import { loadPage, preview, recallAlerts, recallLeft, refusedForKey, replaceWaiting } from './state.js';
import type { Alert, Conversation } from './world.js';
import { account, ask, codeOf, emptyTheWorld, enterProfile, hear, link, loginEnded, messenger, mode, readHistory, revoked, run, unsealTheWorld, update, world } from './store.js';
import { now } from './times.js';
import { askFirst } from './view.js';

const TAIL = 8; // entries that are read for a conversation's last line
const ALERTS = 'alerts';
const LEFT = 'left';

export async function openProfile(): Promise<void> {
	await show(await messenger().state());
}

// Goes where this state leads.
export async function show(state: ProfileState): Promise<void> {
	enterProfile(state);
	loginEnded.value = !state.loggedIn;
	revoked.value = false;
	if (!state.locked)
		noteLoggedOut(state.account !== '' && !state.loggedIn);
	if (state.account === '')
		mode.value = 'welcome';
	else if (state.locked)
		mode.value = 'unlock';
	else if (!state.loggedIn)
		mode.value = 'again';
	else
		await enter();
}

// What is known here first; the server's news come in by themselves.
export async function enter(): Promise<void> {
	alertsAreRead = false;
	unsealTheWorld();
	await readSealedPreferences();
	await readAlerts();
	await readConversations();
	await readLeft();
	mode.value = 'main';
	void readTails([...world.value.conversations.values()]);
	run({ kind: 'conversations' }).catch(() => undefined); // offline: what is known stays
	heedDevice().catch(() => undefined);
}

export async function readConversations(): Promise<void> {
	const told = await messenger().conversations();
	const known = world.value.conversations;
	for (const notice of told)
		if (notice.kind === 'conversation')
			hear(notice);
	update((w) => replaceWaiting(w, told.filter((notice) => notice.kind === 'outgoing')));
	if (mode.value === 'main')
		await readTails([...world.value.conversations.values()].filter((c) => !known.has(c.id)));
}

// What is unread first.
async function readTails(those: readonly Conversation[]): Promise<void> {
	for (const c of [...those].sort((a, b) => b.unread - a.unread || b.id - a.id))
		await readTail(c.id);
}

// The newest entries, for the list and for the conversation itself if it was opened.
export async function readTail(id: number): Promise<void> {
	try {
		await readHistory(id, null, TAIL, (w, page) => {
			const next = preview(w, id, page);
			return next.timelines.has(id) ? loadPage(next, id, page, TAIL) : next;
		});
	} catch {
		return; // locked or destroyed meanwhile: its row shows no last line
	}
}

export async function unlock(password: string): Promise<void> {
	const state = await messenger().unlock(password);
	unsealTheWorld();
	await show(state);
}

// Who has logged out comes back by the one password: it opens what is here, and then is asked for there.
// The server may have another one: it can be tried when this one was right.
export async function unlockFirst(password: string): Promise<void> {
	if ((await messenger().state()).locked)
		await messenger().unlock(password).catch((thrown: unknown) => {
			throw codeOf(thrown) === 'BAD_PASSWORD' ? { code: 'LOCKED', text: '' } : thrown;
		});
}

// What is here, without the server.
export async function enterAlone(password: string): Promise<void> {
	await unlockFirst(password);
	loginEnded.value = true;
	await enter();
}

export async function lock(): Promise<void> {
	await messenger().lock();
	locked();
}

// Whether the server still counts this device: nobody tells one that was revoked.
export async function heedDevice(): Promise<void> {
	if (mode.value === 'main' && !loginEnded.value)
		revoked.value = !(await ask({ kind: 'devices' }, 'device')).some((device) => device.flag);
}

// Another window has unlocked the profile, or logged in, and the core is at work. That a login has
// ended at the server the core does not keep in mind: only a connection tells that there is one again.
export async function heedUnlocked(): Promise<void> {
	if (mode.value !== 'unlock' && (mode.value !== 'again' || link.value.state !== 'online'))
		return;
	const state = await messenger().state();
	if (state.account === account.value && !state.locked && state.loggedIn)
		await show(state);
}

export function locked(): void {
	leftKept = null;
	emptyTheWorld();
	mode.value = account.value === '' ? 'welcome' : 'unlock';
}

export async function logOut(): Promise<void> {
	await run({ kind: 'logout' });
	noteLoggedOut(true);
	await lock();
}

async function forget(): Promise<void> {
	await messenger().forget();
	emptyTheWorld();
	await openProfile();
}

export function askToForget(): void {
	askFirst({
		title: t('settings.forget.ask'), text: t('settings.forget.text'), action: t('settings.forget.do'), danger: true,
		answer: forget,
	});
}

// --- alerts that outlive the page ---------------------------------------------------------------

function isAlert(value: unknown): value is Alert {
	return typeof value === 'object' && value !== null && 'id' in value && 'kind' in value && 'seen' in value;
}

function listOf<T>(text: string, isOne: (value: unknown) => value is T): T[] {
	try {
		const kept: unknown = text === '' ? [] : JSON.parse(text);
		return Array.isArray(kept) ? kept.filter(isOne) : [];
	} catch {
		return []; // not ours: the next one that is kept takes its place
	}
}

let alertsAreRead = false; // before that nothing may take the place of what is kept

async function readAlerts(): Promise<void> {
	const kept = listOf(await messenger().setting(ALERTS), isAlert);
	update((w) => recallAlerts(w, kept));
	alertsAreRead = true;
	if (world.value.alerts.length > kept.length)
		keepAlerts();
}

export function keepAlerts(): void {
	if (!alertsAreRead)
		return;
	const alerts = world.value.alerts;
	messenger().setSetting(ALERTS, alerts.length === 0 ? '' : JSON.stringify(alerts)).catch(() => undefined);
}

// --- conversations that one was put out of: the core lists them no more ------------------------

type Left = Pick<Conversation, 'id' | 'kind' | 'title'>;

function isLeft(value: unknown): value is Left {
	return typeof value === 'object' && value !== null && 'id' in value && 'kind' in value && 'title' in value;
}

let leftKept: string | null = null; // null: not read yet

async function readLeft(): Promise<void> {
	leftKept = await messenger().setting(LEFT);
	for (const one of listOf(leftKept, isLeft))
		update((w) => recallLeft(w, one));
	keepLeft();
}

export function keepLeft(): void {
	const those = [...world.value.conversations.values()].filter((c) => c.left);
	const text = those.length === 0 ? '' : JSON.stringify(those.map(({ id, kind, title }) => ({ id, kind, title })));
	if (leftKept === null || leftKept === text)
		return;
	leftKept = text;
	messenger().setSetting(LEFT, text).catch(() => undefined);
}

// Why a message did not leave: a changed key is in front of everything, whenever it was told.
export function heedRefusal(thrown: unknown, conversation: number): void {
	if (codeOf(thrown) === 'NO_DEVICE')
		heedDevice().catch(() => undefined); // the next connection asks again
	if (codeOf(thrown) !== 'KEY_CHANGED')
		return;
	update((w) => refusedForKey(w, conversation, now()));
	keepAlerts();
}
