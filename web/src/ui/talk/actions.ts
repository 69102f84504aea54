// actions.ts - the menu of a message.
import { t } from '../../i18n/index.js';
import { world } from '../store.js';
import { aim, react, send } from '../talks.js';
import { reactionsOf, textOf, type Line } from '../timeline.js';
import { askFirst, openDialog, say } from '../view.js';
import { openMenu, type MenuItem } from '../widgets/menu.js';

export const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

type Place = { x: number; y: number };

function mineOf(line: Line): string {
	return reactionsOf(line.notice).find(({ names }) => names.includes(world.value.self))?.emoji ?? '';
}

function reactWith(line: Line): (emoji: string) => void {
	const { conversation, message } = line.notice;
	return (emoji) => react(conversation, message, emoji, mineOf(line));
}

function moreEmoji(line: Line): MenuItem {
	const choose = reactWith(line);
	return { text: t('message.react.more'), icon: 'smile', run: () => openDialog({ kind: 'emoji', choose }) };
}

export function openReactions(at: Place, line: Line): void {
	openMenu(at, t('message.react'), [moreEmoji(line)], QUICK, reactWith(line));
}

function askToDelete(line: Line): void {
	const { conversation, message } = line.notice;
	askFirst({
		title: t('message.delete.ask'),
		text: t('message.delete.text'),
		action: t('message.delete.do'),
		danger: true,
		answer: () => send(conversation, { kind: 'delete', message }),
	});
}

export function copyText(text: string): void {
	navigator.clipboard.writeText(text).then(() => say(t('app.copied'))).catch(() => undefined);
}

export function openActions(at: Place, line: Line): void {
	const { conversation, message, flag: own, content } = line.notice;
	const items: MenuItem[] = [
		{ text: t('message.reply'), icon: 'reply', run: () => {
			aim.value = { kind: 'reply', conversation, message };
		} },
		moreEmoji(line),
	];
	const text = textOf(line.notice);
	if (text !== '')
		items.push({ text: t('message.copy'), icon: 'copy', run: () => copyText(text) });
	if (own && content?.kind === 'text')
		items.push({ text: t('message.edit'), icon: 'edit', run: () => {
			aim.value = { kind: 'edit', conversation, message };
		} });
	if (own)
		items.push({ text: t('message.delete'), icon: 'trash', danger: true, run: () => askToDelete(line) });
	openMenu(at, t('message.actions'), items, QUICK, reactWith(line));
}
