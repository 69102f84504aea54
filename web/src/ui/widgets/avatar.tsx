// avatar.tsx - a person or a conversation as a coloured disc; presence is a dot and a word.
import type { ConversationKind } from '../../messenger.js';
import { t } from '../../i18n/index.js';
import { world } from '../store.js';
import { hueOf, initials } from '../text.js';
import { Icon, type IconName } from './icons.js';

const SIGNS: Readonly<Record<ConversationKind, IconName | null>> = {
	direct: null,
	group: null,
	room: 'hash',
	session: 'clock',
};

interface Props {
	name: string;
	kind?: ConversationKind;
	size?: 'small' | 'large' | 'huge';
	withPresence?: boolean;
}

export function Avatar({ name, kind = 'direct', size, withPresence = false }: Props) {
	const sign = SIGNS[kind];
	const presence = withPresence ? (world.value.presence.get(name) ?? 'offline') : 'offline';
	return (
		<span class={`avatar hue-${hueOf(name)} ${size ?? ''} ${kind}`} aria-hidden="true">
			{sign === null ? <span class="letters">{initials(name)}</span> : <Icon name={sign} />}
			{presence !== 'offline' && <span class={`presence ${presence}`} />}
		</span>
	);
}

// The same for those who do not see the dot.
export function presenceText(name: string): string {
	return t(`presence.${world.value.presence.get(name) ?? 'offline'}`);
}
