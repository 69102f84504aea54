// browser_driver.mjs - Chromium, driven line by line: what tests/support/browser.py speaks with.
//
// In: {"id", "on": "browser" | a name, "call", "args"}.
// Out: {"id", "value"} or {"id", "error"}. What a page says of its own accord (its console, its
// errors, requests that failed) is kept until it is asked for.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, executablePath, ...more] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { chromium } = require('playwright-core');

const launching = {
	executablePath,
	headless: true,
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--use-fake-device-for-media-stream', ...more],
};
const browser = await chromium.launch(launching);
const things = new Map();
const said = new Map();

function listen(name, page) {
	const list = [];
	said.set(name, list);
	page.on('console', (line) => list.push({ kind: `console ${line.type()}`, text: line.text() }));
	page.on('pageerror', (error) => list.push({ kind: 'error', text: String(error.stack ?? error) }));
	page.on('crash', () => list.push({ kind: 'crash', text: 'the page crashed' }));
}

const calls = {
	async newContext(name, options) {
		const made = await browser.newContext({ serviceWorkers: 'allow', ...options });
		made.setDefaultTimeout(60000);
		things.set(name, made);
	},
	// A Chromium of its own, whose storage is in that folder and stays there.
	async newPersistent(name, folder, options) {
		const made = await chromium.launchPersistentContext(folder, { ...launching, serviceWorkers: 'allow', ...options });
		made.setDefaultTimeout(60000);
		things.set(name, made);
	},
	async newPage(name, context) {
		const page = await things.get(context).newPage();
		listen(name, page);
		things.set(name, page);
	},
	async cdp(name, page) {
		const owner = things.get(page);
		things.set(name, await owner.context().newCDPSession(owner));
	},
	said: (name) => said.get(name),
	async download(page, selector, path) {
		const [file] = await Promise.all([things.get(page).waitForEvent('download'), things.get(page).click(selector)]);
		await file.saveAs(path);
		return file.suggestedFilename();
	},
	async downloads(page, selector, count, folder) {
		const names = [];
		const all = new Promise((resolve) => {
			things.get(page).on('download', async (file) => {
				await file.saveAs(`${folder}/${file.suggestedFilename()}`);
				names.push(file.suggestedFilename());
				if (names.length === count) resolve(names);
			});
		});
		await things.get(page).click(selector);
		return await all;
	},
	async choose(page, selector, paths) {
		const [chooser] = await Promise.all([things.get(page).waitForEvent('filechooser'), things.get(page).click(selector)]);
		await chooser.setFiles(paths);
	},
	key: (page, key) => things.get(page).keyboard.press(key),
	version: () => browser.version(),
};

function plain(value) {
	if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
	return Object.getPrototypeOf(value) === Object.prototype ? value : undefined;
}

async function answer({ id, on, call, args }) {
	try {
		const value = on === 'browser' ? await calls[call](...args) : await things.get(on)[call](...args);
		return { id, value: plain(value) ?? null };
	} catch (error) {
		return { id, error: String(error.message ?? error) };
	}
}

for await (const line of createInterface({ input: process.stdin })) {
	const request = JSON.parse(line);
	if (request.call === 'quit') break;
	void answer(request).then((out) => process.stdout.write(`${JSON.stringify(out)}\n`));
}
await browser.close();
process.exit(0);
