// expiry.tsx - how long messages are kept in a conversation.
import { t } from '../../i18n/index.js';
import { Failure } from '../screens/frame.js';
import { world } from '../store.js';
import { setExpiry } from '../talks.js';
import { span } from '../times.js';
import { Dialog } from '../widgets/dialog.js';
import { Icon } from '../widgets/icons.js';
import { useTask } from '../widgets/task.js';
import { rove } from '../widgets/roving.js';

const TIMES = [0, 300, 3600, 8 * 3600, 86400, 7 * 86400, 28 * 86400]; // seconds

export function Expiry({ conversation, close }: { conversation: number; close: () => void }) {
	const task = useTask();
	const kept = world.value.conversations.get(conversation)?.kept ?? 0;
	const choose = (seconds: number) => task.run(async () => {
		await setExpiry(conversation, seconds);
		close();
	});
	return (
		<Dialog title={t('details.expiry')} close={close}>
			<p class="muted">{t('details.expiry.hint')}</p>
			<Failure text={task.error} />
			<ul class="people-list" onKeyDown={(event) => rove(event, event.currentTarget, 'button')}>
				{TIMES.map((seconds) => (
					<li key={seconds}>
						<button type="button" class="person" aria-pressed={seconds === kept} onClick={() => choose(seconds)}>
							<span>{seconds === 0 ? t('details.expiry.off') : span(seconds)}</span>
							{seconds === kept && <Icon name="check" />}
						</button>
					</li>
				))}
			</ul>
		</Dialog>
	);
}
