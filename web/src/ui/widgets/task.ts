// task.ts - something that runs and may fail: whether it runs, and the sentence when it failed.
import { useCallback, useRef, useState } from 'preact/hooks';
import { sentence } from '../store.js';

export interface Task {
	busy: boolean;
	error: string;
	run: (work: () => Promise<void>) => void;
	clear: () => void;
}

export function useTask(): Task {
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
			.catch((thrown: unknown) => setError(sentence(thrown)))
			.finally(() => {
				running.current = false;
				setBusy(false);
			});
	}, []);
	return { busy, error, run, clear: useCallback(() => setError(''), []) };
}
