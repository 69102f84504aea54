// fake_messenger.ts - a Messenger in memory, for the tests of the page: people who answer, a password
// that is 'right', a server that can be cut off. It seals nothing, and lives in tests alone.
import type { Command, Content, Entry, FileRef, Link, Messenger, Notice, Problem, ProfileState, Progress } from '../../../web/src/messenger.js';
import { blank, everything, nextMessage, PEOPLE, says, SELF, talk, type Talk } from './fake_people.js';

export const PASSWORD = 'right horse battery';
export const CODE = '123456';
export const NUMBER = '12345 67890 11121 31415 16171 81920 21222 32425 26272 82930 31323 33435';
export const WORDS = 'academy oxygen hinge usual hermit dinner pumpkin absurd tiger cabbage vivid nurse ruby hinge abacus violet humble office vortex stable jaguar giraffe yogurt lagoon';
const CODES = ['7k3p-mm2q', 'x9td-4vhb', 'p2wz-8rns', 'c6fe-y1ka', 'h4gu-5jdt', 'b8qn-0sxe', 'v3ml-9zcr', 't7ya-2wpf'];

export interface Options {
	begin: 'new' | 'locked' | 'ended' | 'in';
	many?: number; // messages of the long conversation
	picture?: Uint8Array; // what the picture file holds
	now?: number;
}

function problem(code: string): Problem {
	return { code, text: `The fake says ${code}.` };
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class FakeMessenger implements Messenger {
	talks: Talk[];
	ran: Command[] = [];
	offline = false;
	outgoing: Notice[] = [];
	keyAccepted = false;
	pace = 40; // milliseconds between two steps of a file
	private profile: ProfileState;
	private settings = new Map<string, string>();
	private hears: ((notice: Notice) => void)[] = [];
	private links: ((link: Link) => void)[] = [];
	private locks: (() => void)[] = [];
	private verified = new Set(['anna']);
	private picture: Uint8Array;

	constructor(options: Options) {
		const now = options.now ?? Math.floor(Date.now() / 1000);
		this.profile = {
			account: options.begin === 'new' ? '' : SELF,
			locked: options.begin === 'locked',
			loggedIn: options.begin === 'in' || options.begin === 'locked',
		};
		this.talks = everything(now, options.many ?? 10_000);
		this.picture = options.picture ?? new Uint8Array(0);
	}

	// --- what a test makes happen ------------------------------------------------------------

	tell(notice: Partial<Notice> & Pick<Notice, 'kind'>): void {
		for (const hear of this.hears)
			hear({ ...blank, ...notice });
	}

	// As when nobody was there for a while.
	lockNow(): void {
		this.profile = { ...this.profile, locked: true };
		for (const hear of this.locks)
			hear();
	}

	// Somebody else says something.
	say(conversation: number, username: string, content: Content | string): Notice {
		const notice = says(this.find(conversation), username, this.now(), content);
		this.find(conversation).unread += 1;
		this.tell(notice);
		return notice;
	}

	connect(state: Link['state'], seconds = 0): void {
		this.offline = state === 'offline';
		for (const hear of this.links)
			hear({ state, text: '', seconds });
		if (!this.offline)
			void this.flush();
	}

	private async flush(): Promise<void> {
		for (const waiting of this.outgoing.splice(0)) {
			await later(20);
			const notice = says(this.find(waiting.conversation), SELF, this.now(), waiting.content!);
			this.tell(notice);
		}
	}

	private now(): number {
		return Math.floor(Date.now() / 1000);
	}

	find(id: number): Talk {
		const found = this.talks.find((one) => one.id === id);
		if (found === undefined)
			throw problem('NOT_FOUND');
		return found;
	}

	// --- Messenger ---------------------------------------------------------------------------

	async state(): Promise<ProfileState> {
		return { ...this.profile };
	}

	async unlock(password: string): Promise<ProfileState> {
		await later(60);
		if (password !== PASSWORD)
			throw problem('BAD_PASSWORD');
		this.profile = { ...this.profile, locked: false };
		return this.state();
	}

	async lock(): Promise<void> {
		this.profile = { ...this.profile, locked: true };
	}

	async forget(): Promise<void> {
		this.profile = { account: '', locked: false, loggedIn: false };
		this.settings.clear();
	}

	async run(command: Command, told: (notice: Notice) => void = () => undefined): Promise<Notice> {
		this.ran.push(command);
		await later(10);
		const tell = (notice: Partial<Notice> & Pick<Notice, 'kind'>) => told({ ...blank, ...notice });
		return { ...blank, ...(await this.carryOut(command, tell)) };
	}

	private describe(one: Talk): Partial<Notice> & Pick<Notice, 'kind'> {
		return {
			kind: 'conversation', conversation: one.id, conversationKind: one.kind, title: one.title, members: one.members,
			count: one.unread, seconds: one.kept, time: one.endsAt, flag: one.kind === 'direct' && this.verified.has(one.title),
			detail: one.members.map((name) => String(one.readUpTo[name] ?? 0)).join('\n'),
		};
	}

	private make(kind: Talk['kind'], title: string, users: string[], more: Partial<Talk> = {}): Partial<Notice> {
		const made = talk(this.talks.length + 1, kind, title, [SELF, ...users], more);
		this.talks.push(made);
		return { conversation: made.id };
	}

	private async carryOut(c: Command, tell: (n: Partial<Notice> & Pick<Notice, 'kind'>) => void): Promise<Partial<Notice>> {
		switch (c.kind) {
		case 'register':
			if (PEOPLE.includes(c.username) && c.username !== SELF)
				throw problem('EXISTS');
			tell({ kind: 'totp_setup', text: `otpauth://totp/tacit:${c.username}?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=tacit`, detail: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' });
			return {};
		case 'verify_totp':
			if (c.code !== CODE)
				throw problem('BAD_PASSWORD');
			tell({ kind: 'recovery_codes', text: `${CODES.join('\n')}\n` });
			this.profile = { account: SELF, locked: false, loggedIn: true };
			return {};
		case 'login':
			if (c.password !== PASSWORD)
				throw problem('BAD_PASSWORD');
			this.profile = { account: SELF, locked: false, loggedIn: true };
			return {};
		case 'logout':
			this.profile = { ...this.profile, loggedIn: false };
			return {};
		case 'users':
			for (const username of PEOPLE.filter((name) => name.startsWith(c.text.toLowerCase())))
				tell({ kind: 'user', username, flag: this.verified.has(username) });
			return {};
		case 'conversations':
			for (const one of this.talks)
				tell(this.describe(one));
			return {};
		case 'send':
			return this.send(this.find(c.conversation ?? 0), c.content, tell);
		case 'resolve': {
			const known = this.talks.find((one) => one.kind === 'direct' && one.title === c.username);
			return known === undefined ? this.make('direct', c.username, [c.username]) : { conversation: known.id };
		}
		case 'create_group':
		case 'create_room':
			return this.make(c.kind === 'create_room' ? 'room' : 'group', c.text, c.users);
		case 'create_session':
			return this.make('session', c.users.join(', '), c.users, { endsAt: this.now() + c.seconds });
		case 'add':
			this.find(c.conversation).members.push(...c.users);
			return {};
		case 'remove': {
			const one = this.find(c.conversation);
			one.members = one.members.filter((name) => name !== c.username);
			return {};
		}
		case 'mark_read':
			this.find(c.conversation).unread = 0;
			return {};
		case 'safety_number':
			tell({ kind: 'safety', username: c.username, text: NUMBER, detail: WORDS, flag: this.verified.has(c.username),
				error: c.username === 'dmitri' && !this.keyAccepted ? 'KEY_CHANGED' : '' });
			return {};
		case 'set_verified':
			this.verified.add(c.username);
			return {};
		case 'compare': // as the core does it, for what the tests type
			if (c.text.replace(/\D/gu, '').length !== 60 && c.text.trim().split(' ').length !== 24)
				throw problem('MALFORMED');
			if (c.text.replace(/\D/gu, '') !== NUMBER.replace(/\D/gu, '') && c.text.trim() !== WORDS)
				throw problem('BAD_SIGNATURE');
			this.verified.add(c.username);
			this.keyAccepted ||= c.username === 'dmitri';
			return {};
		case 'accept_key':
			this.keyAccepted = true;
			return {};
		case 'devices':
			tell({ kind: 'device', text: '3f9a1c77d2e84b06', flag: true, time: this.now() - 86400 * 3 });
			tell({ kind: 'device', text: 'a07be4125cc93d1f', time: this.now() - 86400 * 190 });
			return {};
		case 'set_expiry':
			this.find(c.conversation).kept = c.seconds;
			tell({ kind: 'expiry', conversation: c.conversation, count: c.seconds, username: SELF, time: this.now() });
			return {};
		case 'close_session':
			this.talks = this.talks.filter((one) => one.id !== c.conversation);
			tell({ kind: 'closed', conversation: c.conversation });
			return {};
		case 'drop':
			this.outgoing = this.outgoing.filter((one) => one.text !== c.text);
			return {};
		default:
			return {};
		}
	}

	private async send(to: Talk, content: Content, tell: (n: Partial<Notice> & Pick<Notice, 'kind'>) => void): Promise<Partial<Notice>> {
		if (this.offline) {
			this.outgoing.push({ ...blank, kind: 'outgoing', conversation: to.id, content, text: `waiting ${this.ran.length}`, time: this.now() });
			throw problem('NETWORK');
		}
		await later(30);
		if (content.kind === 'text' || content.kind === 'file') {
			const own = says(to, SELF, this.now(), content);
			return { conversation: to.id, message: own.message, time: own.time };
		}
		const about = to.lines.find((line) => line.message === content.message);
		if (about === undefined)
			throw problem('NOT_FOUND');
		this.alter(about, content);
		const kind = content.kind === 'edit' ? 'edited' : content.kind === 'delete' ? 'deleted' : 'reaction';
		tell({ ...about, kind, ...(kind === 'reaction' ? { text: content.kind === 'reaction' ? content.text : '', username: SELF } : {}) });
		return { conversation: to.id, message: nextMessage(), time: this.now() };
	}

	private alter(line: Notice, content: Content): void {
		if (content.kind === 'edit') {
			line.content = { kind: 'text', text: content.text };
			line.count = nextMessage();
		} else if (content.kind === 'delete') {
			line.kind = 'deleted';
			line.content = null;
			line.detail = '';
		} else if (content.kind === 'reaction') {
			const others = line.detail.split('\n').filter((one) => one !== '' && !one.startsWith(`${SELF} `));
			line.detail = [...others, ...(content.text === '' ? [] : [`${SELF} ${content.text}`])].join('\n');
		}
	}

	async conversations(): Promise<Notice[]> {
		return [...this.talks.map((one) => ({ ...blank, ...this.describe(one) })), ...this.outgoing];
	}

	private entries(one: Talk): Entry[] {
		let last = 0;
		return one.lines.map((notice) => {
			last = notice.message > 0 ? notice.message * 8 : last + 1;
			return { position: last, notice };
		});
	}

	async history(conversation: number, before: number | null, limit: number): Promise<Entry[]> {
		await later(5);
		const all = this.entries(this.find(conversation));
		const until = before === null ? all : all.filter((entry) => entry.position < before);
		return structuredClone(until.slice(-limit)); // as from a worker
	}

	async search(query: string, limit: number): Promise<Entry[]> {
		const words = query.toLowerCase().split(/\s+/u);
		const hits = this.talks.flatMap((one) => this.entries(one)).filter(({ notice }) => {
			const text = notice.content !== null && 'text' in notice.content ? notice.content.text.toLowerCase() : '';
			return words.every((word) => text.includes(word));
		});
		return hits.sort((a, b) => b.notice.time - a.notice.time).slice(0, limit);
	}

	private async pump(total: number, progress: (p: Progress) => void, signal: AbortSignal): Promise<void> {
		for (let done = 0; done < total; done += Math.max(1, Math.ceil(total / 20))) {
			if (signal.aborted)
				throw problem('CANCELLED');
			progress({ done, total });
			await later(this.pace);
		}
		progress({ done: total, total });
	}

	async sendFile(conversation: number, file: Blob, name: string, caption: string,
		progress: (p: Progress) => void, signal: AbortSignal): Promise<Notice> {
		await this.pump(file.size, progress, signal);
		const ref: FileRef = { id: `up${file.size}`, name, type: file.type, size: file.size, token: `up ${name}` };
		const own = says(this.find(conversation), SELF, this.now(), { kind: 'file', text: caption, file: ref });
		return { ...blank, conversation, message: own.message, time: own.time };
	}

	async saveFile(file: FileRef, sink: WritableStream<Uint8Array>,
		progress: (p: Progress) => void, signal: AbortSignal): Promise<void> {
		const writer = sink.getWriter();
		if (file.token !== 'picture')
			await this.pump(file.size, progress, signal);
		await writer.write(this.picture);
		await writer.close();
	}

	async setting(name: string): Promise<string> {
		return this.settings.get(name) ?? '';
	}

	async setSetting(name: string, value: string): Promise<void> {
		this.settings.set(name, value);
	}

	onNotice(hear: (notice: Notice) => void): () => void {
		this.hears.push(hear);
		return () => {
			this.hears = this.hears.filter((one) => one !== hear);
		};
	}

	onLink(hear: (link: Link) => void): () => void {
		this.links.push(hear);
		queueMicrotask(() => hear({ state: 'online', text: '', seconds: 0 }));
		return () => {
			this.links = this.links.filter((one) => one !== hear);
		};
	}

	onLocked(hear: () => void): () => void {
		this.locks.push(hear);
		return () => {
			this.locks = this.locks.filter((one) => one !== hear);
		};
	}
}
