// talk.tsx - one conversation: its head, what must be known, its messages, and where one writes.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { aim, leaveTalk } from '../talks.js';
import { typists, type Conversation } from '../world.js';
import { world } from '../store.js';
import { openChangedKeys, openDialog } from '../view.js';
import { Connection } from '../list/connection.js';
import { Icon } from '../widgets/icons.js';
import { Composer } from './composer.js';
import { attach } from './attached.js';
import { TalkHead } from './head.js';
import { Messages } from './messages.js';
import { Typing } from './typing.js';

function ChangedKeys() {
	return (
		<>
			{openChangedKeys.value.map((name) => (
				<div class="banner loud" key={name}>
					<Icon name="warning" />
					<span>{t('talk.key', { name })}</span>
					<button type="button" class="small" onClick={() => openDialog({ kind: 'safety', username: name })}>
						{t('talk.key.compare')}
					</button>
				</div>
			))}
		</>
	);
}

export function Talk({ conversation: c }: { conversation: Conversation }) {
	const [over, setOver] = useState(0); // drag events nest: entered less left
	const section = useRef<HTMLElement>(null);
	useEffect(() => {
		if (!matchMedia('(pointer: fine)').matches)
			section.current?.focus({ preventScroll: true });
	}, []);
	const mute = c.closed || c.left;
	const hasFiles = (event: DragEvent) => !mute && (event.dataTransfer?.types.includes('Files') ?? false);
	return (
		<section
			class="talk"
			ref={section}
			tabIndex={-1}
			aria-label={t('talk.messages', { title: c.title })}
			onDragEnter={(event) => hasFiles(event) && setOver(over + 1)}
			onDragLeave={(event) => hasFiles(event) && setOver(Math.max(0, over - 1))}
			onDrop={(event) => {
				setOver(0);
				if (hasFiles(event))
					attach(c.id, [...(event.dataTransfer?.files ?? [])]);
			}}
			onKeyDown={(event) => {
				if (event.key !== 'Escape' || event.defaultPrevented)
					return;
				if (aim.value !== null)
					aim.value = null;
				else
					leaveTalk();
			}}
		>
			<TalkHead conversation={c} />
			<div class="only-phone"><Connection /></div>
			<ChangedKeys />
			<Messages conversation={c} />
			<Typing names={typists(world.value, c.id)} />
			{mute ? <p class="mute">{c.closed ? t('talk.closed') : t('talk.left')}</p> : <Composer conversation={c} />}
			{over > 0 && (
				<div class="drop" aria-hidden="true">
					<Icon name="clip" />
					<span>{t('talk.drop', { title: c.title })}</span>
				</div>
			)}
		</section>
	);
}
