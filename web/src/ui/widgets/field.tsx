// field.tsx - a labelled input with its hint and its error, tied together for screen readers.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Icon } from './icons.js';

interface Props {
	label: string;
	value: string;
	change: (value: string) => void;
	type?: 'text' | 'email' | 'password';
	hint?: string;
	error?: string;
	autocomplete?: string;
	numeric?: boolean;
	required?: boolean;
	focus?: boolean;
	maxLength?: number;
	children?: ComponentChildren;
}

export function Field(props: Props) {
	const { label, value, change, type = 'text', hint = '', error = '' } = props;
	const [visible, setVisible] = useState(false);
	const id = useId();
	const input = useRef<HTMLInputElement>(null);
	useEffect(() => {
		if (props.focus === true)
			input.current?.focus();
	}, []);
	const isPassword = type === 'password';
	return (
		<div class={`field ${error !== '' ? 'wrong' : ''}`}>
			<label for={id}>{label}</label>
			<div class="field-box">
				<input
					id={id}
					ref={input}
					{...({ type: isPassword && visible ? 'text' : type } as { type: 'text' })}
					value={value}
					onInput={(event) => change(event.currentTarget.value)}
					autocomplete={(props.autocomplete ?? 'off') as 'off'}
					autocapitalize="none"
					spellcheck={false}
					inputMode={props.numeric === true ? 'numeric' : undefined}
					required={props.required ?? false}
					maxLength={props.maxLength ?? 1024}
					autofocus={props.focus ?? false}
					aria-invalid={error !== ''}
					aria-describedby={`${id}-hint ${id}-error`}
					dir={type === 'text' ? 'auto' : 'ltr'}
				/>
				{isPassword && (
					<button
						type="button"
						class="round quiet"
						aria-pressed={visible}
						aria-label={visible ? t('field.password.hide') : t('field.password.show')}
						onClick={() => setVisible(!visible)}
					>
						<Icon name="eye" />
					</button>
				)}
			</div>
			{props.children}
			<p class="hint" id={`${id}-hint`}>{hint}</p>
			<p class="error" id={`${id}-error`} role="alert">{error}</p>
		</div>
	);
}
