// devices.tsx - the account's devices, and how to revoke one.
import { useEffect, useState } from 'preact/hooks';
import type { Notice } from '../../messenger.js';
import { t } from '../../i18n/index.js';
import { Failure } from '../screens/frame.js';
import { ask, run } from '../store.js';
import { date } from '../times.js';
import { askFirst } from '../view.js';
import { Dialog } from '../widgets/dialog.js';
import { Icon } from '../widgets/icons.js';
import { useTask } from '../widgets/task.js';

const shortId = (id: string) => id.slice(0, 8).replace(/(.{4})/gu, '$1 ').trim();

export function Devices({ close }: { close: () => void }) {
	const [devices, setDevices] = useState<Notice[]>([]);
	const task = useTask();
	const read = async () => setDevices(await ask({ kind: 'devices' }, 'device'));
	useEffect(() => task.run(read), []);
	const revoke = (id: string) => askFirst({
		title: t('devices.revoke.ask'),
		text: t('devices.revoke.text'),
		action: t('devices.revoke'),
		danger: true,
		answer: async () => {
			await run({ kind: 'revoke_device', text: id });
			await read();
		},
	});
	return (
		<Dialog title={t('devices.title')} close={close}>
			<p class="muted">{t('devices.text')}</p>
			<Failure text={task.error} />
			<ul class="devices" aria-busy={task.busy}>
				{devices.map((device) => (
					<li key={device.text}>
						<span class="file-sign"><Icon name="device" /></span>
						<span class="member-name">
							<span>{device.flag ? t('devices.this') : device.title}<code class="device-id">{shortId(device.text)}</code></span>
							<small>{t('devices.since', { date: date(device.time) })}</small>
						</span>
						{!device.flag && (
							<button type="button" class="small danger-text" aria-label={t('devices.revoke.name', { id: shortId(device.text) })}
								onClick={() => revoke(device.text)}>
								{t('devices.revoke')}
							</button>
						)}
					</li>
				))}
			</ul>
		</Dialog>
	);
}
