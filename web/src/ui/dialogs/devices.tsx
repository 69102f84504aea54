// devices.tsx - the account's devices: what they are called here, and how to revoke one.
import { useEffect, useState } from 'preact/hooks';
import type { Notice } from '../../messenger.js';
import { t } from '../../i18n/index.js';
import { nameDevice, readDeviceNames } from '../preferences.js';
import { Failure } from '../screens/frame.js';
import { ask, run } from '../store.js';
import { date } from '../times.js';
import { askFirst } from '../view.js';
import { Dialog } from '../widgets/dialog.js';
import { Field } from '../widgets/field.js';
import { Icon } from '../widgets/icons.js';
import { useTask } from '../widgets/task.js';

const shortId = (id: string) => id.slice(0, 8).replace(/(.{4})/gu, '$1 ').trim();

function NameForm({ name, save }: { name: string; save: (name: string) => void }) {
	const [text, setText] = useState(name);
	return (
		<form class="form" onSubmit={(event) => {
			event.preventDefault();
			save(text.trim());
		}}>
			<Field label={t('devices.name')} value={text} change={setText} hint={t('devices.name.hint')} maxLength={60} focus />
			<button type="submit" class="plain wide">{t('app.save')}</button>
		</form>
	);
}

interface Props {
	device: Notice;
	name: string;
	rename: () => void;
	revoke: () => void;
}

function Device({ device, name, rename, revoke }: Props) {
	const id = shortId(device.text);
	return (
		<li>
			<span class="file-sign"><Icon name="device" /></span>
			<span class="member-name">
				<span dir="auto">{name !== '' ? name : device.flag ? t('devices.this') : t('devices.other')}</span>
				<small>
					{device.flag && name !== '' && `${t('devices.this')} · `}
					{t('devices.since', { date: date(device.time) })} · <code class="device-id">{id}</code>
				</small>
			</span>
			<button type="button" class="round" aria-label={t('devices.rename', { id })} title={t('devices.rename', { id })} onClick={rename}>
				<Icon name="edit" />
			</button>
			{!device.flag && (
				<button type="button" class="small danger-text" onClick={revoke}>
					{t('devices.revoke')}
					<span class="unseen">{id}</span>
				</button>
			)}
		</li>
	);
}

export function Devices({ close }: { close: () => void }) {
	const [devices, setDevices] = useState<Notice[]>([]);
	const [names, setNames] = useState<Readonly<Record<string, string>>>({});
	const [naming, setNaming] = useState('');
	const task = useTask();
	const read = async () => {
		setNames(await readDeviceNames());
		setDevices(await ask({ kind: 'devices' }, 'device'));
	};
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
	const rename = (name: string) => task.run(async () => {
		await nameDevice(naming, name);
		setNaming('');
		await read();
	});
	return (
		<Dialog title={t('devices.title')} close={close}>
			<p class="muted">{t('devices.text')}</p>
			<Failure text={task.error} />
			<ul class="devices" aria-busy={task.busy}>
				{devices.map((device) => (
					<Device key={device.text} device={device} name={names[device.text] ?? ''}
						rename={() => setNaming(device.text)} revoke={() => revoke(device.text)} />
				))}
			</ul>
			{naming !== '' && <NameForm key={naming} name={names[naming] ?? ''} save={rename} />}
		</Dialog>
	);
}
