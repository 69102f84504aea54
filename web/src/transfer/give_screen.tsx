// give_screen.tsx - the page /s.
import { signal } from '@preact/signals';
import { useMemo, useState } from 'preact/hooks';
import type { Core } from '../core/module.js';
import { Failure, Frame } from '../ui/screens/frame.js';
import { bytes } from '../ui/times.js';
import { Choose } from './choose.js';
import { Giver } from './give.js';
import { Leaver, type Leaving, type Terms } from './leave.js';
import type { Note } from './left.js';
import { LeftItem, LeftList } from './left_list.js';
import { checkOffer } from './parcel.js';
import { Share } from './share.js';
import type { Source } from './source.js';
import { stateText, text } from './texts.js';
import { Progress, Status, Work } from './work.js';

class Sending extends Work implements Leaving {
	readonly there = signal<{ link: string; note: Note } | null>(null);

	left(link: string, note: Note): void {
		this.there.value = { link, note };
	}
}

interface Now {
	work: Sending;
	source: Source;
	core: () => Core;
}

function Code({ code }: { code: string }) {
	return (
		<section class="code-told" aria-label={text('give.code')}>
			<h2>{text('give.code')}</h2>
			<p class="code-text"><code>{code}</code></p>
			<p class="hint">{text('give.code.hint', { address: `${location.host}/r`, code })}</p>
			<Share link={`${location.origin}/r#${code}`} />
		</section>
	);
}

function Left({ core, link, note }: { core: () => Core; link: string; note: Note }) {
	const [here, setHere] = useState(true);
	const checks = useMemo(core, []);
	return (
		<>
			<section class="code-told" aria-label={text('left.link')}>
				<h2>{text('left.link')}</h2>
				<p class="link-text"><code tabIndex={0}>{link}</code></p>
				<p class="hint">{text('left.hint')}</p>
				<Share link={link} />
			</section>
			{here && <LeftItem core={checks} note={note} forgotten={() => setHere(false)} />}
		</>
	);
}

function stateLine(work: Work): string {
	const state = work.now.value;
	if (state === 'waiting') return text('give.waiting');
	return state === 'met' ? text('give.asked') : stateText(state);
}

function nameOf({ content, title }: Source): string {
	if (title !== '') return title;
	return content.kind === 'text' ? '' : text('give.several', { n: content.entries.filter((entry) => !entry.folder).length });
}

function Under({ work, source, core, again }: Now & { again: () => void }) {
	const there = work.there.value;
	const over = work.over.value;
	const moving = work.far.value !== null && work.now.value === 'met';
	return (
		<>
			{there === null && nameOf(source) !== '' && (
				<p class="what"><bdi>{nameOf(source)}</bdi> <span class="muted">{bytes(source.content.total)}</span></p>
			)}
			{!over && work.now.value === 'waiting' && <Code code={work.codeText.value} />}
			{!over && !moving && <Status line={stateLine(work)} />}
			{there === null && <Progress work={work} />}
			{there !== null && <Left core={core} {...there} />}
			{work.problem.value !== '' && <Failure text={work.problem.value} />}
			{over && there === null && work.problem.value === '' && <Status line={text('give.done')} />}
			{over
				? <button type="button" class="primary wide" onClick={again}>{text('give.again')}</button>
				: <button type="button" class="plain wide" onClick={() => work.cancel()}>{text('cancel')}</button>}
		</>
	);
}

// Found before anybody is asked to come.
class Checked {
	constructor(
		private readonly core: Core,
		private readonly source: Source,
		private readonly then: () => { run(): Promise<void> },
	) {}

	async run(): Promise<void> {
		checkOffer(this.core, this.source.content);
		await this.then().run();
	}
}

export function GiveScreen({ core }: { core: () => Core }) {
	const [now, setNow] = useState<Now | null>(null);
	const begin = (source: Source, terms: Terms | null) => {
		const work = new Sending();
		const seals = core();
		setNow({ work, source, core });
		void work.follow(new Checked(seals, source, () => (terms === null
			? new Giver(seals, source, work, work.signal)
			: new Leaver(seals, source, terms, work, work.signal))));
	};
	return (
		<Frame title={text('give.title')} text={text('give.lead')}>
			{now === null
				? <><Choose chosen={begin} /><LeftList core={core} /><p><a href="/r">{text('give.instead')}</a></p></>
				: <Under {...now} again={() => setNow(null)} />}
		</Frame>
	);
}
