// page.mjs - runs programs in workers, some at a time: await runAll([{program, args, folder, files}, ...])
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

globalThis.runAll = async (jobs) => {
	const results = [];
	const waiting = [...jobs.entries()];
	const lane = async () => {
		for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
			results[next[0]] = await run(next[1]);
	};
	await Promise.all(Array.from({ length: Math.max(1, navigator.hardwareConcurrency) }, lane));
	return results;
};
