// emoji.tsx - a small choice of emoji; the keyboard of the system has the rest.
import { useRef } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Dialog } from '../widgets/dialog.js';

const EMOJI = [
	...'😀😄😂🤣😊😍🥰😘😉😎🤔🤨😐🙄😮😴😢😭😡🤯🥳🤗🫠🙃',
	...'👍👎👏🙏💪🤝👋✌🤞👌🫶',
	'❤️', '🧡', '💛', '💚', '💙', '💜', '🖤', '💔',
	...'🎉🔥✨⭐🌈🌞🌧🌲🌻🐱🐶🦊🍕🍰🍎☕🍺🎂🎁🎵📷📌📎✅❌❓💡⏰🚀🏔🚆🏠',
];
const COLUMNS = 8;

export function Emoji({ choose, close }: { choose: (emoji: string) => void; close: () => void }) {
	const grid = useRef<HTMLDivElement>(null);
	const move = (event: KeyboardEvent) => {
		const steps: Readonly<Record<string, number>> =
			{ ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
		const step = steps[event.key];
		const buttons = [...(grid.current?.querySelectorAll('button') ?? [])];
		const at = buttons.findIndex((button) => button === document.activeElement);
		if (step === undefined || at < 0)
			return;
		event.preventDefault();
		buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]?.focus();
	};
	return (
		<Dialog title={t('composer.emoji')} close={close}>
			<div class="emoji-grid" ref={grid} onKeyDown={move}>
				{EMOJI.map((emoji, i) => (
					<button key={emoji} type="button" class="emoji" tabIndex={i === 0 ? 0 : -1}
						onClick={() => {
							close();
							choose(emoji);
						}}>
						{emoji}
					</button>
				))}
			</div>
		</Dialog>
	);
}
