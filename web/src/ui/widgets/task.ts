// task.ts - something that runs and may fail: whether it runs, and the sentence when it failed.
import { useCallback, useRef, useState } from 'preact/hooks';
import { t, type Key } from '../../i18n/index.js';
import { codeOf, sentence } from '../store.js';

// What an error means here, where the catalogue's word for it would mislead. Keys without slots.
export type Meanings = Readonly<Record<string, Key>>;

export interface Task {
	busy: boolean;
	error: string;
	run: (work: () => Promise<void>) => void;
	clear: () => void;
}

export function useTask(meanings: Meanings = {}): Task {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState('');
	const running = useRef(false);
	const run = useCallback((work: () => Promise<void>) => {
		if (running.current)
			return;
		running.current = true;
		setBusy(true);
		setError('');
		work()
			.catch((thrown: unknown) => {
				const key = meanings[codeOf(thrown)];
				setError(key === undefined ? sentence(thrown) : t(key as 'error.other'));
			})
			.finally(() => {
				running.current = false;
				setBusy(false);
			});
	}, []);
	return { busy, error, run, clear: useCallback(() => setError(''), []) };
}
