// event.tsx - what happened between the messages: quiet things in a line, warnings in a card.
import type { Notice } from '../../messenger.js';
import { errorText, t } from '../../i18n/index.js';
import { describeEvent } from '../events.js';
import { isLoud } from '../timeline.js';
import { moment } from '../times.js';
import { openDialog } from '../view.js';
import { Icon } from '../widgets/icons.js';
import { copyText } from './actions.js';

function Loud({ notice }: { notice: Notice }) {
	const isKey = notice.kind === 'key_changed';
	return (
		<div class="loud-card">
			<p class="loud-title"><Icon name="warning" /><b>{describeEvent(notice)}</b></p>
			<p>{isKey ? t('event.key.text') : errorText(notice.error)}</p>
			{!isKey && notice.text !== '' && <p lang="en" class="small-text">{t('event.server.words', { text: notice.text })}</p>}
			<p class="loud-foot">
				<time>{moment(notice.time)}</time>
				{isKey && (
					<button type="button" class="small" onClick={() => openDialog({ kind: 'safety', username: notice.username })}>
						{t('talk.key.compare')}
					</button>
				)}
			</p>
		</div>
	);
}

export function EventLine({ notice }: { notice: Notice }) {
	if (isLoud(notice))
		return <Loud notice={notice} />;
	const { content } = notice;
	const words = notice.kind === 'refused' && notice.flag && content?.kind === 'text' ? content.text : ''; // nowhere else
	const bad = notice.kind === 'refused' || notice.kind === 'missing';
	return (
		<p class={`event ${bad ? 'bad' : ''}`}>
			{bad && <Icon name="warning" />}
			<span>
				{describeEvent(notice)}
				{words !== '' && <> <q dir="auto">{words}</q> <button type="button" class="link" onClick={() => copyText(words)}>{t('message.copy')}</button></>}
			</span>
		</p>
	);
}
