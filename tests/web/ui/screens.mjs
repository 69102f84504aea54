// screens.mjs - every screen of the page: how one gets there from a beginning.
import { codePicture, PHONE } from './stage.mjs';

const PASSWORD = 'right horse battery';
export const row = (page, name) => page.locator('.sidebar .row', { has: page.locator('.row-title', { hasText: new RegExp(`^${name}$`) }) });

export async function openTalk(page, name) {
	await row(page, name).first().click();
	await page.waitForSelector('.line, .event, .beginning');
}

async function registerTo(page, step) {
	await page.getByRole('button', { name: /Create an account|Konto anlegen/ }).click();
	await page.locator('input').nth(0).fill('mara');
	await page.locator('input').nth(1).fill('mara@example.org');
	await page.locator('input').nth(2).fill('correct horse battery staple');
	if (step === 'account')
		return;
	await page.locator('button[type=submit]').click();
	await page.waitForSelector('.qr-dark:not([d=""])');
	if (step === 'totp')
		return;
	await page.locator('input[inputmode=numeric]').fill('123456');
	await page.locator('button[type=submit]').click();
	await page.waitForSelector('.codes');
}

const menu = async (page, item) => {
	await page.locator('.list-head [aria-haspopup=menu]').click();
	await page.locator('[role=menuitem]').nth(item).click();
	await page.waitForSelector('dialog[open]');
};
const details = (page) => page.locator('.talk-head button[aria-pressed]').click();

export const SCREENS = {
	welcome: { begin: 'new', go: async () => undefined },
	register: { begin: 'new', go: (page) => registerTo(page, 'account') },
	totp: { begin: 'new', go: (page) => registerTo(page, 'totp') },
	recovery: { begin: 'new', go: (page) => registerTo(page, 'recovery') },
	login: { begin: 'new', go: (page) => page.getByRole('button', { name: /Log in|Anmelden/ }).click() },
	again: { begin: 'ended', go: async () => undefined },
	unlock: { begin: 'locked', go: async (page) => {
		await page.locator('input[type=password]').fill('wrong');
		await page.locator('button[type=submit]').click();
		await page.waitForSelector('.failure:not(:empty)');
	} },
	out: { begin: 'locked', go: async (page) => {
		await page.evaluate(() => localStorage.setItem('tacit.out', '1'));
		await page.reload();
		await page.waitForSelector('[autocomplete=one-time-code]');
	} },
	list: { begin: 'in', go: (page) => page.waitForSelector('.row') },
	search: { begin: 'in', go: async (page) => {
		await page.locator('.sidebar input[type=search]').fill('stove');
		await page.waitForSelector('.found mark');
	} },
	direct: { begin: 'in', go: (page) => openTalk(page, 'anna') },
	group: { begin: 'in', go: async (page) => {
		await openTalk(page, 'Alpine weekend');
		await page.waitForSelector('.picture img');
		await page.evaluate(() => {
			globalThis.fake.tell({ kind: 'typing', conversation: 2, username: 'chiara', flag: true });
		});
		await page.waitForSelector('.dots');
	} },
	session: { begin: 'in', go: (page) => openTalk(page, 'ben') },
	room: { begin: 'in', go: (page) => openTalk(page, 'general') },
	loud: { begin: 'in', go: (page) => openTalk(page, 'dmitri') },
	alert: { begin: 'in', go: async (page) => {
		await page.evaluate(() => globalThis.fake.tell({ kind: 'key_changed', error: 'KEY_CHANGED', username: 'dmitri', time: 1e9 }));
		await page.waitForSelector('dialog[open]');
	} },
	changed: { begin: 'in', go: async (page) => {
		await page.evaluate(() => globalThis.fake.tell({ kind: 'key_changed', error: 'KEY_CHANGED', username: 'dmitri', time: Date.now() / 1000 | 0 }));
		await page.locator('dialog .plain').click();
		await page.waitForSelector('.digits');
	} },
	warning: { begin: 'in', go: async (page) => {
		await page.evaluate(() => globalThis.fake.tell({ kind: 'warning', error: 'ORDER_CHANGED', conversation: 2, time: Date.now() / 1000 | 0, text: 'The server gives a new message a place where another one stands.' }));
		await page.waitForSelector('dialog[open]');
	} },
	actions: { begin: 'in', go: async (page) => {
		await openTalk(page, 'anna');
		const line = page.locator('.line.own').last();
		await line.focus();
		await line.press('Enter');
		await page.waitForSelector('.menu');
	} },
	reply: { begin: 'in', go: async (page) => {
		await openTalk(page, 'anna');
		await page.locator('.line.other').last().focus();
		await page.locator('.line.other').last().locator('.tools button').nth(1).click();
		await page.locator('textarea').fill('Tomorrow at nine?');
	} },
	upload: { begin: 'in', go: async (page) => {
		await openTalk(page, 'anna');
		await page.locator('.composer input[type=file]').setInputFiles({ name: 'summer notes.txt', mimeType: 'text/plain', buffer: Buffer.alloc(3_000_000, 'a') });
		await page.waitForSelector('.attached li');
		await page.locator('.send').click();
		await page.waitForSelector('.progress');
		await page.locator('.composer input[type=file]').setInputFiles({ name: 'invoice 2026.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(90_000, 'a') });
	} },
	offline: { begin: 'in', go: async (page) => {
		await openTalk(page, 'anna');
		await page.evaluate(() => globalThis.fake.connect('offline', 12));
		await page.locator('textarea').fill('This one has to wait.');
		await page.locator('.send').click();
		await page.waitForSelector('.waits');
		if (page.viewportSize().width === PHONE.width)
			await page.waitForSelector('.line');
	} },
	revoked: { begin: 'in', go: async (page) => {
		await SCREENS.offline.go(page);
		await page.evaluate(() => {
			const { fake } = globalThis;
			const run = fake.run.bind(fake);
			fake.offline = false;
			fake.run = (command, told) => run(command, command.kind === 'devices' ? () => undefined : told);
			document.dispatchEvent(new Event('visibilitychange'));
		});
		await page.waitForSelector('.waits button + button');
	} },
	details: { begin: 'in', go: async (page) => {
		await openTalk(page, 'Alpine weekend');
		await details(page);
		await page.waitForSelector('.details');
	} },
	new: { begin: 'in', go: async (page) => {
		await page.locator('.list-head button').first().click();
		await page.locator('.choice label').nth(1).click();
		await page.locator('.field input').fill('Book club');
		await page.locator('dialog input[type=search]').fill('a');
		await page.waitForSelector('.person');
		await page.locator('.person').first().click();
	} },
	newroom: { begin: 'in', go: async (page) => {
		await page.locator('.list-head button').first().click();
		await page.locator('.choice label').nth(2).click();
		await page.locator('.field input').fill('Lobby');
	} },
	newsession: { begin: 'in', go: async (page) => {
		await page.locator('.list-head button').first().click();
		await page.locator('.choice label').nth(3).click();
	} },
	safety: { begin: 'in', go: async (page) => {
		await openTalk(page, 'anna');
		await page.locator('.talk-head button[title]').nth(0).click();
		await page.waitForSelector('.digits');
		await page.waitForSelector('.qr-dark:not([d=""])');
	} },
	scan: { begin: 'in', permissions: ['camera'], go: async (page) => {
		await SCREENS.safety.go(page);
		await page.getByRole('button', { name: /Scan theirs|Nummer scannen/ }).click();
		await page.waitForSelector('.camera-tools button');
	} },
	noscan: { begin: 'in', go: async (page) => {
		await SCREENS.safety.go(page);
		await page.getByRole('button', { name: /Scan theirs|Nummer scannen/ }).click();
		await page.waitForSelector('.scan .note');
		await page.locator('.scan input[type=file]').setInputFiles(await codePicture(page, 'https://example.org/'));
		await page.waitForSelector('.scan .failure:not(:empty)');
	} },
	differ: { begin: 'in', go: async (page) => {
		await SCREENS.type.go(page);
		await page.locator('dialog input').fill('54321 '.repeat(12));
		await page.keyboard.press('Enter');
		await page.waitForSelector('.note.bad');
	} },
	type: { begin: 'in', go: async (page) => {
		await SCREENS.safety.go(page);
		await page.getByRole('button', { name: /Enter theirs|Nummer eingeben/ }).click();
		await page.waitForSelector('dialog input');
	} },
	expiry: { begin: 'in', go: async (page) => {
		await openTalk(page, 'anna');
		await details(page);
		await page.locator('.details .way').nth(1).click();
		await page.waitForSelector('dialog[open]');
	} },
	settings: { begin: 'in', go: (page) => menu(page, 0) },
	devices: { begin: 'in', go: (page) => menu(page, 1) },
	question: { begin: 'in', go: async (page) => {
		await menu(page, 0);
		await page.locator('.way.danger').click();
		await page.waitForSelector('dialog.alert');
	} },
	emoji: { begin: 'in', go: async (page) => {
		await openTalk(page, 'anna');
		await page.locator('.composer-row button').nth(1).click();
		await page.waitForSelector('.emoji-grid');
	} },
	picture: { begin: 'in', go: async (page) => {
		await openTalk(page, 'Alpine weekend');
		await page.waitForSelector('.picture img');
		await page.locator('.picture').click();
		await page.waitForSelector('.large-picture');
	} },
};

export { PASSWORD };
