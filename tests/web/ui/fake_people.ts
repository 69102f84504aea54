// fake_people.ts - who is in the fake, what they have said, and when.
import type { Content, ConversationKind, Notice } from '../../../web/src/messenger.js';

export const SELF = 'mara';
export const PEOPLE = ['anna', 'ben', 'chiara', 'dmitri', 'erin', 'farid', 'greta.h', 'hugo', SELF];

export interface Talk {
	id: number;
	kind: ConversationKind;
	title: string;
	members: string[];
	unread: number;
	verified: boolean;
	kept: number;
	endsAt: number;
	readUpTo: Record<string, number>;
	lines: Notice[];
}

export const blank: Notice = {
	kind: 'done', op: 0, error: '', text: '', detail: '', username: '', conversation: 0, message: 0,
	conversationKind: '', title: '', members: [], count: 0, seconds: 0, time: 0, flag: false, content: null,
};

let messageIds = 100;

export function nextMessage(): number {
	messageIds += 1;
	return messageIds;
}

export function says(talk: Talk, username: string, time: number, content: Content | string, more: Partial<Notice> = {}): Notice {
	const whole: Content = typeof content === 'string' ? { kind: 'text', text: content } : content;
	const notice: Notice = {
		...blank, kind: 'message', username, conversation: talk.id, message: nextMessage(), time,
		flag: username === SELF, content: whole, ...more,
	};
	talk.lines.push(notice);
	return notice;
}

export function talk(id: number, kind: ConversationKind, title: string, members: string[], more: Partial<Talk> = {}): Talk {
	return { id, kind, title, members, unread: 0, verified: false, kept: 0, endsAt: 0, readUpTo: {}, lines: [], ...more };
}

const HOUR = 3600;
const DAY = 24 * HOUR;

function alps(now: number): Talk {
	const group = talk(2, 'group', 'Alpine weekend', [SELF, 'anna', 'ben', 'chiara', 'dmitri'], { unread: 2 });
	const at = now - DAY - 3 * HOUR;
	says(group, 'anna', at - DAY, 'I have booked the hut for Friday and Saturday. Six beds, one stove, no reception.');
	says(group, 'ben', at - DAY + 40, 'No reception is the best part.', { detail: 'anna 😂\nmara 😂\nchiara ❤️' });
	group.lines.push({ ...blank, kind: 'member', username: 'dmitri', conversation: 2, flag: true, time: at - 9 * HOUR, message: 0, text: 'dmitri is in the conversation now.' });
	const plan = says(group, 'chiara', at, 'Who drives? The first train is at 6:12, the car could leave at 7.');
	says(group, SELF, at + 90, { kind: 'text', text: 'I can drive. Four seats, but the boot is small.', replyTo: plan.message });
	says(group, SELF, at + 110, 'Boots and poles go on the roof.');
	const picture = { id: 'f1', name: 'ridge-at-dawn.png', type: 'image/png', size: 184_320, token: 'picture' };
	says(group, 'dmitri', now - 2 * HOUR, { kind: 'file', text: 'From last year, same ridge.', file: picture }, { detail: 'anna 😮\nben 😮\nmara ❤️' });
	says(group, 'anna', now - 2 * HOUR + 200, 'Forecast: https://www.example.org/forecast?area=alps (looks dry until Sunday)', { count: 1 });
	group.lines.push({ ...blank, kind: 'deleted', username: 'ben', conversation: 2, message: nextMessage(), time: now - HOUR });
	says(group, 'chiara', now - 900, 'Bring the small stove, not the big one.');
	const last = says(group, 'ben', now - 840, 'And the map. The paper one.');
	group.readUpTo = { anna: last.message, ben: last.message, chiara: last.message - 2, dmitri: plan.message + 1 };
	return group;
}

function anna(now: number): Talk {
	const direct = talk(1, 'direct', 'anna', ['anna', SELF], { verified: true, kept: 7 * DAY });
	const at = now - 26 * HOUR;
	says(direct, 'anna', at, 'Did the parcel arrive?');
	const yes = says(direct, SELF, at + 120, 'Yes! This morning. The tea smells wonderful.');
	says(direct, 'anna', at + 180, '🎉');
	direct.lines.push({ ...blank, kind: 'expiry', username: 'anna', conversation: 1, count: 7 * DAY, time: at + 400, text: '' });
	const contract = { id: 'f2', name: 'Lease agreement (signed).pdf', type: 'application/pdf', size: 2_411_724, token: 'lease' };
	says(direct, SELF, now - 4 * HOUR, { kind: 'file', text: '', file: contract });
	says(direct, SELF, now - 4 * HOUR + 30, 'That is the signed one. Page 3 has the date we talked about.');
	says(direct, 'anna', now - 3 * HOUR, { kind: 'text', text: 'Got it, thank you. I will print it tonight and bring it along tomorrow, together with the keys and the two forms for the town hall.', replyTo: yes.message + 3 });
	const last = says(direct, SELF, now - 3 * HOUR + 60, 'Perfect 👌', { detail: 'anna 👍' });
	direct.readUpTo = { anna: last.message };
	return direct;
}

function secret(now: number): Talk {
	const session = talk(3, 'session', 'ben', [SELF, 'ben'], { endsAt: now + 754 });
	says(session, 'ben', now - 500, 'The door code is 4471. It changes on Monday.');
	says(session, SELF, now - 470, 'Written down. Thanks!');
	return session;
}

function changed(now: number): Talk {
	const direct = talk(4, 'direct', 'dmitri', ['dmitri', SELF]);
	says(direct, 'dmitri', now - 3 * DAY, 'New phone, finally.');
	says(direct, SELF, now - 3 * DAY + 60, 'Enjoy!');
	direct.lines.push({ ...blank, kind: 'key_changed', error: 'KEY_CHANGED', username: 'dmitri', conversation: 4, time: now - 2 * DAY });
	direct.lines.push({ ...blank, kind: 'missing', username: 'dmitri', count: 2, conversation: 4, time: now - 2 * DAY + 5 });
	direct.lines.push({ ...blank, kind: 'refused', error: 'BAD_SEAL', username: 'dmitri', conversation: 4, message: nextMessage(), time: now - 2 * DAY + 9 });
	return direct;
}

const SENTENCES = [
	'Good morning.', 'Did you see the draft?', 'I would move the second paragraph up, it carries the argument.',
	'Yes.', 'Let us talk at four.', 'The numbers are in, and they are better than we thought they could be in spring.',
	'Can you send me the table?', 'Done.', 'Thanks!', 'One more thing: the title should not promise what the text does not keep. Perhaps we find something quieter.',
	'I am on the train.', 'No hurry.', 'Line one\nLine two\nLine three',
];

// Ten thousand messages, to see that long lists stay smooth.
function long(now: number, count: number): Talk {
	const direct = talk(5, 'direct', 'erin', ['erin', SELF]);
	for (let i = 0; i < count; i++) {
		const who = i % 5 < 2 ? SELF : 'erin';
		says(direct, who, now - 5 * DAY - (count - i) * 600, `${i + 1}. ${SENTENCES[(i * 7) % SENTENCES.length]}`);
	}
	direct.readUpTo = { erin: messageIds };
	return direct;
}

function room(now: number): Talk {
	const general = talk(6, 'room', 'general', [SELF, ...PEOPLE.filter((name) => name !== SELF)], { unread: 14 });
	for (let i = 0; i < 40; i++)
		says(general, PEOPLE[i % 7]!, now - 8 * HOUR + i * 130, SENTENCES[(i * 5) % SENTENCES.length]!);
	return general;
}

export function everything(now: number, many: number): Talk[] {
	return [long(now, many), changed(now), room(now), alps(now), anna(now), secret(now)];
}
