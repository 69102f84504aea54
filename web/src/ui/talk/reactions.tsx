// reactions.tsx - what others said to a message with one emoji.
import { t } from '../../i18n/index.js';
import type { Reaction } from '../timeline.js';

interface Props {
	reactions: readonly Reaction[];
	self: string;
	tab: number;
	toggle: (emoji: string, mine: string) => void;
}

export function Reactions({ reactions, self, tab, toggle }: Props) {
	if (reactions.length === 0)
		return null;
	return (
		<div class="reactions">
			{reactions.map(({ emoji, names }) => {
				const isMine = names.includes(self);
				const label = t('message.reaction', { emoji, n: names.length, names: names.join(', ') });
				return (
					<button key={emoji} type="button" class={isMine ? 'mine' : ''} aria-pressed={isMine} aria-label={label}
						title={names.join(', ')} tabIndex={tab} onClick={() => toggle(emoji, isMine ? emoji : '')}>
						<span class="emoji">{emoji}</span>
						{names.length > 1 && <span>{names.length}</span>}
					</button>
				);
			})}
		</div>
	);
}
