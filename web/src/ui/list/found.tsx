// found.tsx - what a search finds: conversations by name, and messages that this device has opened.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Entry } from '../../messenger.js';
import { t } from '../../i18n/index.js';
import { gist } from '../notices.js';
import { account, ask, conversations, second, sentence, world } from '../store.js';
import { beginDirect, openTalk, search } from '../talks.js';
import { short } from '../times.js';
import { say } from '../view.js';
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

function FoundPerson({ name }: { name: string }) {
	return (
		<li>
			<button type="button" class="row" tabIndex={-1}
				onClick={() => void beginDirect(name).catch((thrown: unknown) => say(sentence(thrown), true))}>
				<Avatar name={name} withPresence />
				<span class="row-top"><span class="row-title">{name}</span></span>
				<span class="row-bottom"><span class="row-line">{t('kind.direct')}</span></span>
			</button>
		</li>
	);
}

export function Found({ query }: { query: string }) {
	const found = useSignal<Entry[] | null>(null);
	const people = useSignal<string[]>([]);
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
			ask({ kind: 'users', text: query }, 'user')
				.then((told) => {
					if (current)
						people.value = told.map((notice) => notice.username);
				})
				.catch(() => {
					people.value = []; // offline: what is here can be found all the same
				});
		}, PAUSE);
		return () => {
			current = false;
			clearTimeout(timer);
		};
	}, [query]);
	const named = conversations.value.filter((c) => c.title.toLowerCase().includes(query.toLowerCase()));
	const known = new Set(conversations.value.filter((c) => c.kind === 'direct').map((c) => c.title));
	const others = people.value.filter((name) => name !== account.value && !known.has(name));
	const messages = found.value ?? [];
	return (
		<div class="list found" ref={list} onKeyDown={(event) => rove(event, list.current!, '.row')}>
			{named.length > 0 && (
				<section>
					<h3>{t('list.found.conversations')}</h3>
					<ul>{named.map((c, i) => <ConversationRow key={c.id} conversation={c} first={i === 0} />)}</ul>
				</section>
			)}
			{others.length > 0 && (
				<section>
					<h3>{t('list.found.people')}</h3>
					<ul>{others.map((name) => <FoundPerson key={name} name={name} />)}</ul>
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
				{found.value !== null && named.length + others.length + messages.length === 0 && t('list.found.nothing', { query })}
			</p>
		</div>
	);
}
