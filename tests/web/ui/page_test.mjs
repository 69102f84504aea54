// The page in Chromium over the fake: every screen opens, is read by machines without complaint, and
// is reached by the keyboard; long lists, files, replies, languages.
import { assert, main, on, test } from './on_stage.mjs';
import { DESKTOP, PHONE, serious } from './stage.mjs';
import { openTalk, PASSWORD, row, SCREENS } from './screens.mjs';

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
async function hasFocus(page, pattern, what) {
	for (let i = 0; i < 600 && !pattern.test(await focused(page)); i++)
		await new Promise((resolve) => setTimeout(resolve, 50));
	assert.match(await focused(page), pattern, what);
}
const said = (page) => page.locator('.line .body').allTextContents();

// Light on the phone and dark on the desktop, so that each colour is measured.
for (const [name, { begin, go, permissions }] of Object.entries(SCREENS))
	test(`${name}: nothing serious for axe, nothing cut off`, () => Promise.all(
		[[PHONE, 'light'], [DESKTOP, 'dark']].map(([size, theme]) => on({ begin, size, theme, permissions }, async (page) => {
			await go(page);
			assert.deepEqual(await serious(page), []);
			const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
			assert.ok(inner <= outer, `${inner} pixels in a window of ${outer}`);
		}))));

test('registering ends in the conversations, and one code must be typed', () => on({ begin: 'new' }, async (page) => {
	await SCREENS.recovery.go(page);
	const confirm = page.locator('form input');
	await confirm.fill('nonsense');
	await page.locator('button[type=submit]').click();
	await page.waitForSelector('.error:not(:empty)');
	await confirm.fill((await page.locator('.codes code').first().textContent()).toUpperCase().replace('-', ' '));
	await page.locator('button[type=submit]').click();
	await page.waitForSelector('.shell');
}));

test('a weak password makes no account', () => on({ begin: 'new' }, async (page) => {
	await SCREENS.register.go(page);
	await page.getByLabel('Password', { exact: true }).fill('password1');
	assert.ok(await page.locator('button[type=submit]').isDisabled());
	assert.match(await page.locator('.meter').textContent(), /Very weak/);
}));

test('what goes wrong on the way in is said for what it is', () => on({ begin: 'new' }, async (page) => {
	await SCREENS.register.go(page);
	const says = (sentence) => page.waitForSelector(`.failure:has-text("${sentence}")`);
	await page.locator('input').nth(0).fill('anna');
	await page.locator('button[type=submit]').click();
	await says('Somebody has that username or e-mail address already.');
	await page.locator('input').nth(0).fill('mara');
	await page.locator('button[type=submit]').click();
	await page.waitForSelector('.qr');
	await page.locator('input[inputmode=numeric]').fill('654321');
	await page.locator('button[type=submit]').click();
	await says('That code is not right.');
	await page.getByRole('button', { name: 'Back' }).click();
	await page.getByRole('button', { name: 'Back' }).click();
	await SCREENS.login.go(page);
	for (const [i, text] of ['mara', 'mara@example.org', 'wrong', '123456'].entries())
		await page.locator('input').nth(i).fill(text);
	await page.locator('button[type=submit]').click();
	await says('Username, e-mail address, password or code is wrong.');
}));

test('without a connection nobody is shown as online, wherever one looks', () => on({ size: PHONE }, async (page) => {
	await openTalk(page, 'anna');
	await page.waitForSelector('.talk-head:has-text("online") .presence');
	await page.evaluate(() => globalThis.fake.connect('offline', 5));
	await page.waitForSelector('.talk-head:has-text("No connection")');
	assert.equal(await page.locator('.presence').count(), 0);
	await page.evaluate(() => globalThis.fake.connect('online'));
	await page.waitForSelector('.talk-head:has-text("online") .presence');
}));

test('what is begun stands at the top of the list, though nothing was said', () => on({}, async (page) => {
	await SCREENS.newroom.go(page);
	await page.getByRole('button', { name: 'Start' }).click();
	await page.waitForSelector('dialog', { state: 'detached' });
	await page.waitForSelector('.sidebar li:first-child .row-title:text-is("Lobby")');
}));

test('unlocking, locking', () => on({ begin: 'locked' }, async (page) => {
	await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
	await page.keyboard.press('Enter');
	await openTalk(page, 'anna');
	await page.locator('textarea').fill('half a thought');
	await page.locator('.list-head [aria-haspopup=menu]').click();
	await page.getByRole('menuitem', { name: 'Lock' }).click();
	await page.waitForSelector('input[type=password]');
	assert.ok(!(await page.content()).includes('Alpine'), 'nothing of a conversation is left on the page');
	await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
	await page.keyboard.press('Enter');
	await openTalk(page, 'anna');
	assert.equal(await page.locator('textarea').inputValue(), '', 'nor what was being written');
}));

test('what was on its way when the profile was locked brings nothing back', () => on({}, async (page) => {
	await openTalk(page, 'anna');
	await page.evaluate(() => {
		const { fake } = globalThis;
		fake.history = async (conversation, before, limit) => {
			await new Promise((resolve) => { fake.release = resolve; });
			return Object.getPrototypeOf(fake).history.call(fake, conversation, before, limit);
		};
	});
	await row(page, 'general').click();
	await page.waitForFunction(() => globalThis.fake.release !== undefined);
	await page.evaluate(() => globalThis.fake.lockNow());
	await page.waitForSelector('input[type=password]');
	await page.evaluate(() => {
		globalThis.fake.release();
		globalThis.fake.say(1, 'anna', 'too late');
	});
	await page.getByLabel('Password', { exact: true }).fill('wrong');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.failure:not(:empty)');
	assert.ok(!(await page.content()).includes('too late'));
	assert.equal(await page.title(), 'tacit');
}));

test('the keyboard alone: choose, write, answer, react, edit, and back', () => on({}, async (page) => {
	await page.waitForSelector('.row');
	while (!(await page.evaluate(() => document.activeElement?.classList.contains('row'))))
		await page.keyboard.press('Tab');
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('ArrowDown');
	await hasFocus(page, /anna/);
	await page.keyboard.press('Enter');
	await page.waitForSelector('.composer textarea:focus');
	await page.keyboard.type('hello from the keyboard');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.line.own:has-text("hello from the keyboard") .meta [aria-label=Sent]');
	// into the messages: Shift+Tab until one has the focus
	while (!(await page.evaluate(() => document.activeElement?.classList.contains('line'))))
		await page.keyboard.press('Shift+Tab');
	await page.keyboard.press('ArrowUp');
	await page.keyboard.press('ArrowUp');
	await hasFocus(page, /^anna/);
	await page.keyboard.press('Enter');
	await page.waitForSelector('[role=menu]');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.line.other .reactions button.mine:has-text("❤️")');
	await hasFocus(page, /^anna/, 'the focus is back');
	await page.keyboard.press('Enter');
	await page.getByRole('menuitem', { name: 'Reply' }).press('Enter');
	await page.waitForSelector('.aim');
	await page.keyboard.type('an answer');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.line.own[data-message]:has(.quote):has-text("an answer")');
	await page.keyboard.press('ArrowUp');
	await page.waitForSelector('.aim');
	await page.keyboard.type(', edited');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.line.own:has-text("an answer, edited"):has-text("edited")');
	await page.keyboard.press('Escape');
	await page.waitForSelector('.nothing');
}));

test('a dialog keeps the focus, closes by Escape and gives it back', () => on({}, async (page) => {
	const opener = page.getByRole('button', { name: 'New conversation' });
	await opener.focus();
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog[open]');
	for (let i = 0; i < 30; i++) {
		await page.keyboard.press('Tab');
		assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('dialog') !== null));
	}
	await page.keyboard.press('Escape');
	await page.waitForSelector('dialog', { state: 'detached' });
	await hasFocus(page, /^New conversation$/);
}));

test('ten thousand messages: few are drawn, older ones keep the place, back to the latest', () => on({ many: 10_000 }, async (page) => {
	await openTalk(page, 'erin');
	await page.waitForSelector('.line:has-text("10000.")');
	assert.ok((await page.locator('.line').count()) < 80);
	const frame = page.locator('.messages');
	const seen = () => page.evaluate(() => {
		const box = document.querySelector('.messages').getBoundingClientRect();
		const line = [...document.querySelectorAll('.line')].find((one) => one.getBoundingClientRect().top > box.top);
		return { id: line.id, top: Math.round(line.getBoundingClientRect().top) };
	});
	const reach = async (number) => {
		for (let i = 0; i < 400 && !(await said(page)).some((text) => Number.parseInt(text, 10) <= number); i++) {
			await frame.evaluate((box) => box.scrollBy(0, -box.clientHeight * 0.9));
			await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
		}
	};
	await reach(9700);
	assert.ok((await page.locator('.line').count()) < 80, 'still few');
	const before = await seen();
	await page.evaluate(() => globalThis.fake.say(5, 'erin', 'while you were reading'));
	await page.waitForSelector('.latest .badge');
	const after = await seen();
	assert.equal(after.id, before.id);
	assert.ok(Math.abs(after.top - before.top) <= 2, `${before.top} ${after.top}`);
	await page.locator('.latest').click();
	await page.waitForSelector('.line:has-text("while you were reading")');
	await page.waitForSelector('.latest', { state: 'detached' });
	await page.waitForFunction(() => globalThis.fake.find(5).unread === 0);
}));

test('a found message far back is brought into view', () => on({ many: 10_000 }, async (page) => {
	await page.locator('.sidebar input[type=search]').fill('2500. ');
	await page.locator('.found .row', { hasText: '2500.' }).first().click();
	await page.waitForSelector('.line.flash:has-text("2500.")');
	await page.waitForFunction(() => { // it flashes for a while, and stays, with something around it
		const found = [...document.querySelectorAll('.line')].find((one) => one.textContent.includes('2500.'));
		const line = found?.getBoundingClientRect();
		const box = document.querySelector('.messages').getBoundingClientRect();
		return line !== undefined && line.top >= box.top + box.height / 6 && line.bottom <= box.bottom - box.height / 6;
	});
}));

test('a new message is announced, counted and shown', () => on({}, async (page) => {
	await page.waitForSelector('.row');
	await page.evaluate(() => globalThis.fake.say(1, 'anna', 'are you there?'));
	await page.waitForSelector('[role=log]:has-text("New message from anna: are you there?")', { state: 'attached' });
	await page.waitForSelector('.row:has-text("are you there?") .badge:has-text("1")');
	await page.waitForFunction(() => /^\(\d+\) tacit$/.test(document.title));
	await openTalk(page, 'anna');
	await page.waitForSelector('.divider.unread');
	await page.waitForSelector('.row:has-text("are you there?") .badge', { state: 'detached' });
}));

test('offline: it waits, may be dropped, and goes out later', () => on({}, async (page) => {
	await SCREENS.offline.go(page);
	await page.waitForSelector('.connection:has-text("Next try in 12 seconds")');
	await page.getByRole('button', { name: 'Do not send' }).click();
	await page.waitForSelector('.waits', { state: 'detached' });
	await page.locator('textarea').fill('and this one goes');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.waits');
	await page.evaluate(() => globalThis.fake.connect('online'));
	await page.waitForSelector('.line.own[data-message]:has-text("and this one goes")');
	await page.waitForSelector('.waits', { state: 'detached' });
	assert.ok(!(await said(page)).includes('This one has to wait.'));
}));

test('a file goes up with its caption, can be stopped, and comes down', () => on({}, async (page) => {
	await openTalk(page, 'anna');
	const files = page.locator('.composer input[type=file]');
	await page.evaluate(() => { globalThis.fake.pace = 100; });
	await files.setInputFiles({ name: 'a.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(50_000) });
	await page.locator('textarea').fill('the caption');
	await page.locator('.send').click();
	await page.waitForSelector('.progress');
	await page.waitForSelector('.line[data-message]:has-text("a.bin"):has-text("the caption")');
	await page.waitForSelector('.progress', { state: 'detached' });
	await page.evaluate(() => { globalThis.fake.pace = 1000; }); // so that it is not up before it is stopped
	await files.setInputFiles({ name: 'stopped.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(50_000) });
	await page.locator('.send').click();
	await page.getByRole('button', { name: 'Cancel stopped.bin' }).click();
	await page.waitForSelector('.progress', { state: 'detached' });
	assert.ok(!(await page.content()).includes('stopped.bin'));
	await page.evaluate(() => { globalThis.fake.pace = 40; });
	const coming = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Save a.bin' }).click();
	assert.equal((await coming).suggestedFilename(), 'a.bin');
}));

test('a pasted picture and a dropped file stand ready to be sent', () => on({}, async (page) => {
	await openTalk(page, 'anna');
	const give = (selector, kind) => page.evaluate(([where, type]) => {
		const data = new DataTransfer();
		data.items.add(new File(['x'], `${type}.txt`, { type: 'text/plain' }));
		const event = type === 'paste' ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
			: new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true });
		document.querySelector(where).dispatchEvent(event);
	}, [selector, kind]);
	await give('textarea', 'paste');
	await page.waitForSelector('.attached li:has-text("paste.txt")');
	await give('.messages', 'dragenter');
	await page.waitForSelector('.drop');
	await give('.messages', 'drop');
	await page.waitForSelector('.attached li:has-text("drop.txt")');
	await page.waitForSelector('.drop', { state: 'detached' });
}));

test('deleting for everyone asks first and leaves nothing', () => on({}, async (page) => {
	await openTalk(page, 'anna');
	await page.locator('.line.own', { hasText: 'Page 3' }).focus();
	await page.keyboard.press('Enter');
	await page.getByRole('menuitem', { name: 'Delete for everyone' }).click();
	await page.locator('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.waitForSelector('.gone');
	assert.ok(!(await said(page)).some((text) => text.includes('Page 3')));
	await page.waitForSelector('.quote:has-text("This message was deleted.")');
}));

test('long names, long words and many lines break nothing', async () => {
	for (const size of [PHONE, { width: 320, height: 560 }])
		await on({ size }, async (page) => {
			await page.waitForSelector('.row');
			await page.evaluate(() => {
				const { fake } = globalThis;
				fake.find(2).title = 'Donaudampfschifffahrtsgesellschaft'.repeat(5);
				fake.say(2, 'anna', 'w'.repeat(5000));
				fake.say(2, 'ben', 'one\n'.repeat(400));
				fake.say(2, 'chiara', { kind: 'file', text: '', file: { id: 'x', name: `${'n'.repeat(250)}.bin`, type: '', size: 5e12, token: 'x' } });
				fake.tell({ kind: 'conversation', conversation: 2, conversationKind: 'group', title: fake.find(2).title, members: fake.find(2).members });
			});
			await page.locator('.row', { hasText: 'Donaudampf' }).click();
			await page.waitForSelector('.line');
			await page.getByRole('button', { name: 'Details' }).click();
			await page.waitForSelector('.details');
			const wide = await page.evaluate(() => [...document.querySelectorAll('*')]
				.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => `${one.tagName} ${one.className}`));
			assert.deepEqual(wide, []);
		});
});

test('a session: begun with its time, destroyed for everybody', () => on({}, async (page) => {
	await SCREENS.newsession.go(page);
	await page.getByText('5 minutes').click();
	await page.locator('.person', { hasText: 'anna' }).click();
	await page.getByRole('button', { name: 'Start' }).click();
	await page.waitForSelector('.talk-head .countdown');
	await page.getByRole('button', { name: 'Details' }).click();
	await page.getByRole('button', { name: 'Destroy now' }).click();
	await page.locator('dialog').getByRole('button', { name: 'Destroy' }).click();
	await page.waitForSelector('.mute:has-text("destroyed itself")');
	await page.waitForSelector('.composer', { state: 'detached' });
}));

test('a group: made, added to, removed from', () => on({}, async (page) => {
	await SCREENS.new.go(page);
	await page.getByRole('button', { name: 'Start' }).click();
	await page.waitForSelector('.talk-head:has-text("Book club"):has-text("2 members")');
	await page.getByRole('button', { name: 'Details' }).click();
	await page.getByRole('button', { name: 'Add people' }).click();
	await page.locator('dialog input[type=search]').fill('chi');
	await page.locator('.person', { hasText: 'chiara' }).click();
	await page.locator('.dialog-foot button').click();
	await page.waitForSelector('.talk-head:has-text("3 members")');
	await page.getByRole('button', { name: 'More: chiara' }).click();
	await page.getByRole('menuitem', { name: 'Remove chiara' }).click();
	await page.locator('dialog').getByRole('button', { name: 'Remove' }).click();
	await page.waitForSelector('.talk-head:has-text("2 members")');
}));

test('a room: what the server learns is said before it is made', () => on({}, async (page) => {
	await SCREENS.newroom.go(page);
	await page.waitForSelector('dialog .note:has-text("whose name the server can read")');
	await page.getByRole('button', { name: 'Start' }).click();
	await page.waitForSelector('.talk-head:has-text("Lobby")');
	const command = await page.evaluate(() => globalThis.fake.ran.find((one) => one.kind === 'create_room'));
	assert.deepEqual([command.text, command.users], ['Lobby', []]);
	await page.getByRole('button', { name: 'Details' }).click();
	await page.waitForSelector('.details:has-text("Room")');
	await page.getByRole('button', { name: 'Leave the conversation' }).waitFor();
}));

test('a conversation that one was put out of stays in the list until it is taken off', () => on({}, async (page) => {
	await openTalk(page, 'Alpine weekend');
	await page.evaluate(() => globalThis.fake.tell({ kind: 'member', conversation: 2, username: 'mara', flag: false }));
	await page.waitForSelector('p.mute');
	await page.waitForFunction(() => globalThis.fake.settings.get('left')?.includes('Alpine weekend'));
	await page.getByRole('button', { name: 'Details' }).click();
	await page.getByRole('button', { name: 'Take off the list' }).click();
	await row(page, 'Alpine weekend').waitFor({ state: 'detached' });
	await page.waitForFunction(() => globalThis.fake.settings.get('left') === '');
}));

test('a window in which nobody typed the password follows one in which somebody did', () => on({ begin: 'locked' }, async (page) => {
	await page.waitForSelector('input[type=password]');
	await page.evaluate(() => {
		globalThis.fake.profile = { ...globalThis.fake.profile, locked: false };
		globalThis.fake.connect('online');
	});
	await page.waitForSelector('.row');
}));

test('language and theme change at once and are kept', () => on({}, async (page) => {
	await SCREENS.settings.go(page);
	await page.getByText('Deutsch').click();
	await page.waitForSelector('dialog:has-text("Einstellungen")');
	await page.getByText('Dunkel').click();
	await page.waitForFunction(() => document.documentElement.lang === 'de' && document.documentElement.dataset.theme === 'dark');
	await page.reload();
	await page.waitForSelector('.shell');
	await page.waitForFunction(() => document.documentElement.lang === 'de' && document.documentElement.dataset.theme === 'dark');
}));

test('a device gets a name on this browser, and another one is revoked', () => on({}, async (page) => {
	await SCREENS.devices.go(page);
	await page.getByRole('button', { name: 'Name the device 3f9a 1c77' }).click();
	await page.getByLabel('Name', { exact: true }).fill('Kitchen laptop');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.devices li:has-text("Kitchen laptop"):has-text("This device")');
	await page.locator('.devices').getByRole('button', { name: /^Revoke/ }).click();
	await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click();
	await page.waitForSelector('[role=alertdialog]', { state: 'detached' });
	const command = await page.evaluate(() => globalThis.fake.ran.find((one) => one.kind === 'revoke_device'));
	assert.equal(command.text, 'a07be4125cc93d1f');
}));

const WIDE = ['group', 'details', 'actions', 'settings']; // where there is more than the phone's one pane
for (const [name, { begin, go, permissions }] of Object.entries(SCREENS))
	test(`${name} from right to left: nothing sticks out`, () => Promise.all(
		[PHONE, ...(WIDE.includes(name) ? [DESKTOP] : [])].map((size) => on({ begin, size, permissions, rtl: true }, async (page) => {
			await go(page);
			const out = await page.evaluate(() => [...document.querySelectorAll('#app *')].filter((one) => {
				const { left, right, width } = one.getBoundingClientRect();
				return width > 1 && one.checkVisibility() && (left < -1 || right > innerWidth + 1);
			}).map((one) => `${one.tagName} ${one.getAttribute('class')}`));
			assert.deepEqual(out, []);
			assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), size.width);
		}))));

test('from right to left own messages are at the left', () => on({ size: PHONE, rtl: true }, async (page) => {
	await openTalk(page, 'Alpine weekend');
	const [own, other] = await page.evaluate(() => ['.own', '.other'].map((one) => document.querySelector(`.line${one} .bubble`)?.getBoundingClientRect().left ?? -1));
	assert.ok(own < other, `own ${own}, other ${other}`);
}));

test('on a phone one pane at a time, and the browser’s back goes to the list', () => on({ size: PHONE }, async (page) => {
	await openTalk(page, 'anna');
	assert.ok(!(await row(page, 'anna').isVisible()));
	await page.goBack();
	await row(page, 'anna').waitFor({ state: 'visible' });
	await openTalk(page, 'anna');
	await page.getByRole('button', { name: 'Back' }).click();
	await row(page, 'anna').waitFor({ state: 'visible' });
}));

test('what others write is never markup', () => on({}, async (page) => {
	await openTalk(page, 'anna');
	const nasty = '<img src=x onerror=alert(1)> <b>bold</b> javascript:alert(1) https://a.example/"onmouseover=alert(1)';
	await page.evaluate((text) => globalThis.fake.say(1, 'anna', text), nasty);
	await page.waitForSelector('.line:has-text("onerror")');
	const line = page.locator('.line', { hasText: 'onerror' });
	assert.equal(await line.locator('.body').textContent(), nasty);
	assert.equal(await line.locator('.body img, .body b').count(), 0);
	assert.equal(await line.locator('.body a').getAttribute('rel'), 'noopener noreferrer');
	assert.deepEqual(await line.locator('.body a').evaluateAll((all) => all.map((a) => [...a.attributes].map((one) => one.name).sort().join())), ['href,rel,target']);
}));

await main(); // and Playwright ends its browser with us
