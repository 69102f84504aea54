// recovery.tsx - recovery codes, shown once; typing one of them proves that they were kept.
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { handOver } from '../transfers.js';
import { say } from '../view.js';
import { Field } from '../widgets/field.js';
import { Icon } from '../widgets/icons.js';
import { Frame, Submit } from './frame.js';

interface Props {
	codes: readonly string[];
	steps: number;
	next: () => Promise<void>;
}

const plain = (code: string) => code.replace(/[\s-]/gu, '').toLowerCase();

export function Recovery({ codes, steps, next }: Props) {
	const [typed, setTyped] = useState('');
	const [error, setError] = useState('');
	const submit = (event: Event) => {
		event.preventDefault();
		if (codes.some((code) => plain(code) === plain(typed)))
			void next();
		else
			setError(t('recovery.wrong'));
	};
	const copy = () => {
		navigator.clipboard.writeText(codes.join('\n')).then(() => say(t('app.copied'))).catch(() => undefined);
	};
	return (
		<Frame title={t('recovery.title')} text={t('register.step', { n: 3, of: steps })}>
			<form onSubmit={submit} class="form">
				<p>{t('recovery.text')}</p>
				<ol class="codes" aria-label={t('recovery.list')}>
					{codes.map((code) => <li key={code}><code>{code}</code></li>)}
				</ol>
				<div class="buttons">
					<button type="button" class="plain" onClick={copy}><Icon name="copy" />{t('app.copy')}</button>
					<button type="button" class="plain"
						onClick={() => handOver(new Blob([codes.join('\n'), '\n'], { type: 'text/plain' }), 'tacit-recovery-codes.txt')}>
						<Icon name="save" />{t('recovery.save')}
					</button>
				</div>
				<Field label={t('recovery.confirm')} value={typed} error={error} hint={t('recovery.confirm.hint')} required
					change={(value) => {
						setTyped(value);
						setError('');
					}} />
				<Submit text={t('recovery.submit')} busy={false} disabled={typed.trim() === ''} />
			</form>
		</Frame>
	);
}
