// found.tsx - what a search finds: conversations by name, and messages that this device has opened.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Entry } from '../../messenger.js';
import { t } from '../../i18n/index.js';
import { gist } from '../notices.js';
import { conversations, second, world } from '../store.js';
import { search, openTalk } from '../talks.js';
import { short } from '../times.js';
import { Avatar } from '../widgets/avatar.js';
import { rove } from '../widgets/roving.js';
import { ConversationRow } from './row.js';

const PAUSE = 150; // milliseconds after the last key

const BEFORE = 24; // letters that are shown before the first word that was found

function marked(text: string, query: string) {
	const words = query.split(/\s+/u).filter((word) => word !== '').map((word) => word.replace(/[\\^$.*+?()[\]{}|]/gu, '\\$&'));
	const found = new RegExp(`(${words.join('|')})`, 'giu');
	const first = Math.max(0, text.search(found));
	const part = first > BEFORE ? `…${[...text.slice(0, first)].slice(-BEFORE).join('')}${text.slice(first)}` : text;
	const parts = part.split(found);
	return parts.map((part, i) => (i % 2 === 1 ? <mark key={i}>{part}</mark> : part));
}

function FoundMessage({ entry, query }: { entry: Entry; query: string }) {
	const { notice } = entry;
	const c = world.value.conversations.get(notice.conversation);
	return (
		<li>
			<button type="button" class="row" tabIndex={-1} onClick={() => void openTalk(notice.conversation, notice.message)}>
				<Avatar name={notice.username} />
				<span class="row-top">
					<span class="row-title" dir="auto">{notice.flag ? t('app.you') : notice.username}</span>
					<span class="muted" dir="auto">{c?.kind === 'direct' ? '' : c?.title}</span>
					<span class="row-time">{short(notice.time, second.value)}</span>
				</span>
				<span class="row-bottom">
					<span class="row-line" dir="auto">{marked(gist(notice, 2000), query)}</span>
				</span>
			</button>
		</li>
	);
}

export function Found({ query }: { query: string }) {
	const found = useSignal<Entry[] | null>(null);
	const list = useRef<HTMLDivElement>(null);
	useEffect(() => {
		let current = true;
		const timer = setTimeout(() => {
			search(query)
				.then((entries) => {
					if (current)
						found.value = entries;
				})
				.catch(() => {
					found.value = [];
				});
		}, PAUSE);
		return () => {
			current = false;
			clearTimeout(timer);
		};
	}, [query]);
	const named = conversations.value.filter((c) => c.title.toLowerCase().includes(query.toLowerCase()));
	const messages = found.value ?? [];
	return (
		<div class="list found" ref={list} onKeyDown={(event) => rove(event, list.current!, '.row')}>
			{named.length > 0 && (
				<section>
					<h3>{t('list.found.conversations')}</h3>
					<ul>{named.map((c, i) => <ConversationRow key={c.id} conversation={c} first={i === 0} />)}</ul>
				</section>
			)}
			{messages.length > 0 && (
				<section>
					<h3>{t('list.found.messages')}</h3>
					<ul>
						{messages.map((entry) => (
							<FoundMessage key={`${entry.notice.conversation} ${entry.position}`} entry={entry} query={query} />
						))}
					</ul>
				</section>
			)}
			<p role="status" class="muted found-nothing">
				{found.value !== null && named.length + messages.length === 0 && t('list.found.nothing', { query })}
			</p>
		</div>
	);
}
