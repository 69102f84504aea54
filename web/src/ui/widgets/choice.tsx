// choice.tsx - one of several, side by side: radio buttons that look like a segmented control.
import { useId } from 'preact/hooks';

interface Props<T extends string | number> {
	label: string;
	value: T;
	options: readonly { value: T; text: string }[];
	change: (value: T) => void;
}

export function Choice<T extends string | number>({ label, value, options, change }: Props<T>) {
	const name = useId();
	return (
		<fieldset class="choice">
			<legend>{label}</legend>
			<div class="choice-row">
				{options.map((option) => (
					<label key={option.value} class={option.value === value ? 'on' : ''}>
						<input
							type="radio"
							name={name}
							checked={option.value === value}
							onChange={() => change(option.value)}
						/>
						<span>{option.text}</span>
					</label>
				))}
			</div>
		</fieldset>
	);
}
