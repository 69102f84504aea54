// head.tsx - the head of a conversation: who, how they are, the clock, the way to the details.
import { t } from '../../i18n/index.js';
import type { Conversation } from '../world.js';
import { connected, link } from '../store.js';
import { leaveTalk } from '../talks.js';
import { span } from '../times.js';
import { detailsOpen, openDialog } from '../view.js';
import { Avatar, presenceText } from '../widgets/avatar.js';
import { Countdown } from '../widgets/countdown.js';
import { Icon } from '../widgets/icons.js';

function Kept({ seconds }: { seconds: number }) {
	return (
		<span class="kept" title={t('talk.kept', { time: span(seconds) })}>
			<span class="unseen">{t('talk.kept', { time: span(seconds) })}</span>
			<span aria-hidden="true"> · <Icon name="clock" />{span(seconds)}</span>
		</span>
	);
}

function stateOf(c: Conversation): string {
	if (!connected.value)
		return t(link.value.state === 'connecting' ? 'link.connecting' : 'link.none');
	return c.kind === 'direct' ? presenceText(c.title) : t('talk.members', { n: c.members.length });
}

export function TalkHead({ conversation: c }: { conversation: Conversation }) {
	return (
		<header class="talk-head">
			<button type="button" class="round only-phone" aria-label={t('app.back')} onClick={leaveTalk}>
				<Icon name="back" />
			</button>
			<Avatar name={c.title} kind={c.kind} withPresence={c.kind === 'direct'} />
			<div class="talk-title">
				<h2>
					<span dir="auto">{c.title}</span>
					{c.verified && <Icon name="verified" label={t('verified')} />}
				</h2>
				<p>
					{stateOf(c)}
					{c.kept > 0 && <Kept seconds={c.kept} />}
				</p>
			</div>
			{c.endsAt > 0 && !c.closed && <Countdown until={c.endsAt} />}
			{c.kind === 'direct' && (
				<button type="button" class="round" aria-label={t('details.safety')} title={t('details.safety')}
					onClick={() => openDialog({ kind: 'safety', username: c.title })}>
					<Icon name="shield" />
				</button>
			)}
			<button type="button" class="round" aria-label={t('talk.details')} title={t('talk.details')}
				aria-pressed={detailsOpen.value}
				onClick={() => {
					detailsOpen.value = !detailsOpen.value;
				}}>
				<Icon name="info" />
			</button>
		</header>
	);
}
