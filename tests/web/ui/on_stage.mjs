// Cases on pages in Chromium over the fake; where that is missing, the program says so and ends.
import { existsSync } from 'node:fs';
import * as tap from '../core/tap.mjs';
import { CHROMIUM, loadTools, Stage } from './stage.mjs';

if (!existsSync(CHROMIUM) || !(await loadTools())) {
	console.log('1..0 # SKIP chromium or npm packages are missing: tools/bootstrap test fetches them');
	process.exit(0);
}
const stage = await Stage.open();

// With an argument: the cases whose names hold it.
export function test(name, body) {
	if (name.includes(process.argv[2] ?? ''))
		tap.test(name, body);
}

// A fresh page, about which nothing is complained.
export async function on(options, body) {
	const page = await stage.page(options);
	try {
		await body(page);
		tap.assert.deepEqual(page.complaints, []);
	} catch (why) {
		if (process.env.TACIT_SHOTS !== undefined)
			await page.screenshot({ path: `${process.env.TACIT_SHOTS}/failed.png` });
		throw why;
	} finally {
		await page.context().close();
	}
}

export const { assert, main } = tap;
export const ONE_PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
