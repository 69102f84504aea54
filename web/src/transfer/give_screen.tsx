// give_screen.tsx - the page /s.
import { useState } from 'preact/hooks';
import type { Core } from '../core/module.js';
import { Failure, Frame } from '../ui/screens/frame.js';
import { bytes } from '../ui/times.js';
import { QrCode } from '../ui/widgets/qr.js';
import { Giver } from './give.js';
import { fromFiles, fromText, type Source } from './source.js';
import { text } from './texts.js';
import { Progress, Status, Work } from './work.js';

function linkTo(code: string): string {
	return `${location.origin}/r#${code}`;
}

function Code({ code }: { code: string }) {
	const [copied, setCopied] = useState(false);
	const copy = () => {
		navigator.clipboard.writeText(linkTo(code)).then(() => setCopied(true)).catch(() => undefined);
	};
	return (
		<section class="code-told" aria-label={text('give.code')}>
			<h2>{text('give.code')}</h2>
			<p class="code-text"><code>{code}</code></p>
			<QrCode text={linkTo(code)} label={text('give.qr')} />
			<p class="hint">{text('give.code.hint', { address: `${location.host}/r`, code })}</p>
			<button type="button" class="plain wide" onClick={copy}>{copied ? text('copied') : text('copy')}</button>
		</section>
	);
}

function Choose({ chosen }: { chosen: (source: Source) => void }) {
	const [words, setWords] = useState('');
	const take = (files: FileList | null | undefined) => {
		if (files !== null && files !== undefined && files.length > 0) chosen(fromFiles([...files]));
	};
	return (
		<>
			<label class="drop" onDrop={(event) => take(event.dataTransfer?.files)}>
				<input type="file" multiple onChange={(event) => take(event.currentTarget.files)} />
				<span class="drop-choose">{text('give.choose')}</span>
				<span class="muted">{text('give.drop')}</span>
			</label>
			<form class="form" onSubmit={(event) => {
				event.preventDefault();
				if (words !== '') chosen(fromText(words));
			}}>
				<label class="words">
					<span>{text('give.text')}</span>
					<textarea rows={3} maxLength={16_000} value={words} dir="auto"
						onInput={(event) => setWords(event.currentTarget.value)} />
				</label>
				<button type="submit" class="primary wide" disabled={words === ''}>{text('give.text.send')}</button>
			</form>
			<p><a href="/r">{text('give.instead')}</a></p>
		</>
	);
}

function stateLine(work: Work): string {
	const state = work.now.value;
	if (state === 'waiting') return text('give.waiting');
	return state === 'met' ? text('give.asked') : text(`state.${state}`);
}

function Under({ work, source, again }: { work: Work; source: Source; again: () => void }) {
	const { content, title } = source;
	const what = title !== '' ? title : content.kind === 'text' ? '' : text('give.several', { n: content.entries.length });
	const moving = work.far.value !== null && work.now.value === 'met';
	return (
		<>
			{what !== '' && <p class="what"><bdi>{what}</bdi> <span class="muted">{bytes(content.total)}</span></p>}
			{!work.over.value && work.now.value === 'waiting' && <Code code={work.codeText.value} />}
			{!work.over.value && !moving && <Status line={stateLine(work)} />}
			<Progress work={work} />
			{work.problem.value !== '' && <Failure text={work.problem.value} />}
			{work.over.value && work.problem.value === '' && <Status line={text('give.done')} />}
			{work.over.value
				? <button type="button" class="primary wide" onClick={again}>{text('give.again')}</button>
				: <button type="button" class="plain wide" onClick={() => work.cancel()}>{text('cancel')}</button>}
		</>
	);
}

export function GiveScreen({ core }: { core: () => Core }) {
	const [now, setNow] = useState<{ work: Work; source: Source } | null>(null);
	const begin = (source: Source) => {
		const work = new Work();
		setNow({ work, source });
		void work.follow(new Giver(core(), source, work, work.signal));
	};
	return (
		<Frame title={text('give.title')} text={text('give.lead')}>
			{now === null ? <Choose chosen={begin} /> : <Under {...now} again={() => setNow(null)} />}
		</Frame>
	);
}
