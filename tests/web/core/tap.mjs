// The smallest test harness: cases run one after the other and print TAP.
import './node18.mjs';
import assert from 'node:assert/strict';

const WAIT_MS = 30000;
const cases = [];

export function test(name, body) {
	cases.push({ name, body });
}

export async function main() {
	let failed = 0;
	console.log(`1..${cases.length}`);
	for (const [i, { name, body }] of cases.entries()) {
		let problem;
		try {
			await body();
		} catch (e) {
			problem = e;
			failed += 1;
		}
		console.log(`${problem === undefined ? 'ok' : 'not ok'} ${i + 1} - ${name}`);
		if (problem !== undefined)
			console.log(String(problem?.stack ?? JSON.stringify(problem)).replace(/^/gm, '# '));
	}
	process.exit(failed === 0 ? 0 : 1);
}

// The value of look() once it is neither false nor missing.
export async function until(look, what) {
	const end = Date.now() + WAIT_MS;
	for (;;) {
		const value = await look();
		if (value !== undefined && value !== null && value !== false)
			return value;
		if (Date.now() > end)
			throw new Error(`did not happen: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

// The code that a promise rejects with.
export async function rejects(promise, code) {
	const problem = await promise.then(() => undefined, (e) => e);
	assert.notEqual(problem, undefined, `should fail with ${code}`);
	assert.equal(problem.code, code, problem.stack ?? JSON.stringify(problem));
	return problem;
}

export { assert };
