// page.mjs - runs programs in workers, some at a time: runAll([{program, args, folder, files}, ...]) fills
// globalThis.results, [{status, out, ms}, ...], as they end.
function run(job) {
	return new Promise((resolve) => {
		const worker = new Worker('worker.mjs', { type: 'module' });
		const end = (result) => {
			worker.terminate();
			resolve(result);
		};
		worker.onmessage = (event) => end(event.data);
		worker.onerror = (event) => end({ status: `the worker failed: ${event.message}`, out: '' });
		worker.postMessage(job);
	});
}

globalThis.results = [];

globalThis.runAll = async (jobs) => {
	const waiting = [...jobs.entries()];
	const lane = async () => {
		for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
			const began = performance.now();
			const result = await run(next[1]);
			results[next[0]] = { ...result, ms: performance.now() - began };
		}
	};
	await Promise.all(Array.from({ length: Math.max(1, navigator.hardwareConcurrency) }, lane));
};
