// safety.tsx - the safety number: shown, scanned, typed; and what follows from it. Whether a key is
// right is the core's to say: what was typed or scanned goes there as it is, and the number that was on
// the screen goes with the person's word for it.
import { useEffect, useState } from 'preact/hooks';
import type { Notice } from '../../messenger.js';
import { t } from '../../i18n/index.js';
import { readConversations } from '../profile.js';
import { Failure } from '../screens/frame.js';
import { keyAccepted } from '../state.js';
import { ask, codeOf, run, sentence, update } from '../store.js';
import { digitsOf } from '../text.js';
import { say } from '../view.js';
import { keepAlerts } from '../profile.js';
import { Dialog } from '../widgets/dialog.js';
import { Field } from '../widgets/field.js';
import { Icon } from '../widgets/icons.js';
import { LateQrCode } from '../widgets/late_qr.js';
import { useTask } from '../widgets/task.js';
import { Scan } from './scan.js';

function Digits({ number }: { number: string }) {
	return (
		<ol class="digits" aria-label={t('safety.number')}>
			{number.trim().split(/\s+/u).map((group, i) => <li key={i}>{group}</li>)}
		</ol>
	);
}

function Typed({ compare, back }: { compare: (theirs: string) => Promise<string>; back: () => void }) {
	const [text, setText] = useState('');
	const [error, setError] = useState('');
	return (
		<form class="form" onSubmit={(event) => {
			event.preventDefault();
			void compare(text).then(setError);
		}}>
			<Field label={t('safety.type.label')} value={text} error={error} change={setText} focus />
			<button type="submit" class="primary wide" disabled={text.trim() === ''}>{t('safety.type.check')}</button>
			<button type="button" class="plain wide" onClick={back}>{t('safety.show')}</button>
		</form>
	);
}

type Way = 'show' | 'scan' | 'type';

export function Safety({ username, close }: { username: string; close: () => void }) {
	const [safety, setSafety] = useState<Notice | null>(null);
	const [way, setWay] = useState<Way>('show');
	const [differs, setDiffers] = useState(false);
	const task = useTask();
	useEffect(() => task.run(async () => {
		setSafety((await ask({ kind: 'safety_number', username }, 'safety'))[0] ?? null);
	}), [username]);
	const changed = safety?.error === 'KEY_CHANGED';
	const answer = async (kind: 'accept_key' | 'set_verified' | 'compare', text: string) => {
		await run({ kind, username, text });
		if (changed)
			update((w) => keyAccepted(w, username));
		keepAlerts();
		await readConversations();
		say(t(kind === 'accept_key' ? 'safety.accepted' : 'safety.done', { name: username }));
		close();
	};
	const confirm = () => task.run(() => answer(changed ? 'accept_key' : 'set_verified', safety?.text ?? ''));
	// A sentence where nothing was compared.
	const compare = async (theirs: string): Promise<string> => {
		try {
			await answer('compare', theirs);
		} catch (thrown) {
			if (codeOf(thrown) !== 'BAD_SIGNATURE')
				return codeOf(thrown) === 'MALFORMED' ? t('safety.malformed') : sentence(thrown);
			setDiffers(true);
			setWay('show');
		}
		return '';
	};
	const go = (to: Way) => {
		setDiffers(false);
		setWay(to);
	};
	return (
		<Dialog title={t('safety.title', { name: username })} close={close}>
			{safety?.flag === true && !changed && !differs && <p class="note good"><Icon name="verified" />{t('safety.done', { name: username })}</p>}
			{changed && <p class="note bad" role="alert"><Icon name="warning" />{t('safety.changed', { name: username })}</p>}
			{differs && <p class="note bad" role="alert"><Icon name="warning" />{t('safety.differ')}</p>}
			<Failure text={task.error} />
			{safety !== null && way === 'show' && (
				<>
					<p class="muted">{t('safety.text')}</p>
					<LateQrCode text={digitsOf(safety.text)} label={t('safety.qr')} />
					<Digits number={safety.text} />
					<div class="in-words">
						<small>{t('safety.words')}</small>
						<p lang="en" dir="ltr">{safety.detail}</p>
					</div>
					<div class="buttons">
						<button type="button" class="plain" onClick={() => go('scan')}><Icon name="scan" />{t('safety.scan')}</button>
						<button type="button" class="plain" onClick={() => go('type')}><Icon name="edit" />{t('safety.type')}</button>
					</div>
					{(!safety.flag || changed) && !differs && (
						<button type="button" class={`wide ${changed ? 'danger' : 'primary'}`} aria-busy={task.busy} onClick={confirm}>
							{changed ? t('safety.accept') : t('safety.same')}
						</button>
					)}
				</>
			)}
			{way === 'scan' && (
				<Scan take={compare}>
					<button type="button" class="plain" onClick={() => go('type')}><Icon name="edit" />{t('safety.type')}</button>
					<button type="button" class="plain" onClick={() => go('show')}>{t('safety.show')}</button>
				</Scan>
			)}
			{way === 'type' && <Typed compare={compare} back={() => go('show')} />}
		</Dialog>
	);
}
