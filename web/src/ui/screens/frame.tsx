// frame.tsx - what the screens before the conversations have in common: the sign, the card.
import type { ComponentChildren } from 'preact';
import { t } from '../../i18n/index.js';
import { Icon } from '../widgets/icons.js';

export function Sign() {
	return (
		<svg class="sign" viewBox="0 0 48 48" aria-hidden="true">
			<path class="sign-back" d="M24 4c11.6 0 20 7.6 20 18s-8.4 18-20 18c-2.2 0-4.3-.3-6.2-.8L8 44l2.2-8.4C6.3 32.3 4 27.5 4 22 4 11.6 12.4 4 24 4z" />
			<path class="sign-front" d="M15 22h18" />
		</svg>
	);
}

interface Props {
	title: string;
	text?: string;
	back?: () => void;
	children: ComponentChildren;
}

export function Frame({ title, text, back, children }: Props) {
	return (
		<main class="frame">
			<div class="card">
				<header class="card-head">
					{back !== undefined && (
						<button type="button" class="round" aria-label={t('app.back')} onClick={back}>
							<Icon name="back" />
						</button>
					)}
					<Sign />
				</header>
				<h1>{title}</h1>
				{text !== undefined && <p class="lead">{text}</p>}
				{children}
			</div>
		</main>
	);
}

export function Failure({ text }: { text: string }) {
	return <p class="failure" role="alert">{text}</p>;
}

interface SubmitProps {
	text: string;
	busyText?: string;
	busy: boolean;
	disabled?: boolean;
}

export function Submit({ text, busyText, busy, disabled = false }: SubmitProps) {
	return (
		<button type="submit" class="primary wide" disabled={disabled} aria-busy={busy}>
			{busy && <span class="spinner" aria-hidden="true" />}
			{busy ? (busyText ?? text) : text}
		</button>
	);
}
