// typing.tsx - who is writing.
import { t } from '../../i18n/index.js';

export function typingText(names: readonly string[]): string {
	const [name = '', other = ''] = names;
	if (names.length === 1)
		return t('talk.typing.one', { name });
	return names.length === 2 ? t('talk.typing.two', { name, other }) : t('talk.typing.many');
}

export function Typing({ names }: { names: readonly string[] }) {
	return (
		<div class="typing-line">
			{names.length > 0 && (
				<>
					<span class="dots" aria-hidden="true"><i /><i /><i /></span>
					<span>{typingText(names)}</span>
				</>
			)}
		</div>
	);
}
