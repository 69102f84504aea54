// What the page knows: worlds, timelines, rows, texts, times. Pure functions, in Node.
import { de } from '../../../web/src/i18n/de.ts';
import { en } from '../../../web/src/i18n/en.ts';
import { chooseLanguage, language, t, errorText } from '../../../web/src/i18n/index.ts';
import { enter, keepAlerts, keepLeft } from '../../../web/src/ui/profile.ts';
import { rowsOf } from '../../../web/src/ui/rows.ts';
import * as state from '../../../web/src/ui/state.ts';
import * as store from '../../../web/src/ui/store.ts';
import { strength } from '../../../web/src/ui/strength.ts';
import { loadOlder, send } from '../../../web/src/ui/talks.ts';
import { previewOf } from '../../../web/src/ui/transfers.ts';
import { digitsOf, hueOf, initials, isJumbo, isPicture, oneLine, pieces, safeName } from '../../../web/src/ui/text.ts';
import * as lines from '../../../web/src/ui/timeline.ts';
import * as times from '../../../web/src/ui/times.ts';
import * as world from '../../../web/src/ui/world.ts';
import { indexAt, spanOf, topsOf } from '../../../web/src/ui/window.ts';
import { assert, main, test } from '../core/tap.mjs';

const blank = {
	kind: 'done', op: 0, error: '', text: '', detail: '', username: '', conversation: 0, message: 0,
	conversationKind: '', title: '', members: [], count: 0, seconds: 0, time: 0, flag: false, content: null,
};
const notice = (kind, more) => ({ ...blank, kind, conversation: 1, ...more });
const message = (id, username, text, more) => notice('message', {
	message: id, username, time: 1000 + id, content: { kind: 'text', text }, flag: username === 'mara', ...more,
});
const entry = (one) => ({ position: one.message * 8, notice: one });
const told = (from, ...notices) => notices.reduce((w, n) => state.reduce(w, n, 5000), from);

const listed = notice('conversation', {
	conversationKind: 'direct', title: 'anna', members: ['anna', 'mara'], detail: '0\n0', count: 0,
});
const begun = () => told({ ...world.emptyWorld, self: 'mara' }, listed);
const opened = (...history) => state.loadPage(begun(), 1, history.map(entry), 10);
const texts = (w) => w.timelines.get(1).lines.map((line) => lines.textOf(line.notice));

test('a message of somebody else counts as unread once, however often it is told', () => {
	const w = told(begun(), message(5, 'anna', 'hi'), message(5, 'anna', 'hi'));
	assert.equal(w.conversations.get(1).unread, 1);
	assert.equal(w.conversations.get(1).last.message, 5);
	assert.equal(world.totalUnread(w), 1);
});

test('an own message is not unread', () => {
	assert.equal(told(begun(), message(5, 'mara', 'hi')).conversations.get(1).unread, 0);
});

test('a notice of an unknown conversation changes nothing', () => {
	const w = begun();
	for (const kind of ['message', 'member', 'read', 'expired', 'closed', 'edited', 'deleted', 'reaction', 'expiry'])
		assert.deepEqual(told(w, notice(kind, { conversation: 9, message: 1 })).conversations, w.conversations, kind);
});

test('what was told live and what the history has are one', () => {
	let w = told(opened(message(1, 'anna', 'one')), message(3, 'anna', 'three'));
	w = state.loadPage(w, 1, [message(2, 'anna', 'two'), message(3, 'anna', 'three')].map(entry), 10);
	assert.deepEqual(texts(w), ['one', 'two', 'three']);
});

test('older pages go before, and the beginning is known by a short page', () => {
	let w = state.loadPage(begun(), 1, [message(11, 'anna', 'b'), message(12, 'anna', 'c')].map(entry), 2);
	assert.equal(w.timelines.get(1).whole, false);
	assert.equal(w.timelines.get(1).oldest, 88);
	w = state.loadPage(w, 1, [entry(message(10, 'anna', 'a'))], 2);
	assert.equal(w.timelines.get(1).whole, true);
	assert.deepEqual(texts(w), ['a', 'b', 'c']);
});

test('an edit takes the place of the message, in the list too', () => {
	const w = told(opened(message(4, 'anna', 'tpyo')), message(4, 'anna', 'typo', { kind: 'edited', count: 7 }));
	assert.deepEqual(texts(w), ['typo']);
	assert.equal(w.timelines.get(1).lines[0].notice.count, 7);
	const previewed = told(state.preview(begun(), 1, [entry(message(4, 'anna', 'tpyo'))]), message(4, 'anna', 'typo', { kind: 'edited' }));
	assert.equal(lines.textOf(previewed.conversations.get(1).last), 'typo');
});

test('a deleted message stays deleted, whatever is told later', () => {
	const gone = notice('deleted', { message: 4, username: 'anna', time: 1004 });
	const w = told(opened(message(4, 'anna', 'secret')), gone, message(4, 'anna', 'secret'));
	assert.equal(w.timelines.get(1).lines[0].notice.kind, 'deleted');
	assert.ok(!JSON.stringify([...w.timelines.get(1).lines]).includes('secret'));
});

test('reactions are counted by what was said', () => {
	const w = told(opened(message(4, 'anna', 'hi')),
		notice('reaction', { message: 4, username: 'ben', text: '👍', detail: 'anna 😂\nben 👍\nmara 👍' }));
	assert.deepEqual(lines.reactionsOf(w.timelines.get(1).lines[0].notice),
		[{ emoji: '👍', names: ['ben', 'mara'] }, { emoji: '😂', names: ['anna'] }]);
	assert.deepEqual(lines.reactionsOf(message(1, 'anna', 'x', { detail: 'broken\n x\nanna ' })), []);
});

test('messages that expire are gone', () => {
	const w = told(opened(message(4, 'anna', 'a'), message(5, 'anna', 'b'), message(6, 'anna', 'c')),
		notice('expired', { message: 4, count: 5 }));
	assert.deepEqual(texts(w), ['c']);
});

test('a session that has destroyed itself keeps nothing', () => {
	const w = told(opened(message(4, 'anna', 'a')), notice('closed', {}));
	assert.deepEqual(texts(w), []);
	assert.equal(w.conversations.get(1).closed, true);
	assert.equal(w.conversations.get(1).last, null);
});

test('what has no name is called by the others in it', () => {
	const named = (title, members) => store.called(told(begun(),
		notice('conversation', { conversation: 9, conversationKind: 'session', title, members })).conversations.get(9)).title;
	assert.equal(named('', ['mara', 'anna', 'ben']), 'Session · anna, ben');
	assert.equal(named('', ['mara']), 'Session · mara');
	assert.equal(named('Alps', ['mara', 'anna']), 'Alps');
});

test('typing ends with the message, by word, and by time', () => {
	const typing = notice('typing', { username: 'anna', flag: true });
	assert.deepEqual(world.typists(told(begun(), typing), 1), ['anna']);
	assert.deepEqual(world.typists(told(begun(), typing, message(2, 'anna', 'x')), 1), []);
	assert.deepEqual(world.typists(told(begun(), typing, { ...typing, flag: false }), 1), []);
	assert.deepEqual(world.typists(state.expireTyping(told(begun(), typing), 5000 + state.TYPING_LASTS), 1), []);
	assert.deepEqual(world.typists(told(begun(), { ...typing, username: 'mara' }), 1), []);
	const w = told(begun(), typing);
	assert.equal(state.expireTyping(w, 5001), w, 'nothing changes before its time');
});

test('read marks only go forward', () => {
	const w = told(begun(), notice('read', { username: 'anna', message: 7 }), notice('read', { username: 'anna', message: 5 }));
	assert.deepEqual(world.readers(w.conversations.get(1), 'mara', 7), ['anna']);
	assert.deepEqual(world.readers(w.conversations.get(1), 'mara', 8), []);
	const after = told(w, { ...listed, detail: '3\n0' });
	assert.equal(after.conversations.get(1).readUpTo.get('anna'), 7);
});

test('what was read on another device is read here', () => {
	const w = told(begun(), message(5, 'anna', 'hi'), notice('read', { username: 'mara', message: 5 }));
	assert.equal(w.conversations.get(1).unread, 0);
	const later = told(begun(), message(5, 'anna', 'hi'), message(6, 'anna', 'ho'), notice('read', { username: 'mara', message: 5 }));
	assert.equal(later.conversations.get(1).unread, 2);
});

test('members come and go, and oneself may be put out', () => {
	let w = told(begun(), notice('member', { username: 'ben', flag: true }));
	assert.deepEqual(w.conversations.get(1).members, ['anna', 'mara', 'ben']);
	w = told(w, notice('member', { username: 'mara', flag: false }));
	assert.equal(w.conversations.get(1).left, true);
	assert.ok(!w.conversations.get(1).members.includes('mara'));
});

test('a changed key is loud until it is read, and known until it is accepted', () => {
	const key = notice('key_changed', { conversation: 0, username: 'anna', error: 'KEY_CHANGED', time: 9 });
	let w = told(begun(), key, key);
	assert.equal(w.alerts.length, 1);
	assert.equal(w.alerts[0].conversation, 1, 'in the chat with them');
	assert.equal(w.conversations.get(1).last.kind, 'key_changed');
	w = state.acknowledge(w, w.alerts[0].id);
	assert.deepEqual([w.alerts.length, w.alerts[0].seen], [1, true]);
	assert.deepEqual(world.changedKeys(w, 1), ['anna']);
	assert.deepEqual(world.changedKeys(state.keyAccepted(w, 'anna'), 1), []);
	const warned = told(begun(), notice('warning', { error: 'REFUSED', text: 'x' }));
	assert.equal(state.acknowledge(warned, warned.alerts[0].id).alerts.length, 0);
	const removed = told(begun(), notice('warning', { error: 'GONE', text: 'not shown' }));
	assert.deepEqual([removed.alerts.length, removed.conversations.get(1).left], [0, true], 'nor does a removal');
	const alone = notice('warning', { error: 'NO_DEVICE', text: 'revoked' });
	const again = told(begun(), alone, { ...alone, time: 7 });
	assert.equal(again.alerts.length, 0, 'a device that is none of the account’s');
	assert.equal(again.conversations.get(1).last.time, 0, 'said once');
	const newDevice = told(begun(), notice('warning', { error: 'WRONG_RECIPIENT', text: '1 earlier message' }));
	assert.equal(newDevice.alerts.length, 0, 'what lies before a new device alarms nobody');
});

test('what is being sent stands below until it has its place', () => {
	const content = { kind: 'text', text: 'on its way' };
	let w = state.beginSending(opened(message(1, 'anna', 'a')), { ticket: 't', conversation: 1, content, time: 1100 });
	assert.equal(w.outgoing[0].state, 'sending');
	w = state.sent(w, 't', { ...blank, conversation: 1, message: 9, time: 1200 });
	assert.deepEqual([w.outgoing.length, ...texts(w)], [0, 'a', 'on its way']);
	assert.equal(w.timelines.get(1).lines[1].notice.flag, true);
	assert.equal(w.timelines.get(1).lines[1].notice.username, 'mara');
});

test('a reaction that was sent is no message', () => {
	const content = { kind: 'reaction', message: 1, text: '👍' };
	let w = state.beginSending(opened(message(1, 'anna', 'a')), { ticket: 't', conversation: 1, content, time: 1 });
	w = state.sent(w, 't', { ...blank, conversation: 1, message: 9, time: 2 });
	assert.deepEqual(texts(w), ['a']);
});

test('waiting messages are those of the core; what is being sent stays', () => {
	const waiting = (text) => notice('outgoing', { text, content: { kind: 'text', text: 'w' } });
	let w = told(begun(), waiting('1'), waiting('1'), waiting('2'));
	assert.equal(w.outgoing.length, 2);
	w = state.beginSending(w, { ticket: 'p', conversation: 1, content: { kind: 'text', text: 'x' }, time: 1 });
	w = state.replaceWaiting(w, [waiting('2')]);
	assert.deepEqual(w.outgoing.map((o) => o.ticket), ['p', '2']);
	assert.deepEqual(state.unsend(w, '2').outgoing.map((o) => o.ticket), ['p']);
});

test('the list is by time, newest first', () => {
	let w = told(begun(), { ...listed, conversation: 2, title: 'ben' });
	w = told(w, message(5, 'anna', 'later'));
	assert.deepEqual(world.listed(w).map((c) => c.id), [1, 2]);
	w = told(w, { ...message(6, 'ben', 'latest'), conversation: 2, time: 9999 });
	assert.deepEqual(world.listed(w).map((c) => c.id), [2, 1]);
});

test('what has not changed keeps its identity', () => {
	const w = opened(message(1, 'anna', 'a'));
	const next = told(w, notice('presence', { username: 'anna', flag: true, text: 'away' }));
	assert.equal(next.timelines, w.timelines);
	assert.equal(next.conversations, w.conversations);
	assert.equal(next.presence.get('anna'), 'away');
	assert.equal(told(w, notice('device', {})), w);
});

// --- rows ---------------------------------------------------------------------------------------

const under = { outgoing: [], transfers: [], unreadFrom: 0 };
const DAY = 86400;

test('rows: days, runs, unread, what is on its way', () => {
	const noon = Math.floor(new Date(2026, 5, 1, 12).getTime() / 1000);
	const at = (id, who, time) => ({ key: `m${id}`, position: id * 8, notice: message(id, who, 'x', { time }) });
	const timeline = {
		lines: [at(1, 'anna', noon), at(2, 'anna', noon + 60), at(3, 'ben', noon + 90), at(4, 'ben', noon + DAY)],
		oldest: 8, whole: true,
	};
	const rows = rowsOf(timeline, { ...under, unreadFrom: 4, outgoing: [{ ticket: 'o', state: 'waiting', conversation: 1, content: { kind: 'text', text: '' }, time: 1 }] });
	assert.deepEqual(rows.map((row) => row.kind),
		['beginning', 'day', 'message', 'message', 'message', 'day', 'unread', 'message', 'outgoing']);
	const runs = rows.filter((row) => row.kind === 'message').map((row) => [row.first, row.last]);
	assert.deepEqual(runs, [[true, false], [false, true], [true, true], [true, true]]);
	assert.equal(new Set(rows.map((row) => row.key)).size, rows.length, 'keys are different');
});

test('rows: ten thousand lines in a moment, and no row twice', () => {
	const many = Array.from({ length: 10_000 }, (_, i) => ({ key: `m${i}`, position: i * 8, notice: message(i + 1, i % 3 ? 'anna' : 'mara', 'x') }));
	const rows = rowsOf({ lines: many, oldest: 0, whole: false }, under);
	assert.equal(rows.filter((row) => row.kind === 'message').length, 10_000);
	assert.equal(rows[0].kind, 'loading');
});

// --- window -------------------------------------------------------------------------------------

test('window: only what is in sight, and its place', () => {
	const keys = Array.from({ length: 100 }, (_, i) => String(i));
	const tops = topsOf(keys, new Map([['0', 500]]), 50);
	assert.equal(tops.at(-1), 500 + 99 * 50);
	assert.equal(indexAt(tops, 0), 0);
	assert.equal(indexAt(tops, 499), 0);
	assert.equal(indexAt(tops, 500), 1);
	assert.equal(indexAt(tops, 1e9), 99);
	const span = spanOf(tops, 1000, 200, 100);
	assert.ok(tops[span.from] <= 900 && tops[span.until] >= 1300, JSON.stringify(span));
	assert.equal(span.before + span.after + (tops[span.until] - tops[span.from]), tops.at(-1));
	assert.deepEqual(spanOf(topsOf([], new Map(), 50), 0, 100, 10), { from: 0, until: 0, before: 0, after: 0 });
});

// --- texts --------------------------------------------------------------------------------------

const links = (text) => pieces(text).filter((piece) => piece.kind === 'link').map((piece) => piece.href);

test('links: http and https alone, and nothing of the sentence', () => {
	assert.deepEqual(links('see https://example.org/a_(b), or (http://x.org/y).'), ['https://example.org/a_(b)', 'http://x.org/y']);
	for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'ftp://x.org', 'https://', 'https://user:pw@x.org/', 'file:///etc', 'xhttps//x'])
		assert.deepEqual(links(bad), [], bad);
	assert.equal(pieces('a https://x.org b').map((piece) => piece.text).join(''), 'a https://x.org b');
});

test('links: a look-alike host gives itself away', () => {
	const [piece] = pieces('https://аpple.com/');
	assert.ok(piece.text.includes('xn--'), piece.text);
});

test('names of files hide nothing', () => {
	assert.equal(safeName('inv\u202egpj.exe'), 'invgpj.exe');
	assert.equal(safeName('../../etc/passwd'), '....etcpasswd');
	assert.equal(safeName('\u0000\u200b'), 'file');
});

test('only pictures that cannot carry script are shown', () => {
	assert.ok(isPicture('image/PNG'));
	for (const type of ['image/svg+xml', 'text/html', '', 'image/tiff'])
		assert.ok(!isPicture(type), type);
});

test('small texts', () => {
	assert.ok(isJumbo('🎉') && isJumbo('👨‍👩‍👧 ❤️') && !isJumbo('a') && !isJumbo('🎉🎉🎉🎉') && !isJumbo('1') && !isJumbo(''));
	assert.equal(initials('Alpine weekend'), 'AW');
	assert.equal(initials('greta.h'), 'GH');
	assert.equal(oneLine('a\n b\t c'), 'a b c');
	assert.equal(oneLine('x'.repeat(10), 4), 'xxxx…');
	assert.equal(digitsOf('12345 67 a8'), '12345678');
	assert.equal(hueOf('Anna'), hueOf('anna'));
});

test('strength: longer and less common is stronger', () => {
	assert.equal(strength('password1', []), 0);
	assert.ok(strength('aaaaaaaaaaaaaaaa', []) <= 1);
	assert.ok(strength('abcdefghijklmnop', []) <= 1);
	assert.ok(strength('mara.example.org', ['mara', 'mara', 'example', 'org']) < 2);
	assert.ok(strength('Xk3$v', []) < 2, 'too short');
	assert.ok(strength('tR8$kq!m2z', []) >= 2);
	assert.equal(strength('correct horse battery staple', []), 4);
});

// --- times and languages ------------------------------------------------------------------------

test('times are words that people use', () => {
	language.value = 'en';
	assert.equal(times.left(754), '12:34');
	assert.equal(times.left(3 * 3600 + 65), '3:01:05');
	assert.equal(times.left(-5), '0:00');
	assert.equal(times.left(3 * DAY + 5), '3 days');
	assert.equal(times.span(7 * DAY), '1 week');
	assert.equal(times.span(28 * DAY), '4 weeks');
	assert.equal(times.span(8 * 3600), '8 hours');
	assert.equal(times.bytes(2_411_724), '2.4 MB');
	const today = Math.floor(new Date(2026, 5, 10, 9).getTime() / 1000);
	assert.equal(times.day(today - DAY, today), 'Yesterday');
	assert.equal(times.day(today, today), 'Today');
	assert.equal(times.dayOf(today) - times.dayOf(today - 10 * DAY), 10);
	assert.equal(times.short(0, today), '');
});

test('both languages have every text with the same slots', () => {
	const forms = (text) => (typeof text === 'string' ? [text] : [text.one, text.other]);
	const slots = (text) => [...new Set(forms(text).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
	assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort());
	for (const key of Object.keys(en)) {
		assert.deepEqual(slots(de[key]), slots(en[key]), key);
		assert.ok(forms(de[key]).every((form) => form.trim() !== ''), key);
	}
});

test('the language is that of the person, and numbers follow it', () => {
	assert.equal(chooseLanguage(['fr-FR', 'de-AT', 'en']), 'de');
	assert.equal(chooseLanguage(['fr']), 'en');
	language.value = 'de';
	assert.equal(t('list.unread', { n: 1 }), '1 ungelesene Nachricht');
	assert.equal(t('list.unread', { n: 1200 }), '1.200 ungelesene Nachrichten');
	language.value = 'en';
	assert.equal(t('list.unread', { n: 0 }), '0 unread messages');
	assert.equal(errorText('NETWORK'), 'The server cannot be reached.');
	assert.equal(errorText('NEW_ONE', 'The words of the core.'), 'The words of the core.');
	assert.equal(t('talk.typing.one', { name: '{other}' }), '{other} is typing…');
});

test('of many pictures those that were seen last are in memory', async () => {
	const [made, gone] = [[], []];
	const { createObjectURL, revokeObjectURL } = URL;
	URL.createObjectURL = () => made[made.push(`blob:${made.length}`) - 1];
	URL.revokeObjectURL = (url) => void gone.push(url);
	store.hold({ saveFile: async () => undefined });
	const picture = (i) => ({ id: `${i}`, name: 'p.png', type: 'image/png', size: 9, token: `t${i}` });
	const first = await previewOf(picture(0));
	for (let i = 1; i < 200; i++) {
		await previewOf(picture(i));
		assert.equal(await previewOf(picture(0)), first);
	}
	await new Promise(setImmediate);
	assert.equal(made.length, 200);
	assert.equal(gone.length, 200 - 64);
	assert.ok(!gone.includes(first));
	store.emptyTheWorld();
	await new Promise(setImmediate);
	assert.deepEqual([...gone].sort(), [...made].sort());
	Object.assign(URL, { createObjectURL, revokeObjectURL });
});

test('a message that is refused for a changed key alarms, though no page heard of the change', async () => {
	const refusal = { code: 'KEY_CHANGED', text: 'The key has changed.' };
	store.hold({
		setting: async () => '',
		setSetting: async () => undefined,
		conversations: async () => [listed],
		history: async () => [],
		run: async ({ kind }) => (kind === 'send' ? Promise.reject(refusal) : blank),
	});
	await enter();
	for (let i = 0; i < 2; i++)
		await send(1, { kind: 'text', text: 'not for the middle' });
	assert.deepEqual(store.world.value.alerts.map(({ kind, username, seen }) => [kind, username, seen]),
		[['key_changed', 'anna', false]]);
	assert.deepEqual(world.changedKeys(store.world.value, 1), ['anna']);
	store.emptyTheWorld();
});

test('a conversation that one was put out of is there after a reload, and goes when one is in again', async () => {
	const settings = new Map();
	let known = [listed];
	store.hold({
		setting: async (name) => settings.get(name) ?? '',
		setSetting: async (name, value) => void settings.set(name, value),
		conversations: async () => known,
		history: async () => [entry(message(7, 'anna', 'bye'))],
		run: async () => blank,
	});
	store.enterProfile({ account: 'mara', locked: false, loggedIn: true });
	await enter();
	store.hear(notice('member', { username: 'mara', flag: false }));
	keepLeft();
	known = []; // the core lists it no more
	store.emptyTheWorld();
	await enter();
	const back = store.world.value.conversations.get(1);
	assert.deepEqual([back.title, back.kind, back.left, back.members], ['anna', 'direct', true, []]);
	store.hear(listed);
	keepLeft();
	assert.equal(store.world.value.conversations.get(1).left, false);
	assert.equal(settings.get('left'), '');
	settings.set('left', '{"not":"ours"');
	store.emptyTheWorld();
	await enter();
	assert.equal(store.world.value.conversations.size, 0);
	store.emptyTheWorld();
});

test('what is told while a history is read is not lost, and not undone by it', async () => {
	let answer;
	store.hold({
		setting: async () => '',
		setSetting: async () => undefined,
		conversations: async () => [listed],
		history: async (id, before) => (before === null ? new Promise((resolve) => {
			answer = resolve;
		}) : []),
		run: async () => blank,
	});
	store.enterProfile({ account: 'mara', locked: false, loggedIn: true });
	const entered = enter();
	await new Promise(setImmediate);
	answer([]); // for the list
	await entered;
	const opened = loadOlder(1);
	store.hear(message(3, 'anna', 'three'));
	store.hear(notice('edited', { message: 1, username: 'anna', count: 4, content: { kind: 'text', text: 'new one' } }));
	store.hear(notice('deleted', { message: 2, username: 'anna' }));
	answer([message(1, 'anna', 'one'), message(2, 'anna', 'two')].map(entry)); // as it was before
	await opened;
	const shown = store.world.value.timelines.get(1).lines.map(({ notice }) => [notice.kind, notice.content?.text]);
	assert.deepEqual(shown, [['message', 'new one'], ['deleted', undefined], ['message', 'three']]);
	assert.equal(store.world.value.conversations.get(1).unread, 1, 'and counted once');
	store.emptyTheWorld();
});

test('a changed key that is told while the page opens is shown, and kept beside what was', async () => {
	const settings = new Map();
	const changed = (username) => notice('key_changed', { conversation: 0, username, time: 1 });
	const tell = (username) => {
		store.hear(changed(username));
		keepAlerts();
	};
	store.hold({
		setting: async (name) => {
			tell(name === 'alerts' ? 'cora' : 'bert');
			return settings.get(name) ?? '';
		},
		setSetting: async (name, value) => void settings.set(name, value),
		conversations: async () => [],
		run: async () => blank,
	});
	settings.set('alerts', JSON.stringify(state.reduce(world.emptyWorld, changed('anna'), 1).alerts));
	await enter();
	const names = ['anna', 'bert', 'cora'];
	assert.deepEqual(store.world.value.alerts.map((alert) => alert.username), names);
	assert.deepEqual(JSON.parse(settings.get('alerts')).map((alert) => alert.username), names);
});

await main();
