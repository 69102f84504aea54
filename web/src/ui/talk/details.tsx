// details.tsx - a conversation's details: who is in, how long it keeps, how to leave.
import { t } from '../../i18n/index.js';
import type { Conversation } from '../world.js';
import { sentence, world } from '../store.js';
import { beginDirect, closeSession, dropLeft, removePerson } from '../talks.js';
import { span } from '../times.js';
import { askFirst, detailsOpen, openDialog, say } from '../view.js';
import { Avatar, presenceText } from '../widgets/avatar.js';
import { Countdown } from '../widgets/countdown.js';
import { Icon } from '../widgets/icons.js';
import { below, openMenu, type MenuItem } from '../widgets/menu.js';

function askToRemove(c: Conversation, name: string): void {
	askFirst({
		title: t('details.remove.ask', { name }),
		text: t('details.remove.text'),
		action: t('details.remove.do'),
		danger: true,
		answer: () => removePerson(c.id, name),
	});
}

function Member({ conversation: c, name }: { conversation: Conversation; name: string }) {
	const isSelf = name === world.value.self;
	const menu = (event: MouseEvent) => {
		if (!(event.currentTarget instanceof Element))
			return;
		const items: MenuItem[] = [
			{ text: t('details.message', { name }), icon: 'send', run: () => void beginDirect(name).catch((thrown: unknown) => say(sentence(thrown), true)) },
			{ text: t('details.safety'), icon: 'shield', run: () => openDialog({ kind: 'safety', username: name }) },
		];
		if (c.kind !== 'direct' && !c.left && !c.closed)
			items.push({ text: t('details.remove', { name }), icon: 'trash', danger: true, run: () => askToRemove(c, name) });
		openMenu(below(event.currentTarget), name, items);
	};
	return (
		<li class="member">
			<Avatar name={name} withPresence={!isSelf} />
			<span class="member-name">
				<span>{isSelf ? `${name} (${t('app.you')})` : name}</span>
				{!isSelf && <small>{presenceText(name)}</small>}
			</span>
			{!isSelf && (
				<button type="button" class="round" aria-label={`${t('app.more')}: ${name}`} aria-haspopup="menu" onClick={menu}>
					<Icon name="more" />
				</button>
			)}
		</li>
	);
}

function Ways({ conversation: c }: { conversation: Conversation }) {
	const leave = () => askFirst({
		title: t('details.leave.ask'), text: t('details.leave.text'), action: t('details.leave.do'), danger: true,
		answer: () => removePerson(c.id, world.value.self),
	});
	const close = () => askFirst({
		title: t('details.close.ask'), text: t('details.close.text'), action: t('details.close.do'), danger: true,
		answer: () => closeSession(c.id),
	});
	return (
		<div class="ways">
			{c.kind === 'session' && (
				<button type="button" class="way danger" onClick={close}><Icon name="trash" />{t('details.close')}</button>
			)}
			{(c.kind === 'group' || c.kind === 'room') && (
				<button type="button" class="way danger" onClick={leave}><Icon name="leave" />{t('details.leave')}</button>
			)}
		</div>
	);
}

export function Details({ conversation: c }: { conversation: Conversation }) {
	const active = !c.closed && !c.left;
	const close = () => {
		detailsOpen.value = false;
	};
	return (
		<aside class="details" aria-label={t('details.title')}
			onKeyDown={(event) => event.key === 'Escape' && close()}>
			<header class="details-head">
				<button type="button" class="round" aria-label={t('app.close')} onClick={close}><Icon name="close" /></button>
				<h2>{t('details.title')}</h2>
			</header>
			<div class="details-who">
				<Avatar name={c.title} kind={c.kind} size="huge" />
				<p class="details-title" dir="auto">{c.title}</p>
				<p class="muted">{c.kind === 'direct' ? presenceText(c.title) : t(`kind.${c.kind}`)}</p>
				{c.endsAt > 0 && !c.closed && <Countdown until={c.endsAt} />}
			</div>
			<div class="ways">
				{c.kind === 'direct' && (
					<button type="button" class="way" onClick={() => openDialog({ kind: 'safety', username: c.title })}>
						<Icon name={c.verified ? 'verified' : 'shield'} />
						<span>{t('details.safety')}<small>{c.verified ? t('verified') : t('verified.not')}</small></span>
					</button>
				)}
				{active && c.kind !== 'session' && (
					<button type="button" class="way" onClick={() => openDialog({ kind: 'expiry', conversation: c.id })}>
						<Icon name="clock" />
						<span>{t('details.expiry')}<small>{c.kept > 0 ? span(c.kept) : t('details.expiry.off')}</small></span>
					</button>
				)}
			</div>
			{c.kind !== 'direct' && (
				<section>
					<h3>{t('talk.members', { n: c.members.length })}</h3>
					{active && (
						<button type="button" class="way" onClick={() => openDialog({ kind: 'add', conversation: c.id })}>
							<Icon name="add" />{t('details.add')}
						</button>
					)}
					<ul>{c.members.map((name) => <Member key={name} conversation={c} name={name} />)}</ul>
				</section>
			)}
			{active && <Ways conversation={c} />}
			{c.left && (
				<button type="button" class="way" onClick={() => dropLeft(c.id)}><Icon name="trash" />{t('details.drop')}</button>
			)}
		</aside>
	);
}
