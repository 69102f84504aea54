// countdown.tsx - the clock of a session, running down.
import { t } from '../../i18n/index.js';
import { second } from '../store.js';
import { left } from '../times.js';
import { Icon } from './icons.js';

const SOON = 300; // seconds

export function Countdown({ until }: { until: number }) {
	const rest = until - second.value;
	const text = rest > 0 ? left(rest) : t('clock.over');
	return (
		<span class={`countdown ${rest < SOON ? 'soon' : ''}`} role="timer" aria-label={t('clock.label', { time: text })}>
			<Icon name="clock" />
			<span aria-hidden="true">{text}</span>
		</span>
	);
}
