// sidebar.tsx - the list of conversations with its head: search, menu, new conversation.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { lock } from '../profile.js';
import { account, conversations } from '../store.js';
import { openDialog } from '../view.js';
import { Avatar } from '../widgets/avatar.js';
import { Icon } from '../widgets/icons.js';
import { below, openMenu } from '../widgets/menu.js';
import { rove } from '../widgets/roving.js';
import { Connection } from './connection.js';
import { Found } from './found.js';
import { ConversationRow } from './row.js';

function Head() {
	const menu = (event: MouseEvent) => {
		if (!(event.currentTarget instanceof Element))
			return;
		openMenu(below(event.currentTarget), t('list.menu'), [
			{ text: t('list.settings'), icon: 'gear', run: () => openDialog({ kind: 'settings' }) },
			{ text: t('list.devices'), icon: 'device', run: () => openDialog({ kind: 'devices' }) },
			{ text: t('list.lock'), icon: 'lock', run: () => void lock() },
		]);
	};
	return (
		<header class="list-head">
			<Avatar name={account.value} />
			<h2>{account.value}</h2>
			<button type="button" class="round" aria-label={t('list.new')} title={t('list.new')}
				onClick={() => openDialog({ kind: 'new' })}>
				<Icon name="add" />
			</button>
			<button type="button" class="round" aria-label={t('list.menu')} title={t('list.menu')} aria-haspopup="menu"
				onClick={menu}>
				<Icon name="more" />
			</button>
		</header>
	);
}

function Empty() {
	return (
		<div class="list-empty">
			<p>{t('list.empty')}</p>
			<p class="muted">{t('list.empty.hint')}</p>
			<button type="button" class="primary" onClick={() => openDialog({ kind: 'new' })}>{t('list.new')}</button>
		</div>
	);
}

export function Sidebar() {
	const query = useSignal('');
	const list = useRef<HTMLUListElement>(null);
	return (
		<nav class="sidebar" aria-label={t('list.title')}>
			<Head />
			<div class="search">
				<Icon name="search" />
				<input type="search" value={query.value} placeholder={t('list.search')} aria-label={t('list.search')}
					onInput={(event) => {
						query.value = event.currentTarget.value;
					}}
					onKeyDown={(event) => {
						if (event.key === 'Escape')
							query.value = '';
					}} />
				{query.value !== '' && (
					<button type="button" class="round quiet" aria-label={t('list.search.clear')}
						onClick={() => {
							query.value = '';
						}}>
						<Icon name="close" />
					</button>
				)}
			</div>
			<Connection />
			{query.value.trim() !== '' ? (
				<Found query={query.value.trim()} />
			) : conversations.value.length === 0 ? (
				<Empty />
			) : (
				<ul class="list" ref={list} onKeyDown={(event) => rove(event, list.current!, '.row')}>
					{conversations.value.map((c, i) => <ConversationRow key={c.id} conversation={c} first={i === 0} />)}
				</ul>
			)}
		</nav>
	);
}
