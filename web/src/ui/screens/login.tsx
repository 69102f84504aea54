// login.tsx - logging in: on a new browser, or again on one that knows the account.
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { askToForget, enterAlone, openProfile, unlockFirst } from '../profile.js';
import { account, mode, run } from '../store.js';
import { Field } from '../widgets/field.js';
import { useTask, type Meanings } from '../widgets/task.js';
import { Failure, Frame, Submit } from './frame.js';

const MEANINGS: Meanings = { BAD_PASSWORD: 'login.wrong', LOCKED: 'error.BAD_PASSWORD', LIMIT: 'login.often', REFUSED: 'login.refused' };

export function Login({ back }: { back?: () => void }) {
	const known = account.value;
	const locked = mode.value === 'unlock';
	const [username, setUsername] = useState(known);
	const [email, setEmail] = useState('');
	const [password, setPassword] = useState('');
	const [code, setCode] = useState('');
	const task = useTask(MEANINGS);
	const submit = (event: Event) => {
		event.preventDefault();
		task.run(async () => {
			if (known !== '')
				await unlockFirst(password);
			await run({ kind: 'login', username, email, password, code: code.trim() });
			await openProfile();
		});
	};
	return (
		<Frame
			title={known === '' ? t('login.title') : t('unlock.title', { name: known })}
			{...(known === '' ? {} : { text: t('login.again.text') })}
			{...(back === undefined ? {} : { back })}
		>
			<form onSubmit={submit} class="form">
				{known === '' && (
					<>
						<Field label={t('field.username')} value={username} change={setUsername} autocomplete="username"
							maxLength={24} required focus />
						<Field label={t('field.email')} type="email" value={email} change={setEmail} autocomplete="email"
							maxLength={254} required />
					</>
				)}
				{known !== '' && (
					<input class="unseen" type="text" autocomplete="username" value={known} readOnly tabIndex={-1} aria-hidden="true" />
				)}
				<Field label={t('field.password')} type="password" value={password} change={setPassword}
					autocomplete="current-password" required focus={known !== ''} />
				<Field label={t('field.code')} value={code} change={setCode} hint={t('field.code.login')}
					autocomplete="one-time-code" required maxLength={64} />
				<Failure text={task.error} />
				<Submit text={t('login.submit')} busyText={t('login.working')} busy={task.busy}
					disabled={password === '' || code.trim() === ''} />
				{known !== '' && (
					<>
						<button type="button" class="plain wide" disabled={locked && password === ''}
							onClick={() => task.run(() => enterAlone(password))}>{t('login.offline')}</button>
						<button type="button" class="link" onClick={askToForget}>{t('unlock.other')}</button>
					</>
				)}
			</form>
		</Frame>
	);
}
