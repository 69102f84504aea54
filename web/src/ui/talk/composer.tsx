// composer.tsx - where one writes: text, answers, edits, files.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import type { Conversation } from '../world.js';
import { world } from '../store.js';
import { aim, drafts, send, setDraft, typing, type Aim } from '../talks.js';
import { safeName } from '../text.js';
import { find, textOf } from '../timeline.js';
import { bytes } from '../times.js';
import { sendFile } from '../transfers.js';
import { openDialog, say } from '../view.js';
import { Icon } from '../widgets/icons.js';
import { attach, attached, detach, type Attached } from './attached.js';
import { Quote } from './message.js';

const MOST_BYTES = 64 * 1024; // of one text (core/wire/limits.h)
const encoder = new TextEncoder();

function aimedText(a: Aim): string {
	const timeline = world.value.timelines.get(a.conversation);
	const line = timeline === undefined ? undefined : find(timeline, a.message);
	return line === undefined ? '' : textOf(line.notice);
}

function AimLine({ aimed }: { aimed: Aim }) {
	const isEdit = aimed.kind === 'edit';
	return (
		<div class="aim">
			<Icon name={isEdit ? 'edit' : 'reply'} label={isEdit ? t('composer.editing') : t('message.reply')} />
			<Quote conversation={aimed.conversation} message={aimed.message} />
			<button type="button" class="round small" aria-label={isEdit ? t('composer.stop.edit') : t('composer.stop.reply')}
				onClick={() => {
					aim.value = null;
				}}>
				<Icon name="close" />
			</button>
		</div>
	);
}

function AttachedFile({ one }: { one: Attached }) {
	const name = safeName(one.file.name);
	return (
		<li>
			{one.picture !== '' ? <img src={one.picture} alt="" /> : <span class="file-sign"><Icon name="file" /></span>}
			<span class="file-name"><bdi>{name}</bdi><small>{bytes(one.file.size)}</small></span>
			<button type="button" class="round small" aria-label={t('composer.file.remove', { name })} onClick={() => detach([one])}>
				<Icon name="close" />
			</button>
		</li>
	);
}

// What stands in the composer leaves. False when it cannot.
function submit(c: Conversation, text: string, files: readonly Attached[]): boolean {
	const aimed = aim.value;
	const said = text.trim();
	if (encoder.encode(said).length > MOST_BYTES) {
		say(t('composer.long'), true);
		return false;
	}
	if (aimed?.kind === 'edit') {
		if (said === '')
			return false;
		if (said !== aimedText(aimed))
			void send(c.id, { kind: 'edit', message: aimed.message, text: said });
	} else if (files.length > 0) {
		files.forEach((one, i) => void sendFile(c.id, one.file, i === 0 ? said : ''));
	} else if (said !== '') {
		void send(c.id, { kind: 'text', text: said, ...(aimed === null ? {} : { replyTo: aimed.message }) });
	} else {
		return false;
	}
	aim.value = null;
	detach(files);
	return true;
}

function lastOwnText(id: number): number {
	const lines = world.value.timelines.get(id)?.lines ?? [];
	const line = lines.findLast(({ notice: n }) => n.kind === 'message' && n.flag && n.content?.kind === 'text');
	return line?.notice.message ?? 0;
}

export function Composer({ conversation: c }: { conversation: Conversation }) {
	const area = useRef<HTMLTextAreaElement>(null);
	const picker = useRef<HTMLInputElement>(null);
	const aimed = aim.value?.conversation === c.id ? aim.value : null;
	const text = drafts.value.get(c.id) ?? '';
	const files = attached.value.filter((one) => one.conversation === c.id);
	const empty = text.trim() === '' && files.length === 0;

	useLayoutEffect(() => {
		if (matchMedia('(pointer: fine)').matches || aimed !== null)
			area.current?.focus();
		if (aimed?.kind === 'edit')
			setDraft(c.id, aimedText(aimed));
		return () => {
			if (aimed?.kind === 'edit')
				setDraft(c.id, '');
		};
	}, [c.id, aimed]);
	useLayoutEffect(() => {
		if (area.current === null)
			return;
		area.current.style.height = 'auto';
		area.current.style.height = `${area.current.scrollHeight}px`;
	}, [text]);

	const go = () => {
		if (!submit(c, text, files))
			return;
		setDraft(c.id, '');
		typing(c.id, false);
		area.current?.focus();
	};
	const onKey = (event: KeyboardEvent) => {
		const plainEnter = event.key === 'Enter' && !event.shiftKey && !event.isComposing;
		if (plainEnter && matchMedia('(pointer: fine)').matches) {
			event.preventDefault();
			go();
		} else if (event.key === 'ArrowUp' && text === '' && aimed === null) {
			const message = lastOwnText(c.id);
			const pending = world.value.outgoing.some((o) => o.conversation === c.id);
			if (message !== 0 && !pending) {
				event.preventDefault();
				aim.value = { kind: 'edit', conversation: c.id, message };
			}
		}
	};
	const insert = (emoji: string) => {
		const at = area.current?.selectionStart ?? text.length;
		setDraft(c.id, text.slice(0, at) + emoji + text.slice(area.current?.selectionEnd ?? at));
	};
	return (
		<form class="composer" onSubmit={(event) => {
			event.preventDefault();
			go();
		}}>
			{aimed !== null && <AimLine aimed={aimed} />}
			{files.length > 0 && (
				<ul class="attached" aria-label={t('composer.files')}>{files.map((one) => <AttachedFile key={one.file} one={one} />)}</ul>
			)}
			<div class="composer-row">
				<input ref={picker} type="file" multiple class="unseen" tabIndex={-1} aria-hidden="true"
					onChange={(event) => {
						attach(c.id, [...(event.currentTarget.files ?? [])]);
						event.currentTarget.value = '';
					}} />
				<button type="button" class="round" aria-label={t('composer.attach')} title={t('composer.attach')}
					onClick={() => picker.current?.click()}>
					<Icon name="clip" />
				</button>
				<textarea ref={area} rows={1} value={text} dir="auto" placeholder={t('composer.placeholder')}
					aria-label={t('composer.label', { title: c.title })}
					onInput={(event) => {
						setDraft(c.id, event.currentTarget.value);
						typing(c.id, event.currentTarget.value !== '');
					}}
					onKeyDown={onKey}
					onPaste={(event) => {
						const pasted = [...(event.clipboardData?.files ?? [])];
						if (pasted.length === 0)
							return;
						event.preventDefault();
						attach(c.id, pasted);
					}} />
				<button type="button" class="round" aria-label={t('composer.emoji')} title={t('composer.emoji')}
					onClick={() => openDialog({ kind: 'emoji', choose: insert })}>
					<Icon name="smile" />
				</button>
				<button type="submit" class="round send" disabled={empty}
					aria-label={aimed?.kind === 'edit' ? t('composer.save') : t('composer.send')}>
					<Icon name={aimed?.kind === 'edit' ? 'check' : 'send'} />
				</button>
			</div>
		</form>
	);
}
