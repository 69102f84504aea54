// The live connection: packets, one talk, and the link that begins it again and again.
import { Link } from '../../../web/src/core/link.ts';
import { eventPacket, parsePacket } from '../../../web/src/core/live_packets.ts';
import { ProblemError } from '../../../web/src/core/problem.ts';
import { Talk } from '../../../web/src/core/talk.ts';
import { fakePlatform, settle } from './platform.mjs';
import { assert, main, test } from './tap.mjs';

// --- packets -------------------------------------------------------------------------------------

const READ = {
	'0{"sid":"x","pingInterval":1000,"pingTimeout":500}': { kind: 'open', silenceMs: 1500 },
	'1': { kind: 'close' },
	'2': { kind: 'ping', data: '' },
	'2probe': { kind: 'ping', data: 'probe' },
	'3probe': { kind: 'other' },
	'6': { kind: 'other' },
	'40': { kind: 'connect' },
	'40{"sid":"a"}': { kind: 'connect' },
	'41': { kind: 'disconnect' },
	'44{"message":"no","data":{"code":"UNAVAILABLE"}}': { kind: 'refused', code: 'UNAVAILABLE' },
	'44"no"': { kind: 'refused', code: '' },
	'42["a"]': { kind: 'event', name: 'a', body: 'null' },
	'42["a",{"b":[1,"x"]},3]': { kind: 'event', name: 'a', body: '{"b":[1,"x"]}' },
	'4212["a",1]': { kind: 'event', name: 'a', body: '1' },
	'42/other,["a",1]': { kind: 'other' },
	'4312[]': { kind: 'other' },
	'451-["a",{"_placeholder":true,"num":0}]': { kind: 'other' },
};
for (const [text, packet] of Object.entries(READ))
	test(`a packet: ${text}`, () => assert.deepEqual(parsePacket(text), packet));

const REFUSED = ['', '7', 'x', '0', '0{}', '0[]', '0{"sid":"x","pingInterval":0,"pingTimeout":1}',
	'0{"sid":1,"pingInterval":1,"pingTimeout":1}', '0{"sid":"x","pingInterval":1e12,"pingTimeout":1}',
	'4', '48', '4x', '42', '42{}', '42[]', '42[1]', '42["a"', '44{'];
for (const text of REFUSED)
	test(`no packet: ${JSON.stringify(text)}`, () =>
		assert.throws(() => parsePacket(text), (e) => e instanceof ProblemError && e.code === 'MALFORMED'));

test('an event leaves as it is read', () => {
	const text = eventPacket('typing', '{"room_id":4,"text":"\\"]"}');
	assert.equal(text, '42["typing",{"room_id":4,"text":"\\"]"}]');
	assert.deepEqual(parsePacket(text), { kind: 'event', name: 'typing', body: '{"room_id":4,"text":"\\"]"}' });
});

// --- one talk ------------------------------------------------------------------------------------

function talking() {
	const platform = fakePlatform();
	const heard = [];
	const talk = new Talk(platform, {
		opened: () => heard.push('opened'),
		event: (name, body) => heard.push(`${name} ${body}`),
		ended: (why) => heard.push(`ended ${why}`),
	});
	return { talk, heard, platform, socket: platform.sockets[0] };
}

test('a talk opens, answers pings, and hears and says events', () => {
	const { talk, heard, socket } = talking();
	assert.equal(socket.url, 'wss://chat.example.org/socket.io/?EIO=4&transport=websocket');
	talk.say('early', '{}');
	socket.greet();
	socket.hear('2');
	socket.hear('42["new_message",{"id":1}]');
	talk.say('join_room', '{"room_id":1}');
	assert.deepEqual(heard, ['opened', 'new_message {"id":1}']);
	assert.deepEqual(socket.said, ['40', '3', '42["join_room",{"room_id":1}]']);
});

const ENDS = {
	'it cannot be opened': [(s) => s.drop(), 'UNSUPPORTED'],
	'it is refused': [(s) => { s.open(); s.hear('0{"sid":"x","pingInterval":1,"pingTimeout":1}'); s.hear('44{"message":"x","data":{"code":"UNAUTHORIZED"}}'); }, 'NOT_LOGGED_IN'],
	'it is told to come later': [(s) => { s.open(); s.hear('0{"sid":"x","pingInterval":1,"pingTimeout":1}'); s.hear('44{"message":"x","data":{"code":"RATE_LIMITED"}}'); }, 'LIMIT'],
	'the server is full': [(s) => { s.greet(); s.drop(1013); }, 'LIMIT'],
	'the connection is lost': [(s) => { s.greet(); s.drop(); }, 'NETWORK'],
	'the server closes it': [(s) => { s.greet(); s.hear('1'); }, 'NETWORK'],
	'the server sends nonsense': [(s) => { s.greet(); s.hear('nonsense'); }, 'MALFORMED'],
	'it begins twice': [(s) => { s.greet(); s.hear('0{"sid":"x","pingInterval":1,"pingTimeout":1}'); }, 'MALFORMED'],
};
for (const [what, [happen, why]] of Object.entries(ENDS))
	test(`a talk ends when ${what}`, () => {
		const { heard, socket } = talking();
		happen(socket);
		assert.equal(heard.at(-1), `ended ${why}`);
		assert.ok(socket.closed);
		socket.hear('42["late",1]');
		socket.drop();
		assert.equal(heard.filter((one) => one.startsWith('ended')).length, 1);
		assert.equal(heard.at(-1), `ended ${why}`);
	});

test('a silent server is given up, in the greeting and later', async () => {
	const first = talking();
	first.socket.open();
	await first.platform.clock.advance(19_000);
	assert.deepEqual(first.heard, []);
	await first.platform.clock.advance(1_001);
	assert.deepEqual(first.heard, ['ended NETWORK']);
	const second = talking();
	second.socket.greet();
	await second.platform.clock.advance(44_000);
	second.socket.hear('2');
	await second.platform.clock.advance(44_000);
	assert.deepEqual(second.heard, ['opened']);
	await second.platform.clock.advance(1_001);
	assert.deepEqual(second.heard, ['opened', 'ended NETWORK']);
});

// --- the link ------------------------------------------------------------------------------------

function linking() {
	const platform = fakePlatform();
	const host = {
		calls: [],
		problem: null,
		async liveUp() {
			this.calls.push('up');
			if (this.problem !== null)
				throw this.problem;
		},
		liveDown() {
			this.calls.push('down');
		},
		async liveEvent(name) {
			this.calls.push(name);
			await this.wait;
		},
		async sync() {
			this.calls.push('sync');
			if (this.problem !== null)
				throw this.problem;
		},
	};
	const told = [];
	const link = new Link(platform, host, (state) => told.push(state.state));
	return { platform, host, link, told, last: () => platform.sockets.at(-1) };
}

test('a link comes up, is lost, and comes back after a pause', async () => {
	const g = linking();
	g.link.start();
	g.last().greet();
	await settle();
	g.last().hear('42["new_message",{}]');
	await settle();
	assert.deepEqual(g.told, ['connecting', 'online']);
	assert.deepEqual(g.host.calls, ['up', 'new_message']);
	g.last().drop();
	await settle();
	assert.equal(g.told.at(-1), 'offline');
	assert.equal(g.link.state.seconds, 1);
	assert.equal(g.platform.sockets.length, 1);
	await g.platform.clock.advance(500);
	assert.equal(g.platform.sockets.length, 2);
	g.last().greet();
	await settle();
	assert.equal(g.told.at(-1), 'online');
	assert.deepEqual(g.host.calls, ['up', 'new_message', 'down', 'up']);
});

test('pauses grow up to half a minute, and a network that is back ends them', async () => {
	const g = linking();
	g.link.start();
	g.host.problem = new ProblemError('NETWORK');
	const pauses = [];
	for (let i = 0; i < 9; i++) {
		g.last().drop();
		await settle();
		const begun = g.platform.clock.ms;
		while (g.last().closed)
			await g.platform.clock.advance(100);
		pauses.push(g.platform.clock.ms - begun);
	}
	assert.ok(pauses[0] <= 600, `${pauses}`);
	assert.ok(pauses.every((ms) => ms <= 30_100) && pauses[8] >= 15_000, `${pauses}`);
	g.last().drop();
	await settle();
	assert.ok(g.link.state.seconds >= 15 && g.link.state.seconds <= 30);
	const dialled = g.platform.sockets.length;
	g.platform.network(true);
	assert.equal(g.platform.sockets.length, dialled + 1);
	g.host.problem = null;
	g.last().greet();
	await settle();
	assert.equal(g.told.at(-1), 'online');
});

test('when the machine says that the network is gone, the link believes it', async () => {
	const g = linking();
	g.link.start();
	g.last().greet();
	await settle();
	g.platform.network(false);
	await settle();
	assert.equal(g.told.at(-1), 'offline');
	assert.ok(g.last().closed);
	await g.platform.clock.advance(1000); // it tries all the same: loopback needs no network
	assert.equal(g.platform.sockets.length, 2);
});

test('when a request has no answer, the connection is not believed either', async () => {
	const g = linking();
	g.link.start();
	g.last().greet();
	await settle();
	g.link.doubt();
	await settle();
	assert.equal(g.told.at(-1), 'offline');
	assert.ok(g.last().closed);
	g.link.doubt(); // it is known
	await g.platform.clock.advance(1000);
	assert.equal(g.platform.sockets.length, 2);
	g.last().greet();
	await settle();
	assert.equal(g.told.at(-1), 'online');
	g.link.stop();
	g.link.doubt();
	await g.platform.clock.advance(60_000);
	assert.equal(g.platform.sockets.length, 2);
});

test('where nothing comes live, the server is asked every few seconds', async () => {
	const g = linking();
	g.link.start();
	g.last().drop();
	await settle();
	assert.deepEqual(g.told, ['connecting', 'asking']);
	for (let i = 0; i < 40; i++) {
		if (!g.last().closed)
			g.last().drop();
		await g.platform.clock.advance(1000);
	}
	const asked = g.host.calls.filter((what) => what === 'sync').length;
	assert.ok(asked >= 15, `asked ${asked} times in 40 s`);
	assert.deepEqual(g.told, ['connecting', 'asking']);
	while (g.last().closed)
		await g.platform.clock.advance(1000);
	g.last().greet();
	await settle();
	assert.equal(g.told.at(-1), 'online');
});

test('a session that is over is not tried again until somebody logs in', async () => {
	const g = linking();
	g.host.problem = new ProblemError('NOT_LOGGED_IN');
	g.link.start();
	g.last().drop();
	await settle();
	assert.equal(g.told.at(-1), 'offline');
	assert.equal(g.link.state.seconds, 0);
	await g.platform.clock.advance(120_000);
	assert.equal(g.platform.sockets.length, 1);
	g.host.problem = null;
	g.link.start();
	g.last().greet();
	await settle();
	assert.equal(g.told.at(-1), 'online');
});

test('a store that fails is not tried in a hurry: what comes could not be kept', async () => {
	const g = linking();
	g.host.problem = new ProblemError('STORE_FULL');
	g.link.start();
	g.last().greet();
	await settle();
	assert.equal(g.link.state.state, 'offline');
	assert.equal(g.link.state.text, g.host.problem.message);
	assert.ok(g.last().closed);
	await g.platform.clock.advance(14_000);
	assert.equal(g.platform.sockets.length, 1);
	g.host.problem = null;
	await g.platform.clock.advance(17_000);
	assert.equal(g.platform.sockets.length, 2);
	g.last().greet();
	await settle();
	assert.equal(g.told.at(-1), 'online');
});

test('a profile that another worker has is left alone', async () => {
	const g = linking();
	g.host.problem = new ProblemError('CONFLICT');
	g.link.start();
	g.last().greet();
	await settle();
	await g.platform.clock.advance(120_000);
	assert.equal(g.platform.sockets.length, 1);
	assert.equal(g.link.state.seconds, 0);
});

test('of too many events that wait, the rest is one word', async () => {
	const g = linking();
	g.link.start();
	g.last().greet();
	await settle();
	let go;
	g.host.wait = new Promise((resolve) => {
		go = resolve;
	});
	for (let i = 0; i < 5000; i++)
		g.last().hear('42["new_message",{}]');
	go();
	await settle();
	await settle();
	for (let i = 0; i < 200 && g.host.calls.at(-1) !== 'fell_behind'; i++)
		await settle();
	assert.equal(g.host.calls.filter((what) => what === 'fell_behind').length, 1);
	assert.equal(g.host.calls.filter((what) => what === 'new_message').length, 2049);
});

test('a new engine gets a new connection', async () => {
	const g = linking();
	g.link.start();
	g.last().greet();
	await settle();
	g.link.beginAnew();
	assert.ok(g.platform.sockets[0].closed);
	g.last().greet();
	await settle();
	assert.deepEqual(g.host.calls, ['up', 'down', 'up']);
});

test('a link that is stopped stays so', async () => {
	const g = linking();
	g.link.start();
	g.last().greet();
	await settle();
	g.link.stop();
	g.platform.network(true);
	await g.platform.clock.advance(120_000);
	assert.equal(g.platform.sockets.length, 1);
	assert.equal(g.told.at(-1), 'offline');
});

await main();
