// unlock.tsx - the profile is here, but sealed: its password opens it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { askToForget, unlock } from '../profile.js';
import { account } from '../store.js';
import { Field } from '../widgets/field.js';
import { useTask } from '../widgets/task.js';
import { Failure, Frame, Submit } from './frame.js';

export function Unlock() {
	const [password, setPassword] = useState('');
	const task = useTask();
	const form = useRef<HTMLFormElement>(null);
	const submit = (event: Event) => {
		event.preventDefault();
		task.run(() => unlock(password));
	};
	useEffect(() => {
		if (task.error !== '')
			form.current?.querySelector<HTMLInputElement>('input:not([readonly])')?.select();
	}, [task.error]);
	return (
		<Frame title={t('unlock.title', { name: account.value })} text={t('unlock.text')}>
			<form ref={form} onSubmit={submit} class="form">
				<input class="unseen" type="text" autocomplete="username" value={account.value} readOnly tabIndex={-1}
					aria-hidden="true" />
				<Field label={t('field.password')} type="password" value={password} change={setPassword}
					autocomplete="current-password" required focus />
				<Failure text={task.error} />
				<Submit text={t('unlock.submit')} busyText={t('unlock.working')} busy={task.busy} disabled={password === ''} />
				<button type="button" class="link" onClick={askToForget}>{t('unlock.other')}</button>
			</form>
		</Frame>
	);
}
