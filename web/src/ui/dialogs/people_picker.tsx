// people_picker.tsx - people are found by their username and chosen.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { ask, conversations, sentence, world } from '../store.js';
import { Avatar } from '../widgets/avatar.js';
import { Icon } from '../widgets/icons.js';
import { rove } from '../widgets/roving.js';

const PAUSE = 200; // milliseconds after the last key
const SUGGESTED = 8;

interface Props {
	chosen: readonly string[];
	change: (chosen: string[]) => void;
	single: boolean;
	without: readonly string[]; // who is in already
}

// Who was written to last, while nothing was typed.
function suggestions(): string[] {
	return conversations.value.filter((c) => c.kind === 'direct').map((c) => c.title).slice(0, SUGGESTED);
}

export function PeoplePicker({ chosen, change, single, without }: Props) {
	const query = useSignal('');
	const found = useSignal<string[] | null>(null);
	const error = useSignal('');
	const list = useRef<HTMLUListElement>(null);
	useEffect(() => {
		const text = query.value.trim();
		let current = true;
		if (text === '') {
			found.value = null;
			return undefined;
		}
		const timer = setTimeout(() => {
			ask({ kind: 'users', text }, 'user')
				.then((told) => {
					if (current)
						found.value = told.map((notice) => notice.username);
					error.value = '';
				})
				.catch((thrown: unknown) => {
					error.value = sentence(thrown);
				});
		}, PAUSE);
		return () => {
			current = false;
			clearTimeout(timer);
		};
	}, [query.value]);
	const names = (found.value ?? suggestions())
		.filter((name) => name !== world.value.self && !without.includes(name));
	const toggle = (name: string) => {
		if (chosen.includes(name))
			change(chosen.filter((other) => other !== name));
		else
			change(single ? [name] : [...chosen, name]);
	};
	return (
		<div class="people">
			{chosen.length > 0 && !single && (
				<ul class="chips" aria-label={t('people.chosen')}>
					{chosen.map((name) => (
						<li key={name}>
							<button type="button" onClick={() => toggle(name)}>
								<span class="unseen">{t('people.remove', { name })}</span>
								<Avatar name={name} size="small" /><span aria-hidden="true">{name}</span><Icon name="close" />
							</button>
						</li>
					))}
				</ul>
			)}
			<div class="search">
				<Icon name="search" />
				<input type="search" autofocus value={query.value} placeholder={t('people.search')} aria-label={t('people.search')}
					autocomplete="off" autocapitalize="none" spellcheck={false}
					onInput={(event) => {
						query.value = event.currentTarget.value;
					}}
					onKeyDown={(event) => {
						if (event.key === 'ArrowDown') {
							event.preventDefault();
							list.current?.querySelector<HTMLElement>('button')?.focus();
						}
					}} />
			</div>
			<ul class="people-list" ref={list} onKeyDown={(event) => rove(event, list.current!, 'button')}>
				{names.map((name) => (
					<li key={name}>
						<button type="button" class="person" aria-pressed={chosen.includes(name)} onClick={() => toggle(name)}>
							<Avatar name={name} withPresence />
							<span>{name}</span>
							{chosen.includes(name) && <Icon name="check" />}
						</button>
					</li>
				))}
			</ul>
			<p class="muted" role="status">
				{error.value !== '' ? error.value : names.length > 0 ? '' : found.value === null ? t('people.hint') : t('people.none')}
			</p>
		</div>
	);
}
