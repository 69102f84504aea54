// connection.tsx - how the connection is, where the person looks, when it is not well.
import { t } from '../../i18n/index.js';
import { askToForget } from '../profile.js';
import { connected, link, loginEnded, mode, revoked, world } from '../store.js';

function words(): string {
	const { state, seconds } = link.value;
	if (state === 'connecting')
		return t('link.connecting');
	return seconds > 0 ? t('link.retry', { n: seconds }) : t('link.offline');
}

export function Connection() {
	const { state } = link.value;
	const unsent = world.value.outgoing.length;
	if (loginEnded.value)
		return (
			<div role="status" class="connection offline">
				<span>{t('link.ended')}</span>
				<button type="button" class="link" onClick={() => {
					mode.value = 'again';
				}}>
					{t('login.again')}
				</button>
			</div>
		);
	if (revoked.value)
		return (
			<div role="status" class="connection offline">
				<span>{t('link.revoked')}{unsent > 0 && ` ${t('link.revoked.unsent', { n: unsent })}`}</span>
				<button type="button" class="link" onClick={askToForget}>{t('link.revoked.do')}</button>
			</div>
		);
	const well = connected.value;
	return (
		<div role="status" class={`connection ${well ? 'well' : state}`}>
			{!well && <span>{words()}</span>}
		</div>
	);
}
