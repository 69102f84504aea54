// work.tsx - a transfer under way, as both screens show it.
import { signal, type Signal } from '@preact/signals';
import { EngineError } from '../core/engine.js';
import { ProblemError, storeProblem } from '../core/problem.js';
import { bytes, left } from '../ui/times.js';
import type { State, Told } from './run.js';
import { problemText, text } from './texts.js';

const SAMPLE_MS = 250;
const SMOOTHING = 0.3;

interface Far {
	done: number;
	total: number;
	rate: number; // bytes a second, smoothed
}

// Why a transfer was aborted, when nobody cancelled it.
export const PAGE_LEFT = 'page left';

export class Work implements Told {
	readonly codeText: Signal<string> = signal('');
	readonly now: Signal<State> = signal<State>('connecting');
	readonly far: Signal<Far | null> = signal<Far | null>(null);
	readonly problem: Signal<string> = signal('');
	readonly over: Signal<boolean> = signal(false);
	private readonly stopper = new AbortController();
	private last = { at: 0, done: 0 };

	get signal(): AbortSignal {
		return this.stopper.signal;
	}

	code(code: string): void {
		this.codeText.value = code;
	}

	state(state: State): void {
		this.now.value = state;
	}

	progress(done: number, total: number): void {
		const at = performance.now();
		const before = this.far.value;
		const passed = at - this.last.at;
		if (before !== null && done < total && passed < SAMPLE_MS) return;
		const measured = (1000 * (done - this.last.done)) / Math.max(1, passed);
		const old = before?.rate ?? 0;
		const rate = before === null ? 0 : old === 0 ? measured : old + SMOOTHING * (measured - old);
		this.last = { at, done };
		this.far.value = { done, total, rate };
	}

	cancel(): void {
		this.stopper.abort();
	}

	async follow(run: { run(): Promise<void> }): Promise<void> {
		const stay = (event: Event): void => event.preventDefault();
		const leave = (): void => this.stopper.abort(PAGE_LEFT);
		addEventListener('beforeunload', stay); // the transfer would end with the page
		addEventListener('pagehide', leave); // and now it does
		try {
			await run.run();
		} catch (e) {
			const known = e instanceof ProblemError || e instanceof EngineError;
			this.problem.value = problemText(known ? e.code : storeProblem(e).code.replace('STORE_FULL', 'STORE'));
		}
		removeEventListener('beforeunload', stay);
		removeEventListener('pagehide', leave);
		this.over.value = true;
	}
}

export function Progress({ work }: { work: Work }) {
	const far = work.far.value;
	if (far === null) return null;
	const slots = { done: bytes(far.done), total: bytes(far.total) };
	const waits = work.now.value === 'lost' || work.now.value === 'away';
	const line = far.rate > 0 && far.done < far.total && !waits
		? text('progress.text', {
			...slots,
			rate: bytes(Math.round(far.rate)),
			left: left(Math.ceil((far.total - far.done) / far.rate)),
		})
		: text('progress.begin', slots);
	return (
		<div class="progress">
			<progress value={far.done} max={Math.max(1, far.total)} aria-label={text('progress.label')} />
			<span class="muted">{line}</span>
		</div>
	);
}

export function Status({ line }: { line: string }) {
	return <p class="muted" role="status">{line}</p>;
}
