// settings.tsx - what the person may choose, and the ways out.
import { useState } from 'preact/hooks';
import { isLanguage, language, t, tongues } from '../../i18n/index.js';
import { lockAfter, notify, setLanguage, setLockAfter, setNotify, setTheme, theme, type Notify, type Theme } from '../preferences.js';
import { askToForget, logOut } from '../profile.js';
import { span } from '../times.js';
import { askFirst } from '../view.js';
import { Choice } from '../widgets/choice.js';
import { Dialog } from '../widgets/dialog.js';
import { Icon } from '../widgets/icons.js';

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];
const NOTIFY: readonly Notify[] = ['off', 'name', 'text'];
const MINUTES = [0, 5, 15, 60];

function Account() {
	const leave = () => askFirst({
		title: t('settings.logout.ask'), text: t('settings.logout.text'), action: t('settings.logout'), danger: false,
		answer: logOut,
	});
	return (
		<section class="settings-part">
			<h3>{t('settings.account')}</h3>
			<button type="button" class="way" onClick={leave}><Icon name="leave" />{t('settings.logout')}</button>
			<button type="button" class="way danger" onClick={askToForget}><Icon name="trash" />{t('settings.forget')}</button>
		</section>
	);
}

export function Settings({ close }: { close: () => void }) {
	const [denied, setDenied] = useState(false);
	return (
		<Dialog title={t('settings.title')} close={close}>
			<section class="settings-part">
				<h3>{t('settings.look')}</h3>
				<Choice label={t('settings.theme')} value={theme.value} change={setTheme}
					options={THEMES.map((value) => ({ value, text: t(`settings.theme.${value}`) }))} />
				<Choice label={t('settings.language')} value={language.value} change={setLanguage}
					options={Object.keys(tongues).filter(isLanguage).map((value) => ({ value, text: tongues[value].name }))} />
			</section>
			<section class="settings-part">
				<h3>{t('settings.privacy')}</h3>
				<Choice label={t('settings.lock')} value={lockAfter.value} change={(minutes) => void setLockAfter(minutes)}
					options={MINUTES.map((value) => ({ value, text: value === 0 ? t('settings.lock.never') : span(value * 60) }))} />
				<Choice label={t('settings.notify')} value={notify.value}
					change={(how) => void setNotify(how).then((allowed) => setDenied(!allowed))}
					options={NOTIFY.map((value) => ({ value, text: t(`settings.notify.${value}`) }))} />
				{denied && <p class="note bad" role="alert">{t('settings.notify.denied')}</p>}
			</section>
			<Account />
		</Dialog>
	);
}
