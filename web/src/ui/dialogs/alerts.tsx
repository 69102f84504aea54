// alerts.tsx - what must be read before anything else: a changed key, a server that misbehaves.
import { errorText, t } from '../../i18n/index.js';
import { keepAlerts } from '../profile.js';
import { acknowledge } from '../state.js';
import type { Alert } from '../world.js';
import { update, world } from '../store.js';
import { moment } from '../times.js';
import { openDialog } from '../view.js';
import { Dialog } from '../widgets/dialog.js';
import { Icon } from '../widgets/icons.js';

function AlertDialog({ alert }: { alert: Alert }) {
	const isKey = alert.kind === 'key_changed';
	const c = world.value.conversations.get(alert.conversation);
	const read = () => {
		update((w) => acknowledge(w, alert.id));
		keepAlerts();
	};
	return (
		<Dialog
			title={isKey ? t('alert.title.key') : t('alert.title.warning')}
			close={read}
			kind="alert"
			footer={(
				<>
					{isKey && (
						<button type="button" class="plain" onClick={() => {
							read();
							openDialog({ kind: 'safety', username: alert.username });
						}}>
							{t('alert.compare')}
						</button>
					)}
					<button type="button" class="danger" onClick={read}>{t('alert.ok')}</button>
				</>
			)}
		>
			<p class="loud-title"><Icon name="warning" />
				<b>{isKey ? t('event.key', { name: alert.username }) : t('event.warning')}</b>
			</p>
			<p>{isKey ? t('event.key.text') : errorText(alert.error)}</p>
			{!isKey && alert.text !== '' && <p lang="en" class="small-text">{t('event.server.words', { text: alert.text })}</p>}
			<p class="muted">{c === undefined ? '' : `${c.title} · `}<time>{moment(alert.time)}</time></p>
		</Dialog>
	);
}

export function Alerts() {
	const first = world.value.alerts.find((alert) => !alert.seen);
	return first === undefined ? null : <AlertDialog key={first.id} alert={first} />;
}
