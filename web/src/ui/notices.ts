// notices.ts - who hears of a new message beside the list: screen readers, the desktop, the title.
import { effect } from '@preact/signals';
import type { Notice } from '../messenger.js';
import { t } from '../i18n/index.js';
import { notify } from './preferences.js';
import type { World } from './world.js';
import { called, unread, world } from './store.js';
import { oneLine, safeName } from './text.js';
import { openTalk } from './talks.js';
import { announce, openId } from './view.js';

// A message in one line, as the list, quotes and notifications show it.
export function gist(notice: Notice, most = 160): string {
	const { content } = notice;
	if (notice.kind === 'deleted')
		return t('message.deleted');
	if (content === null)
		return t('message.unsupported');
	switch (content.kind) {
	case 'text':
	case 'edit':
		return oneLine(content.text, most);
	case 'file':
		return content.text !== '' ? oneLine(content.text, most) : safeName(content.file.name);
	case 'delete':
		return t('message.deleted');
	case 'reaction':
		return content.text;
	}
}

function isNews(notice: Notice, before: World): boolean {
	if (notice.kind !== 'message' || notice.flag)
		return false;
	return notice.message > (before.conversations.get(notice.conversation)?.newest ?? 0);
}

export function announceMessage(notice: Notice, before: World): void {
	if (notice.kind === 'closed' || notice.kind === 'expired' || notice.kind === 'deleted')
		announce(''); // it may have been the last that was read out
	if (isNews(notice, before))
		announce(t('message.new', { name: notice.username, text: gist(notice) }));
}

export function notifyOf(notice: Notice, before: World): void {
	if (notify.value === 'off' || !isNews(notice, before) || document.visibilityState === 'visible')
		return;
	const c = world.value.conversations.get(notice.conversation);
	const where = c === undefined || c.kind === 'direct' ? notice.username : `${notice.username} · ${called(c).title}`;
	const body = notify.value === 'text' ? gist(notice) : t('notify.text');
	try {
		const shown = new Notification(t('notify.title', { name: where }), { body, tag: `tacit ${notice.conversation}` });
		shown.onclick = () => {
			focus();
			shown.close();
			void openTalk(notice.conversation);
		};
	} catch {
		return; // phones allow it to service workers only
	}
}

export function showUnread(): void {
	effect(() => {
		const c = world.value.conversations.get(openId.value);
		const count = unread.value > 0 ? `(${unread.value}) ` : '';
		document.title = `${count}${c === undefined ? 'tacit' : `${c.title} · tacit`}`;
	});
}
