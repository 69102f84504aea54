// left_list.tsx - what this browser has left at the server, each with what has become of it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Core } from '../core/module.js';
import { bytes, moment, now } from '../ui/times.js';
import { type Fate, fateOf, forgetNote, isPast, type Note, notes, takeBack } from './left.js';
import { text } from './texts.js';

const LOOK_MS = 5000;

function nameOf(note: Note): string {
	if (note.title !== '') return note.title;
	return note.kind === 'text' ? text('left.text') : text('give.several', { n: note.count });
}

function standingLine(note: Note, fate: Fate | null): string {
	if (fate === null) return '…';
	if (fate.standing !== 'ready') return text(`left.${fate.standing}`);
	return text('left.ready', { n: fate.received.length, of: note.downloads, until: moment(note.expires) });
}

interface Props {
	core: Core;
	note: Note;
	forgotten: () => void;
}

// Asked again for as long as somebody may come.
function useFate(core: Core, note: Note, gone: () => void): [Fate | null, () => Promise<void>] {
	const [fate, setFate] = useState<Fate | null>(null);
	const look = async (): Promise<void> => {
		const found = await fateOf(core, note);
		if (isPast(note, found, now())) gone();
		else setFate(found);
	};
	const waits = fate === null || fate.standing === 'ready' || fate.standing === 'unknown';
	useEffect(() => void look(), [note.id]);
	useEffect(() => {
		if (!waits) return undefined;
		const timer = setInterval(() => void (document.hidden || look()), LOOK_MS);
		return () => clearInterval(timer);
	}, [waits]);
	return [fate, look];
}

export function LeftItem({ core, note, forgotten }: Props) {
	const forget = () => {
		forgetNote(note);
		forgotten();
	};
	const [fate, look] = useFate(core, note, forget);
	const [failed, setFailed] = useState(false);
	const back = () => {
		void takeBack(note).then((done) => {
			setFailed(!done);
			return look();
		});
	};
	const open = fate === null || fate.standing === 'ready' || fate.standing === 'unknown';
	return (
		<div class="left-item">
			<p class="what"><bdi>{nameOf(note)}</bdi> <span class="muted">{bytes(note.bytes)}</span></p>
			<p class="muted" role="status">{standingLine(note, fate)}</p>
			{fate !== null && fate.begun > 0 && <p class="muted">{text('left.begun', { n: fate.begun })}</p>}
			{fate !== null && fate.received.length > 0 && (
				<ul class="names">
					{fate.received.map((at) => <li key={at}>{text('left.receipt', { when: moment(at) })}</li>)}
				</ul>
			)}
			{fate !== null && fate.lies > 0 && <p class="failure">{text('left.lies', { n: fate.lies })}</p>}
			{failed && <p class="failure" role="alert">{text('NETWORK')}</p>}
			<button type="button" class="plain wide" onClick={open ? back : forget}
				aria-label={`${text(open ? 'left.back' : 'left.forget')}: ${nameOf(note)}`}>
				{text(open ? 'left.back' : 'left.forget')}
			</button>
		</div>
	);
}

export function LeftList({ core }: { core: () => Core }) {
	const [list, setList] = useState(notes);
	const checks = useMemo(core, []);
	if (list.length === 0) return null;
	return (
		<section class="left-list" aria-label={text('left.title')}>
			<h2>{text('left.title')}</h2>
			{list.map((note) => (
				<LeftItem key={note.id} core={checks} note={note} forgotten={() => setList(notes())} />
			))}
		</section>
	);
}
