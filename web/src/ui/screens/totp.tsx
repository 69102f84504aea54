// totp.tsx - the authenticator is connected: its QR code, and its first code.
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { ask } from '../store.js';
import { say } from '../view.js';
import { Field } from '../widgets/field.js';
import { Icon } from '../widgets/icons.js';
import { LateQrCode } from '../widgets/late_qr.js';
import { useTask, type Meanings } from '../widgets/task.js';
import { Failure, Frame, Submit } from './frame.js';

export interface Setup {
	uri: string; // otpauth:
	secret: string; // the same in base32
}

interface Props {
	setup: Setup;
	steps: number;
	back: () => void;
	next: (codes: string[]) => void;
}

const CODE_DIGITS = 6;
const MEANINGS: Meanings = { BAD_PASSWORD: 'totp.wrong', LIMIT: 'login.often', NOT_LOGGED_IN: 'totp.late' };

export function Totp({ setup, steps, back, next }: Props) {
	const [code, setCode] = useState('');
	const task = useTask(MEANINGS);
	const digits = code.replace(/\s/gu, '');
	const submit = (event: Event) => {
		event.preventDefault();
		task.run(async () => {
			const told = await ask({ kind: 'verify_totp', code: digits }, 'recovery_codes');
			next((told[0]?.text ?? '').split('\n').filter((line) => line !== ''));
		});
	};
	const copy = () => {
		navigator.clipboard.writeText(setup.secret).then(() => say(t('app.copied'))).catch(() => undefined);
	};
	return (
		<Frame title={t('totp.title')} text={t('register.step', { n: 2, of: steps })} back={back}>
			<form onSubmit={submit} class="form">
				<p>{t('totp.text')}</p>
				<LateQrCode text={setup.uri} label={t('totp.qr')} />
				<p class="hint">{t('totp.manual')}</p>
				<div class="secret">
					<code>{setup.secret.replace(/(.{4})/gu, '$1 ').trim()}</code>
					<button type="button" class="round" aria-label={t('app.copy')} onClick={copy}><Icon name="copy" /></button>
				</div>
				{setup.uri.startsWith('otpauth://') && <a class="link" href={setup.uri}>{t('totp.open')}</a>}
				<Field label={t('field.code')} value={code} change={setCode} hint={t('field.code.totp')}
					autocomplete="one-time-code" numeric required focus maxLength={9} />
				<Failure text={task.error} />
				<Submit text={t('totp.submit')} busy={task.busy} disabled={digits.length !== CODE_DIGITS} />
			</form>
		</Frame>
	);
}
