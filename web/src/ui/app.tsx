// app.tsx - the screen that fits, and what lies above every screen.
import { t } from '../i18n/index.js';
import { Alerts } from './dialogs/alerts.js';
import { Dialogs } from './dialogs/stack.js';
import { Login } from './screens/login.js';
import { Failure, Sign } from './screens/frame.js';
import { Shell } from './screens/shell.js';
import { Unlock } from './screens/unlock.js';
import { Welcome } from './screens/welcome.js';
import { isLoggedOut } from './preferences.js';
import { mode, openingProblem } from './store.js';
import { announcement, hush, toasts } from './view.js';
import { Icon } from './widgets/icons.js';
import { Menu } from './widgets/menu.js';

function Screen() {
	switch (mode.value) {
	case 'opening':
		return (
			<main class="opening" aria-busy={openingProblem.value === ''}>
				<Sign />
				<h1>tacit</h1>
				{openingProblem.value === '' ? <p>{t('app.loading')}</p> : <Failure text={openingProblem.value} />}
			</main>
		);
	case 'welcome':
		return <Welcome />;
	case 'unlock':
		return isLoggedOut() ? <Login /> : <Unlock />;
	case 'again':
		return <Login />;
	case 'main':
		return <Shell />;
	}
}

function Toasts() {
	return (
		<div class="toasts" role="status" aria-live="polite">
			{toasts.value.map((toast) => (
				<div key={toast.id} class={`toast ${toast.bad ? 'bad' : ''}`}>
					<span>{toast.text}</span>
					<button type="button" class="round small" aria-label={t('app.close')} onClick={() => hush(toast.id)}>
						<Icon name="close" />
					</button>
				</div>
			))}
		</div>
	);
}

export function App() {
	const { count, text } = announcement.value;
	return (
		<>
			<Screen />
			<Dialogs />
			<Alerts />
			<Menu />
			<Toasts />
			<div class="unseen" role="log" aria-live="polite"><p key={count}>{text}</p></div>
		</>
	);
}
