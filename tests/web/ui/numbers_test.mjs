// Safety numbers in Chromium over the fake: compared, scanned, typed, and a key that changed.
import { assert, main, on, ONE_PIXEL, test } from './on_stage.mjs';
import { codePicture } from './stage.mjs';
import { openTalk, SCREENS } from './screens.mjs';

test('a changed key must be acknowledged, stays in sight, and goes when it is accepted', () => on({}, async (page) => {
	await SCREENS.alert.go(page);
	await page.keyboard.press('Escape');
	await page.waitForSelector('dialog', { state: 'detached' });
	await openTalk(page, 'dmitri');
	await page.waitForSelector('.banner.loud');
	await page.locator('.banner.loud button').click();
	await page.getByRole('button', { name: 'Enter theirs' }).click();
	await page.getByLabel('Their number').fill('12345');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.error:has-text("That is no safety number.")');
	assert.equal(await page.getByLabel('Their number').inputValue(), '12345', 'what was typed is still there');
	const wrong = '54321 '.repeat(12);
	await page.getByLabel('Their number').fill(wrong);
	await page.keyboard.press('Enter');
	await page.waitForSelector('.note.bad:has-text("NOT the same")');
	assert.equal(await page.evaluate(() => globalThis.fake.ran.findLast((one) => one.kind === 'compare').text), wrong, 'as it was typed');
	assert.ok(await page.locator('.banner.loud').isVisible());
	assert.equal(await page.getByRole('button', { name: 'It is theirs: accept the new key' }).count(), 0, 'not at once after that');
	await page.keyboard.press('Escape');
	await page.locator('.banner.loud button').click();
	await page.getByRole('button', { name: 'It is theirs: accept the new key' }).click();
	await page.waitForSelector('.banner.loud', { state: 'detached' });
	const command = await page.evaluate(() => globalThis.fake.ran.find((one) => one.kind === 'accept_key'));
	assert.match(command.text, /^12345 67890 /, 'the number that was shown goes with it');
}));

async function openScan(page, name) {
	await openTalk(page, name);
	await page.locator('.talk-head').getByRole('button', { name: 'Safety number' }).click();
	await page.waitForSelector('.qr-dark:not([d=""])');
	const shown = { name: 'qr.png', mimeType: 'image/png', buffer: await page.locator('.qr').screenshot() };
	await page.getByRole('button', { name: 'Scan theirs' }).click();
	return shown;
}
const scanFile = (page, file) => page.locator('.scan input[type=file]').setInputFiles(file);

test('a scanned number goes to the core as it is, which verifies', () => on({}, async (page) => {
	await scanFile(page, await openScan(page, 'erin'));
	await page.waitForSelector('dialog', { state: 'detached' });
	await page.waitForSelector('.talk-head [aria-label=Verified]');
	const ran = await page.evaluate(() => globalThis.fake.ran.filter((one) => one.kind === 'compare' || one.kind === 'set_verified'));
	assert.deepEqual(ran.map(({ kind, username, text }) => [kind, username, text]),
		[['compare', 'erin', '123456789011121314151617181920212223242526272829303132333435']]);
}));

test('what holds no safety number says so, and one can try again', () => on({}, async (page) => {
	const shown = await openScan(page, 'erin');
	await scanFile(page, { name: 'qr.png', mimeType: 'image/png', buffer: ONE_PIXEL });
	await page.waitForSelector('.failure:has-text("There is no QR code in that picture.")');
	await scanFile(page, { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture at all') });
	await page.waitForSelector('.failure:has-text("There is no QR code in that picture.")');
	await scanFile(page, await codePicture(page, 'https://example.org/r#7-amber-falcon'));
	await page.waitForSelector('.failure:has-text("That is no safety number.")');
	await scanFile(page, shown);
	await page.waitForSelector('.talk-head [aria-label=Verified]');
}));

test('a code of somebody else verifies nobody', () => on({}, async (page) => {
	await openScan(page, 'erin');
	await scanFile(page, await codePicture(page, '1'.repeat(60)));
	await page.waitForSelector('.note.bad:has-text("NOT the same")');
	assert.equal(await page.getByRole('button', { name: 'It is the same' }).count(), 0, 'nobody says so now');
	await page.keyboard.press('Escape');
	assert.equal(await page.locator('.talk-head [aria-label=Verified]').count(), 0);
}));

// The tracks that the page got, and cameras that fail as they do.
const WATCHED = () => {
	globalThis.tracks = [];
	const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = async (wish) => {
		if (globalThis.failing !== undefined)
			throw new DOMException('', globalThis.failing);
		const stream = await real(wish);
		globalThis.tracks.push(...stream.getVideoTracks());
		return stream;
	};
};
const live = (page) => page.evaluate(() => globalThis.tracks.filter((track) => track.readyState === 'live').length);

test('a camera that cannot be used says why, and leaves the other ways', () => on({}, async (page) => {
	await page.evaluate(WATCHED);
	await openScan(page, 'erin');
	await page.waitForSelector('.note:has-text("tacit may not use the camera.")'); // the browser's own refusal
	for (const [name, sentence] of [['NotFoundError', 'There is no camera here.'], ['NotReadableError', 'The camera cannot be used.'],
		['OverconstrainedError', 'There is no camera here.']]) {
		await page.evaluate((failing) => Object.assign(globalThis, { failing }), name);
		await page.getByRole('button', { name: 'Show ours again' }).click();
		await page.getByRole('button', { name: 'Scan theirs' }).click();
		await page.waitForSelector(`.note:has-text("${sentence}")`);
	}
	assert.ok(await page.getByText('From a picture').isVisible());
	await page.getByRole('button', { name: 'Enter theirs' }).click();
	await page.waitForSelector('dialog input');
}));

test('the camera is changed, lights, and goes off whichever way one leaves', () => on({ permissions: ['camera'] }, async (page) => {
	await page.evaluate(WATCHED);
	await page.evaluate(() => {
		const real = MediaStreamTrack.prototype.getCapabilities;
		MediaStreamTrack.prototype.getCapabilities = function () {
			return { ...real.call(this), torch: true };
		};
		MediaStreamTrack.prototype.applyConstraints = async (wish) => {
			globalThis.lamp = wish.advanced[0].torch;
		};
	});
	await openScan(page, 'erin');
	const lamp = page.getByRole('button', { name: 'Light' });
	await lamp.click();
	await page.waitForSelector('.camera [aria-label=Light][aria-pressed=true]');
	assert.equal(await page.evaluate(() => globalThis.lamp), true);
	await page.getByRole('button', { name: 'Use another camera' }).click();
	await page.waitForFunction(() => globalThis.tracks.length === 2 && globalThis.tracks[0].readyState === 'ended');
	await page.waitForSelector('.camera [aria-label=Light][aria-pressed=false]');
	const [one, two] = await page.evaluate(() => globalThis.tracks.map((track) => track.getSettings().deviceId));
	assert.notEqual(one, two);
	for (const leave of ['Show ours again', 'Enter theirs', 'Close']) {
		if (await page.locator('.camera').count() === 0) {
			if (await page.getByRole('button', { name: 'Show ours again' }).count() > 0)
				await page.getByRole('button', { name: 'Show ours again' }).click();
			await page.getByRole('button', { name: 'Scan theirs' }).click();
		}
		await page.waitForFunction(() => globalThis.tracks.at(-1).readyState === 'live');
		assert.equal(await live(page), 1);
		await page.getByRole('button', { name: leave }).click();
		await page.waitForFunction(() => globalThis.tracks.every((track) => track.readyState === 'ended'));
	}
}));

test('what reads and draws codes is fetched with the first of them, and may be missing', () => on({ permissions: ['camera'] }, async (page) => {
	const fetched = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/codes.js')).length);
	await page.route('**/codes.js', (route) => route.abort());
	await openTalk(page, 'erin');
	assert.equal(await fetched(), 0, 'nobody has asked for a code');
	await page.locator('.talk-head').getByRole('button', { name: 'Safety number' }).click();
	await page.waitForSelector('.digits');
	await page.waitForSelector('.qr', { state: 'detached' }); // the number stands there all the same
	await page.getByRole('button', { name: 'Scan theirs' }).click();
	await page.waitForSelector('.note:has-text("QR codes cannot be read now")');
	await page.unroute('**/codes.js');
	await page.getByRole('button', { name: 'Show ours again' }).click();
	await page.waitForSelector('.qr-dark:not([d=""])');
	await page.getByRole('button', { name: 'Scan theirs' }).click();
	await page.waitForSelector('.camera video:not([class=""])');
	page.complaints.length = 0; // Chromium's own, of the requests that were let fail
}));

test('a number is typed in words, too', () => on({}, async (page) => {
	await openTalk(page, 'dmitri');
	await page.locator('.talk-head').getByRole('button', { name: 'Safety number' }).click();
	const words = await page.locator('.in-words p').textContent();
	assert.equal(words.split(' ').length, 24);
	await page.getByRole('button', { name: 'Enter theirs' }).click();
	await page.getByLabel('Their number').fill(words);
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog', { state: 'detached' });
	await page.waitForSelector('.banner.loud', { state: 'detached' });
	assert.equal(await page.evaluate(() => globalThis.fake.ran.find((one) => one.kind === 'compare').text), words);
}));

await main(); // and Playwright ends its browser with us
