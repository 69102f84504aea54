// messages.tsx - the messages of a conversation, as much of them as is in sight.
import { useComputed } from '@preact/signals';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { rowsOf, type Row } from '../rows.js';
import type { Conversation } from '../world.js';
import { second, world } from '../store.js';
import { loadOlder, markRead, unreadFrom } from '../talks.js';
import { emptyTimeline } from '../timeline.js';
import { day, dayOf } from '../times.js';
import { transfers } from '../transfers.js';
import { target } from '../view.js';
import { Icon } from '../widgets/icons.js';
import { EventLine } from './event.js';
import { MessageLine } from './message.js';
import { OutgoingLine, TransferLine } from './outgoing.js';
import { useScroller } from './scroller.js';

const FLASH = 2000; // milliseconds

interface RowProps {
	row: Row;
	conversation: Conversation;
	today: number;
	focusable: boolean;
	flashing: boolean;
	place: number;
	of: number;
}

function RowView({ row, conversation, today, ...rest }: RowProps) {
	switch (row.kind) {
	case 'beginning':
		return <p class="beginning"><Icon name="lock" />{t('talk.beginning')}</p>;
	case 'loading':
		return <p class="beginning">{t('talk.older')}</p>;
	case 'unread':
		return <p class="divider unread"><span>{t('talk.unread')}</span></p>;
	case 'day':
		return <p class="divider"><span>{day(row.time, today)}</span></p>;
	case 'event':
		return <EventLine notice={row.line.notice} />;
	case 'message':
		return <MessageLine conversation={conversation} line={row.line} first={row.first} last={row.last} {...rest} />;
	case 'outgoing':
		return <OutgoingLine outgoing={row.outgoing} />;
	case 'transfer':
		return <TransferLine transfer={row.transfer} />;
	}
}

function useRows(id: number): Row[] {
	const timeline = useComputed(() => world.value.timelines.get(id) ?? emptyTimeline);
	const waiting = world.value.outgoing.filter((o) => o.conversation === id);
	const running = transfers.value.filter((one) => one.conversation === id && one.direction === 'up');
	const from = unreadFrom.value?.conversation === id ? unreadFrom.value.message : 0;
	return useMemo(
		() => rowsOf(timeline.value, { outgoing: waiting, transfers: running, unreadFrom: from }),
		[timeline.value, world.value.outgoing, transfers.value, from],
	);
}

// False while the line is not drawn.
function focusLine(key: string): boolean {
	const element = document.getElementById(key);
	element?.focus({ preventScroll: true });
	element?.scrollIntoView({ block: 'nearest' });
	return element !== null;
}

// Which row has the focus of the list, and how the arrow keys move it.
function useFocus(rows: readonly Row[], reach: (key: string) => void) {
	const [key, setKey] = useState('');
	const wish = useRef('');
	const messages = useMemo(() => rows.filter((row) => row.kind === 'message').map((row) => row.key), [rows]);
	const current = key !== '' && messages.includes(key) ? key : (messages.at(-1) ?? '');
	const onKeyDown = (event: KeyboardEvent) => {
		const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
		const step = steps[event.key];
		if (step === undefined || !(event.target instanceof HTMLElement) || event.target.dataset['message'] === undefined)
			return;
		event.preventDefault();
		const from = wish.current !== '' ? wish.current : event.target.id;
		const to = messages[Math.max(0, Math.min(messages.length - 1, messages.indexOf(from) + step))]!;
		setKey(to);
		if (!focusLine(to)) {
			wish.current = to;
			reach(to);
		}
	};
	useEffect(() => {
		if (wish.current !== '' && focusLine(wish.current))
			wish.current = '';
	});
	return { current, focusKey: setKey, wish, onKeyDown };
}

export function Messages({ conversation: c }: { conversation: Conversation }) {
	const rows = useRows(c.id);
	const keys = useMemo(() => rows.map((row) => row.key), [rows]);
	const today = useComputed(() => dayOf(second.value));
	const older = useCallback(() => void loadOlder(c.id), [c.id]);
	const scroller = useScroller(keys, unreadFrom.value?.conversation === c.id ? 'unread' : '', older);
	const focus = useFocus(rows, scroller.toRow);
	const [flashing, setFlashing] = useState('');
	const { span, atEnd } = scroller;

	useEffect(() => {
		const seen = () => {
			if (atEnd && document.visibilityState === 'visible')
				markRead(c.id);
		};
		seen();
		document.addEventListener('visibilitychange', seen);
		return () => document.removeEventListener('visibilitychange', seen);
	}, [atEnd, c.unread, c.id]);

	const ownOnes = rows.filter((row) => row.kind === 'outgoing' || row.kind === 'transfer').length;
	const counted = useRef(ownOnes);
	useEffect(() => {
		if (ownOnes > counted.current)
			scroller.toEnd();
		counted.current = ownOnes;
	}, [ownOnes]);

	useEffect(() => {
		const wanted = target.value;
		if (wanted === null || wanted.conversation !== c.id)
			return;
		const key = `m${wanted.message}`;
		target.value = null;
		if (!keys.includes(key))
			return;
		scroller.toRow(key);
		focus.wish.current = key;
		focus.focusKey(key);
		setFlashing(key);
		setTimeout(() => setFlashing(''), FLASH);
	}, [target.value, keys]);

	return (
		<div class="messages-box">
			<div class="messages" ref={scroller.frame} onScroll={scroller.onScroll} onKeyDown={focus.onKeyDown} tabIndex={-1}>
				<div ref={scroller.inside} class="messages-inside" role="log" aria-live="off"
					aria-label={t('talk.messages', { title: c.title })}>
					<div style={{ height: `${span.before}px` }} aria-hidden="true" />
					{rows.slice(span.from, span.until).map((row, i) => (
						<div key={row.key} data-key={row.key} class="row-slot">
							<RowView row={row} conversation={c} today={today.value * 86400}
								focusable={row.key === focus.current} flashing={row.key === flashing}
								place={span.from + i + 1} of={rows.length} />
						</div>
					))}
					<div style={{ height: `${span.after}px` }} aria-hidden="true" />
				</div>
			</div>
			{!atEnd && (
				<button type="button" class="latest" onClick={scroller.toEnd}
					aria-label={c.unread > 0 ? `${t('talk.latest')}, ${t('talk.new', { n: c.unread })}` : t('talk.latest')}>
					<Icon name="down" />
					{c.unread > 0 && <span class="badge" aria-hidden="true">{c.unread}</span>}
				</button>
			)}
		</div>
	);
}
