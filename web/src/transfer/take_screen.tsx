// take_screen.tsx - the page /r.
import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Core } from '../core/module.js';
import { codeOf } from '../core/problem.js';
import { Failure, Frame } from '../ui/screens/frame.js';
import { bytes } from '../ui/times.js';
import { Field } from '../ui/widgets/field.js';
import { completions, type Offer } from './parcel.js';
import { becomesZip, chooseSink, type Sink } from './sink.js';
import { isStored, Fetcher } from './stored.js';
import { Taker, type Taking } from './take.js';
import { problemText, stateText, text } from './texts.js';
import { Progress, Status, Work } from './work.js';

const MOST_SHOWN = 8; // names of an offer, or ways to go on with a code

interface Asked {
	offer: Offer;
	answer: (sink: Sink | null) => void;
}

class Receiving extends Work implements Taking {
	readonly asked = signal<Asked | null>(null);
	readonly words = signal<string | null>(null);

	offered(offer: Offer): Promise<Sink | null> {
		return new Promise((resolve, reject) => {
			this.signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
			this.asked.value = {
				offer,
				answer: (sink) => {
					this.asked.value = null;
					resolve(sink);
				},
			};
		});
	}

	text(words: string): void {
		this.words.value = words;
	}
}

function describe(offer: Offer): string {
	const size = bytes(offer.total);
	const [first] = offer.entries;
	const files = offer.entries.filter((entry) => !entry.folder);
	return offer.kind === 'file' && first !== undefined
		? text('take.offer.text', { name: first.path, size })
		: text('take.offer.several', { n: files.length, size });
}

function Question({ asked }: { asked: Asked }) {
	const { offer, answer } = asked;
	const [problem, setProblem] = useState('');
	const save = () => {
		chooseSink(offer).then(answer).catch((e: unknown) => {
			const code = codeOf(e);
			setProblem(code === 'CANCELLED' ? '' : problemText('STORE')); // thought better of where to
		});
	};
	return (
		<section class="form" aria-label={text('take.offer')}>
			<h2>{text('take.offer')}</h2>
			<p class="what"><bdi>{describe(offer)}</bdi></p>
			{offer.kind !== 'file' && (
				<ul class="names">
					{offer.entries.slice(0, MOST_SHOWN).map((entry) => <li key={entry.path}><bdi>{entry.path}</bdi></li>)}
					{offer.entries.length > MOST_SHOWN && <li>…</li>}
				</ul>
			)}
			{becomesZip(offer) && <p class="hint">{text('take.zip')}</p>}
			{problem !== '' && <Failure text={problem} />}
			<div class="buttons">
				<button type="button" class="primary" onClick={save}>{text('take.save')}</button>
				<button type="button" class="plain" onClick={() => answer(null)}>{text('take.decline')}</button>
			</div>
		</section>
	);
}

function Under({ work, again }: { work: Receiving; again: () => void }) {
	const { asked, words, over, problem } = work;
	const done = over.value && problem.value === '';
	return (
		<>
			{asked.value !== null && !over.value && <Question asked={asked.value} />}
			{!over.value && (asked.value === null || work.now.value === 'away') && <Status line={stateText(work.now.value)} />}
			{words.value === null && <Progress work={work} />}
			{words.value !== null && (
				<section aria-label={text('take.text')}>
					<h2>{text('take.text')}</h2>
					<pre class="text-came" dir="auto" tabIndex={0}>{words.value}</pre>
				</section>
			)}
			{problem.value !== '' && <Failure text={problem.value} />}
			{done && words.value === null && <Status line={text('take.done')} />}
			{over.value
				? <button type="button" class="primary wide" onClick={again}>{text('take.again')}</button>
				: <button type="button" class="plain wide" onClick={() => work.cancel()}>{text('cancel')}</button>}
		</>
	);
}

interface AskProps {
	core: () => Core;
	entered: (code: string) => string;
	first: string;
}

function AskCode({ core, entered, first }: AskProps) {
	const [code, setCode] = useState(first);
	const [problem, setProblem] = useState('');
	const words = useMemo(core, []);
	const more = completions(words, code).filter((one) => one !== code).slice(0, MOST_SHOWN);
	const submit = (event: Event) => {
		event.preventDefault();
		setProblem(entered(code));
	};
	return (
		<form class="form" onSubmit={submit}>
			<Field label={text('take.code')} value={code} change={setCode} hint={text('take.hint')} error={problem} focus />
			{code.includes('-') && more.length > 0 && (
				<div class="buttons completions">
					{more.map((one) => (
						<button key={one} type="button" class="plain" onClick={() => setCode(one)}>{one}</button>
					))}
				</div>
			)}
			<button type="submit" class="primary wide" disabled={code === ''}>{text('take.go')}</button>
			<p><a href="/s">{text('take.instead')}</a></p>
		</form>
	);
}

export function TakeScreen({ core, first }: { core: () => Core; first: string }) {
	const [work, setWork] = useState<Receiving | null>(null);
	// '' or why it is no code, which is found before anybody is asked.
	const begin = (code: string): string => {
		const next = new Receiving();
		let run: Taker | Fetcher;
		try {
			if (isStored(code)) {
				run = new Fetcher(core(), code, next, next.signal);
			} else {
				run = new Taker(core(), next, next.signal);
				run.join(code);
			}
		} catch (e) {
			const why = codeOf(e);
			return problemText(why === 'MALFORMED' ? 'MALFORMED.code' : why);
		}
		setWork(next);
		void next.follow(run);
		return '';
	};
	const [problem, setProblem] = useState('');
	useEffect(() => {
		if (first !== '') setProblem(begin(first));
	}, []);
	return (
		<Frame title={text('take.title')} text={text('take.lead')}>
			{work === null
				? <><AskCode core={core} entered={begin} first="" />{problem !== '' && <Failure text={problem} />}</>
				: <Under work={work} again={() => setWork(null)} />}
		</Frame>
	);
}
