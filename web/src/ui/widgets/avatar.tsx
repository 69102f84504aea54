// avatar.tsx - a person or a conversation as a coloured disc; presence is a dot and a word.
import type { ConversationKind } from '../../messenger.js';
import { t } from '../../i18n/index.js';
import { connected, world } from '../store.js';
import type { Presence } from '../world.js';
import { hueOf, initials } from '../text.js';
import { Icon, type IconName } from './icons.js';

const SIGNS: Readonly<Record<ConversationKind, IconName | null>> = {
	direct: null,
	group: null,
	room: 'hash',
	session: 'clock',
};

// Without a connection it is not known.
function presenceOf(name: string): Presence {
	return connected.value ? (world.value.presence.get(name) ?? 'offline') : 'offline';
}

interface Props {
	name: string;
	kind?: ConversationKind;
	size?: 'small' | 'large' | 'huge';
	withPresence?: boolean;
}

export function Avatar({ name, kind = 'direct', size, withPresence = false }: Props) {
	const sign = SIGNS[kind];
	const presence = withPresence ? presenceOf(name) : 'offline';
	return (
		<span class={`avatar hue-${hueOf(name)} ${size ?? ''} ${kind}`} aria-hidden="true">
			{sign === null ? <span class="letters">{initials(name)}</span> : <Icon name={sign} />}
			{presence !== 'offline' && <span class={`presence ${presence}`} />}
		</span>
	);
}

// The same for those who do not see the dot.
export function presenceText(name: string): string {
	return connected.value ? t(`presence.${presenceOf(name)}`) : '';
}
