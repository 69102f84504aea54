// row.tsx - one conversation in the list.
import { useComputed } from '@preact/signals';
import { t } from '../../i18n/index.js';
import { describeEvent } from '../events.js';
import { gist } from '../notices.js';
import { typists, type Conversation } from '../world.js';
import { account, second, world } from '../store.js';
import { oneLine } from '../text.js';
import { isLoud } from '../timeline.js';
import { short } from '../times.js';
import { drafts, openTalk } from '../talks.js';
import { isSaid } from '../timeline.js';
import { openId } from '../view.js';
import { Avatar } from '../widgets/avatar.js';
import { Icon } from '../widgets/icons.js';
import { Countdown } from '../widgets/countdown.js';
import { typingText } from '../talk/typing.js';

function lastLine(c: Conversation): string {
	const { last } = c;
	if (last === null)
		return c.closed ? t('talk.closed') : t(`kind.${c.kind}`);
	if (!isSaid(last))
		return describeEvent(last);
	const text = gist(last);
	if (last.flag)
		return t('list.you', { text });
	return c.kind === 'direct' ? text : t('list.by', { name: last.username, text });
}

function Line({ conversation: c }: { conversation: Conversation }) {
	const who = typists(world.value, c.id);
	const draft = openId.value === c.id ? undefined : drafts.value.get(c.id);
	const waits = world.value.outgoing.some((o) => o.conversation === c.id && o.state === 'waiting');
	if (who.length > 0)
		return <span class="row-line typing">{typingText(who)}</span>;
	if (draft !== undefined)
		return <span class="row-line draft" dir="auto">{t('list.draft', { text: oneLine(draft) })}</span>;
	return (
		<span class="row-line" dir="auto">
			{waits && <Icon name="clock" label={t('list.waiting')} />}
			{c.last !== null && isLoud(c.last) ? <Icon name="warning" /> : null}
			{lastLine(c)}
		</span>
	);
}

export function ConversationRow({ conversation: c, first }: { conversation: Conversation; first: boolean }) {
	const today = useComputed(() => Math.floor(second.value / 60) * 60);
	const chosen = openId.value === c.id;
	const focusable = chosen || (first && openId.value === 0);
	return (
		<li>
			<button type="button" id={`talk-${c.id}`} class={`row ${chosen ? 'chosen' : ''} ${c.unread > 0 ? 'fresh' : ''} ${c.closed ? 'closed' : ''}`}
				aria-current={chosen} tabIndex={focusable ? 0 : -1} onClick={() => void openTalk(c.id)}>
				<Avatar name={c.title} kind={c.kind} withPresence={c.kind === 'direct' && c.title !== account.value} />
				<span class="row-top">
					<span class="row-title" dir="auto">{c.title}</span>
					{c.verified && <Icon name="verified" label={t('verified')} />}
					{c.endsAt > 0 && !c.closed ? (
						<Countdown until={c.endsAt} />
					) : (
						<span class="row-time">{short(c.last?.time ?? 0, today.value)}</span>
					)}
				</span>
				<span class="row-bottom">
					<Line conversation={c} />
					{c.unread > 0 && (
						<span class="badge">
							<span aria-hidden="true">{c.unread > 999 ? '999+' : c.unread}</span>
							<span class="unseen">{t('list.unread', { n: c.unread })}</span>
						</span>
					)}
				</span>
			</button>
		</li>
	);
}
