// welcome.tsx - the first thing that somebody without an account sees.
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Icon } from '../widgets/icons.js';
import { Sign } from './frame.js';
import { LanguageRow } from './language_row.js';
import { Login } from './login.js';
import { Register } from './register.js';

type Step = 'hello' | 'register' | 'login';

export function Welcome() {
	const [step, setStep] = useState<Step>('hello');
	const back = () => setStep('hello');
	if (step === 'register')
		return <Register back={back} />;
	if (step === 'login')
		return <Login back={back} />;
	return (
		<main class="frame">
			<div class="card hello">
				<Sign />
				<h1 class="wordmark">tacit</h1>
				<p class="lead">{t('app.tagline')}</p>
				<ul class="points">
					<li><Icon name="lock" /><span>{t('welcome.point.keys')}</span></li>
					<li><Icon name="shield" /><span>{t('welcome.point.server')}</span></li>
					<li><Icon name="file" /><span>{t('welcome.point.files')}</span></li>
				</ul>
				<button type="button" class="primary wide" onClick={() => setStep('register')}>{t('welcome.register')}</button>
				<button type="button" class="plain wide" onClick={() => setStep('login')}>{t('welcome.login')}</button>
				<LanguageRow />
			</div>
		</main>
	);
}
