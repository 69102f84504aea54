// choose.tsx - what to send, and how: now, to somebody who is there, or for whoever has a link later.
import { useId, useState } from 'preact/hooks';
import { codeOf } from '../core/problem.js';
import { Failure } from '../ui/screens/frame.js';
import { span } from '../ui/times.js';
import { Choice } from '../ui/widgets/choice.js';
import type { Terms } from './leave.js';
import { fromDrop, fromInput, type Roots } from './pick.js';
import { fromFiles, fromText, type Source } from './source.js';
import { problemText, text } from './texts.js';

const HOUR = 3600;
const LIFETIMES = [HOUR, 24 * HOUR, 3 * 24 * HOUR, 7 * 24 * HOUR];
const DOWNLOADS = [1, 2, 3, 5, 10, 25, 100];

interface PickerProps {
	label: string;
	value: number;
	options: readonly number[];
	say: (value: number) => string;
	change: (value: number) => void;
}

function Picker({ label, value, options, say, change }: PickerProps) {
	const id = useId();
	return (
		<div class="words">
			<label for={id}>{label}</label>
			<select id={id} value={String(value)} onChange={(event) => change(Number(event.currentTarget.value))}>
				{options.map((option) => <option key={option} value={String(option)}>{say(option)}</option>)}
			</select>
		</div>
	);
}

const times = (n: number): string => (n === 1 ? text('terms.once') : text('terms.times', { n }));

function TermsForm({ terms, change }: { terms: Terms; change: (terms: Terms) => void }) {
	return (
		<div class="terms">
			<Picker label={text('terms.lifetime')} value={terms.lifetime} options={LIFETIMES} say={span}
				change={(lifetime) => change({ ...terms, lifetime })} />
			<Picker label={text('terms.downloads')} value={terms.downloads} options={DOWNLOADS} say={times}
				change={(downloads) => change({ ...terms, downloads })} />
		</div>
	);
}

function Files({ take }: { take: (roots: Roots | Promise<Roots>) => void }) {
	const [over, setOver] = useState(false);
	const drop = (event: DragEvent) => {
		setOver(false);
		if (event.dataTransfer !== null) take(fromDrop(event.dataTransfer));
	};
	const chosen = (files: FileList | null) => {
		if (files !== null) take(fromInput(files));
	};
	return (
		<div class="files">
			<label class={over ? 'drop over' : 'drop'} onDrop={drop} onDragOver={() => setOver(true)}
				onDragLeave={() => setOver(false)}>
				<input type="file" multiple onChange={(event) => chosen(event.currentTarget.files)} />
				<span class="drop-choose">{text('give.choose')}</span>
				<span class="muted">{text('give.drop')}</span>
			</label>
			{'webkitdirectory' in HTMLInputElement.prototype && (
				<label class="folder plain button">
					<input type="file" {...({ webkitdirectory: true } as object)} onChange={(event) => chosen(event.currentTarget.files)} />
					{text('give.folder')}
				</label>
			)}
		</div>
	);
}

function Words({ chosen }: { chosen: (words: string) => void }) {
	const [words, setWords] = useState('');
	return (
		<form class="form" onSubmit={(event) => {
			event.preventDefault();
			if (words !== '') chosen(words);
		}}>
			<label class="words">
				<span>{text('give.text')}</span>
				<textarea rows={3} maxLength={16_000} value={words} dir="auto"
					onInput={(event) => setWords(event.currentTarget.value)} />
			</label>
			<button type="submit" class="primary wide" disabled={words === ''}>{text('give.text.send')}</button>
		</form>
	);
}

type Way = 'now' | 'later';

interface Props {
	chosen: (source: Source, terms: Terms | null) => void; // null: now, by a code
}

export function Choose({ chosen }: Props) {
	const [way, setWay] = useState<Way>('now');
	const [terms, setTerms] = useState<Terms>({ lifetime: 24 * HOUR, downloads: 1 });
	const [problem, setProblem] = useState('');
	const send = (source: Source) => chosen(source, way === 'now' ? null : terms);
	const take = async (roots: Roots | Promise<Roots>) => {
		setProblem('');
		try {
			const all = await roots;
			if (all.length > 0) send(fromFiles(all));
		} catch (e) {
			setProblem(problemText(codeOf(e)));
		}
	};
	return (
		<>
			<Choice label={text('way')} value={way} change={setWay}
				options={[{ value: 'now', text: text('way.now') }, { value: 'later', text: text('way.later') }]} />
			<p class="hint">{text(`way.${way}.hint`)}</p>
			{way === 'later' && <TermsForm terms={terms} change={setTerms} />}
			<Files take={(roots) => void take(roots)} />
			{problem !== '' && <Failure text={problem} />}
			<Words chosen={(words) => send(fromText(words))} />
		</>
	);
}
