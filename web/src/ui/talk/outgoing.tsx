// outgoing.tsx - own messages and files that have not left yet.
import { t } from '../../i18n/index.js';
import { revoked } from '../store.js';
import type { Outgoing } from '../world.js';
import { drop } from '../talks.js';
import { copyText } from './actions.js';
import { safeName } from '../text.js';
import type { Transfer } from '../transfers.js';
import { clock } from '../times.js';
import { Icon } from '../widgets/icons.js';
import { Body } from './body.js';
import { Quote } from './message.js';
import { ProgressLine } from './progress.js';

export function OutgoingLine({ outgoing: o }: { outgoing: Outgoing }) {
	if (o.content.kind !== 'text' && o.content.kind !== 'file')
		return null;
	const waiting = o.state === 'waiting';
	const words = o.content.text;
	return (
		<div class={`line own first last on-its-way ${o.state}`}>
			<div class="line-stack">
				<div class="bubble">
					{o.content.replyTo !== undefined && <Quote conversation={o.conversation} message={o.content.replyTo} />}
					{o.content.kind === 'file' && <p class="file-name"><bdi>{safeName(o.content.file.name)}</bdi></p>}
					{words !== '' && <Body text={words} />}
					<span class="meta">
						<time>{clock(o.time)}</time>
						<Icon name="clock" label={waiting ? t('message.waiting') : t('message.sending')} />
					</span>
				</div>
				{waiting && (
					<p class="waits">
						<span>{revoked.value ? t('message.revoked') : t('message.waiting')}</span>
						{revoked.value && words !== '' && (
							<button type="button" class="link" onClick={() => copyText(words)}>{t('message.copy')}</button>
						)}
						<button type="button" class="link" onClick={() => void drop(o.ticket)}>{t('message.drop')}</button>
					</p>
				)}
			</div>
		</div>
	);
}

export function TransferLine({ transfer: one }: { transfer: Transfer }) {
	return (
		<div class="line own first last on-its-way with-file">
			<div class="line-stack">
				<div class="bubble">
					<div class="file">
						<span class="file-sign"><Icon name="file" /></span>
						<span class="file-name"><bdi>{one.name}</bdi></span>
					</div>
					<ProgressLine transfer={one} />
					{one.caption !== '' && <Body text={one.caption} />}
				</div>
			</div>
		</div>
	);
}
