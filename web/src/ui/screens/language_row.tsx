// language_row.tsx - the languages by their own names.
import { isLanguage, language, tongues } from '../../i18n/index.js';
import { setLanguage } from '../preferences.js';

export function LanguageRow() {
	return (
		<div class="language-row">
			{Object.entries(tongues).map(([code, tongue]) => (
				<button
					key={code}
					type="button"
					class="link"
					lang={code}
					aria-pressed={language.value === code}
					onClick={() => isLanguage(code) && setLanguage(code)}
				>
					{tongue.name}
				</button>
			))}
		</div>
	);
}
