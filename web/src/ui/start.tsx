// start.tsx - the page begins: a Messenger is given, and the app is drawn.
import { render } from 'preact';
import type { Messenger, Notice } from '../messenger.js';
import { t } from '../i18n/index.js';
import { App } from './app.js';
import { applyOpenPreferences } from './preferences.js';
import { announceMessage, notifyOf, showUnread } from './notices.js';
import { heedDevice, heedUnlocked, keepAlerts, keepLeft, locked, openProfile, readConversations } from './profile.js';
import { appeared } from './state.js';
import { now as unixNow } from './times.js';
import type { World } from './world.js';
import { afterNotice, beat, called, hear, hold, link, mode, openingProblem, sentence, update, world } from './store.js';
import { showList } from './talks.js';
import { openId, say } from './view.js';

// What the world cannot know by itself is asked for.
function onNotice(notice: Notice, before: World): void {
	const unknown = notice.conversation !== 0 && !world.value.conversations.has(notice.conversation);
	if (mode.value === 'main' && notice.kind === 'conversation' && !before.conversations.has(notice.conversation))
		update((w) => appeared(w, notice.conversation, unixNow()));
	if (notice.kind === 'warning' && notice.error === 'NO_DEVICE')
		lookAfterDevice();
	const ownSent = notice.kind === 'message' && notice.flag && world.value.outgoing.length > 0;
	if (mode.value === 'main' && ((unknown && notice.kind !== 'closed') || ownSent))
		void readConversations();
	if (world.value.alerts !== before.alerts)
		keepAlerts();
	if (notice.kind === 'member' || notice.kind === 'warning' || notice.kind === 'conversation')
		keepLeft();
	const closed = notice.kind === 'closed' ? world.value.conversations.get(notice.conversation) : undefined;
	if (closed !== undefined && openId.value !== closed.id)
		say(t('talk.closed.name', { title: called(closed).title }));
	announceMessage(notice, before);
	notifyOf(notice, before);
}

function listenToPerson(): void {
	addEventListener('popstate', showList);
	document.addEventListener('visibilitychange', lookAfterDevice);
	// A file that is dropped beside the conversation must not replace the page.
	for (const kind of ['dragover', 'drop'])
		addEventListener(kind, (event) => event.preventDefault());
}

const LOOK_AFTER = 600_000; // milliseconds

function lookAfterDevice(): void {
	heedDevice().catch(() => undefined); // the next connection asks again
}

export function start(m: Messenger, root: HTMLElement): void {
	hold(m);
	applyOpenPreferences();
	afterNotice(onNotice);
	m.onNotice(hear);
	m.onLink((now) => {
		link.value = now;
		heedUnlocked().catch(() => undefined); // the next change asks again
		if (now.state === 'online' || (now.state === 'offline' && now.seconds === 0)) // or for good
			lookAfterDevice();
	});
	m.onLocked(locked);
	listenToPerson();
	setInterval(beat, 1000);
	setInterval(lookAfterDevice, LOOK_AFTER);
	showUnread();
	render(<App />, root);
	openProfile().catch((thrown: unknown) => {
		openingProblem.value = t('app.failed', { why: sentence(thrown) });
	});
}
