// register.tsx - a new account: name and password, the authenticator, the recovery codes.
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { openProfile } from '../profile.js';
import { ask } from '../store.js';
import { strength } from '../strength.js';
import { Field } from '../widgets/field.js';
import { useTask, type Meanings } from '../widgets/task.js';
import { Failure, Frame, Submit } from './frame.js';
import { Recovery } from './recovery.js';
import { Totp, type Setup } from './totp.js';

type Step = { kind: 'account' } | { kind: 'totp'; setup: Setup } | { kind: 'recovery'; codes: string[] };

const STEPS = 3;
const LEAST = 2; // of strength: fair
const MEANINGS: Meanings = { EXISTS: 'register.taken', LIMIT: 'login.often', REFUSED: 'register.refused' };

function Meter({ password, personal }: { password: string; personal: readonly string[] }) {
	if (password === '')
		return null;
	const level = strength(password, personal);
	return (
		<div class={`meter level-${level}`}>
			<div class="meter-bars" aria-hidden="true"><i /><i /><i /><i /></div>
			<p role="status">
				{t('strength.label', { level: t(`strength.${level}`) })}
				{level < LEAST && <span class="muted"> · {t('strength.advice')}</span>}
			</p>
		</div>
	);
}

function Account({ back, next }: { back: () => void; next: (setup: Setup) => void }) {
	const [username, setUsername] = useState('');
	const [email, setEmail] = useState('');
	const [password, setPassword] = useState('');
	const [invitation, setInvitation] = useState('');
	const task = useTask(MEANINGS);
	const personal = [username, ...email.split(/[@.]/u)];
	const weak = strength(password, personal) < LEAST;
	const submit = (event: Event) => {
		event.preventDefault();
		task.run(async () => {
			const told = await ask({ kind: 'register', username, email, password, text: invitation.trim() }, 'totp_setup');
			const setup = told[0];
			if (setup !== undefined)
				next({ uri: setup.text, secret: setup.detail });
		});
	};
	return (
		<Frame title={t('register.title')} text={t('register.step', { n: 1, of: STEPS })} back={back}>
			<form onSubmit={submit} class="form">
				<Field label={t('field.username')} value={username} change={setUsername} autocomplete="username"
					hint={t('field.username.hint')} maxLength={24} required focus />
				<Field label={t('field.email')} type="email" value={email} change={setEmail} autocomplete="email"
					hint={t('field.email.hint')} maxLength={254} required />
				<Field label={t('field.password')} type="password" value={password} change={setPassword}
					autocomplete="new-password" hint={t('field.password.hint')} required>
					<Meter password={password} personal={personal} />
				</Field>
				<Field label={t('field.invitation')} value={invitation} change={setInvitation}
					hint={t('field.invitation.hint')} />
				<Failure text={task.error} />
				<Submit text={t('register.submit')} busyText={t('register.working')} busy={task.busy}
					disabled={username === '' || email === '' || weak} />
			</form>
		</Frame>
	);
}

export function Register({ back }: { back: () => void }) {
	const [step, setStep] = useState<Step>({ kind: 'account' });
	switch (step.kind) {
	case 'account':
		return <Account back={back} next={(setup) => setStep({ kind: 'totp', setup })} />;
	case 'totp':
		return (
			<Totp setup={step.setup} steps={STEPS} back={() => setStep({ kind: 'account' })}
				next={(codes) => setStep({ kind: 'recovery', codes })} />
		);
	case 'recovery':
		return <Recovery codes={step.codes} steps={STEPS} next={openProfile} />;
	}
}
