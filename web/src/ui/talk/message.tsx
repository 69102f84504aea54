// message.tsx - one message: whose, what, when, and what can be done with it.
import { t } from '../../i18n/index.js';
import { gist } from '../notices.js';
import { readers, type Conversation } from '../world.js';
import { world } from '../store.js';
import { aim, openTalk, react } from '../talks.js';
import { isJumbo, hueOf } from '../text.js';
import { find, reactionsOf, textOf, type Line } from '../timeline.js';
import { clock, moment } from '../times.js';
import { Avatar } from '../widgets/avatar.js';
import { Icon } from '../widgets/icons.js';
import { below } from '../widgets/menu.js';
import { openActions, openReactions } from './actions.js';
import { Attachment } from './attachment.js';
import { Body } from './body.js';
import { Reactions } from './reactions.js';

interface Props {
	conversation: Conversation;
	line: Line;
	first: boolean;
	last: boolean;
	focusable: boolean;
	flashing: boolean;
	place: number;
	of: number;
}

export function Quote({ conversation, message }: { conversation: number; message: number }) {
	const timeline = world.value.timelines.get(conversation);
	const line = timeline === undefined ? undefined : find(timeline, message);
	const name = line?.notice.flag === true ? t('app.you') : (line?.notice.username ?? '');
	const text = line === undefined ? t('message.quoted.gone') : gist(line.notice);
	return (
		<button type="button" class={`quote ink-${hueOf(line?.notice.username ?? '')}`} tabIndex={-1}
			onClick={() => void openTalk(conversation, message)}>
			<span class="unseen">{t('message.quoted')}</span>
			{name !== '' && <b>{name}</b>}
			<span dir="auto">{text}</span>
		</button>
	);
}

function State({ conversation: c, line }: { conversation: Conversation; line: Line }) {
	const names = readers(c, world.value.self, line.notice.message);
	if (names.length === 0)
		return <Icon name="check" label={t('message.sent')} />;
	const label = c.kind === 'direct' ? t('message.read') : t('message.read.by', { names: names.join(', ') });
	return <span class="was-read" title={label}><Icon name="checks" label={label} /></span>;
}

function Content({ line }: { line: Line }) {
	const { content, kind } = line.notice;
	if (kind === 'deleted')
		return <p class="gone"><Icon name="trash" />{t('message.deleted')}</p>;
	if (content === null || (content.kind !== 'text' && content.kind !== 'file'))
		return <p class="gone">{t('message.unsupported')}</p>;
	return (
		<>
			{content.replyTo !== undefined && <Quote conversation={line.notice.conversation} message={content.replyTo} />}
			{content.kind === 'file' && <Attachment conversation={line.notice.conversation} file={content.file} />}
			{content.text !== '' && <Body text={content.text} />}
		</>
	);
}

function Tools({ line, focusable }: { line: Line; focusable: boolean }) {
	const { conversation, message } = line.notice;
	const tab = focusable ? 0 : -1;
	return (
		<div class="tools" role="group" aria-label={t('message.actions')}>
			<button type="button" class="round small" tabIndex={tab} aria-label={t('message.react')} title={t('message.react')}
				onClick={(event) => openReactions(below(event.currentTarget), line)}>
				<Icon name="smile" />
			</button>
			<button type="button" class="round small" tabIndex={tab} aria-label={t('message.reply')} title={t('message.reply')}
				onClick={() => {
					aim.value = { kind: 'reply', conversation, message };
				}}>
				<Icon name="reply" />
			</button>
			<button type="button" class="round small" tabIndex={tab} aria-label={t('app.more')} title={t('app.more')}
				aria-haspopup="menu" onClick={(event) => openActions(below(event.currentTarget), line)}>
				<Icon name="more" />
			</button>
		</div>
	);
}

export function MessageLine({ conversation: c, line, first, last, focusable, flashing, place, of }: Props) {
	const { notice } = line;
	const deleted = notice.kind === 'deleted';
	const own = notice.flag;
	const inGroup = c.kind !== 'direct';
	const name = own ? t('app.you') : notice.username;
	const { content } = notice;
	const jumbo = content?.kind === 'text' && content.replyTo === undefined && isJumbo(textOf(notice));
	const mute = c.closed || c.left || deleted;
	const classes = ['line', own ? 'own' : 'other', first ? 'first' : '', last ? 'last' : '', flashing ? 'flash' : '',
		jumbo ? 'jumbo' : '', content?.kind === 'file' ? 'with-file' : ''];
	return (
		<article
			id={line.key}
			class={classes.join(' ')}
			data-message={notice.message}
			tabIndex={focusable ? 0 : -1}
			aria-posinset={place}
			aria-setsize={of}
			aria-label={t('message.of', { name, time: moment(notice.time) })}
			onKeyDown={(event) => {
				if (event.key === 'Enter' && event.target === event.currentTarget && !mute) {
					event.preventDefault();
					openActions(below(event.currentTarget), line);
				}
			}}
			onContextMenu={(event) => {
				const selecting = (getSelection()?.toString() ?? '') !== '';
				if (mute || selecting || (event.target instanceof Element && event.target.closest('a, img') !== null))
					return;
				event.preventDefault();
				openActions({ x: event.clientX, y: event.clientY }, line);
			}}
		>
			{inGroup && !own && <span class="line-face">{last && <Avatar name={notice.username} size="small" />}</span>}
			<div class="line-stack">
				<div class="bubble">
					{inGroup && !own && first && <b class={`sender ink-${hueOf(notice.username)}`}>{notice.username}</b>}
					<Content line={line} />
					<span class="meta">
						{!deleted && notice.count > 0 && <span>{t('message.edited')}</span>}
						<time dateTime={new Date(notice.time * 1000).toISOString()} title={moment(notice.time)}>{clock(notice.time)}</time>
						{own && <State conversation={c} line={line} />}
					</span>
				</div>
				<Reactions reactions={reactionsOf(notice)} self={world.value.self} tab={focusable ? 0 : -1}
					toggle={(emoji, mine) => react(c.id, notice.message, emoji, mine)} />
			</div>
			{!mute && <Tools line={line} focusable={focusable} />}
		</article>
	);
}
