// Stock socket.io-client, with its default transports, through every live event of the contract.
// Usage: node live-client.mjs < {"url", "alice": {"token", "cookie", "id", "username"}, "bob", "eve"}
// Prints TAP.
import { io } from 'socket.io-client';

const WAIT_MS = 30000;
let count = 0;
let failures = 0;
function check(ok, what, detail) {
	count += 1;
	failures += ok ? 0 : 1;
	console.log(`${ok ? 'ok' : 'not ok'} ${count} - ${what}`);
	if (!ok && detail !== undefined)
		console.log(`# ${JSON.stringify(detail)}`);
}
const same = (got, want, what) =>
	check(JSON.stringify(got) === JSON.stringify(want), what, { got, want });

let text = '';
for await (const piece of process.stdin)
	text += piece;
const { url, alice, bob, eve } = JSON.parse(text);

async function call(person, method, path, body) {
	const answer = await fetch(url + path, {
		method,
		headers: { Authorization: `Bearer ${person.token}`, 'Content-Type': 'application/json' },
		body: body === undefined ? undefined : JSON.stringify(body),
	});
	const json = await answer.json();
	if (!answer.ok)
		throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
	return json;
}

// Every event that came, in order, for each socket; waiting looks at these first.
const sockets = [];
function connect(options) {
	const socket = io(url, { forceNew: true, reconnection: false, ...options });
	socket.heard = [];
	socket.onAny((event, body) => socket.heard.push({ event, body }));
	sockets.push(socket);
	return socket;
}

function wait(socket, event, fits = () => true) {
	const found = () => socket.heard.find((h) => h.event === event && fits(h.body))?.body;
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`${event} did not come: ` +
			JSON.stringify(socket.heard.slice(-5)))), WAIT_MS);
		const look = () => {
			const body = found();
			if (body === undefined)
				return;
			clearTimeout(timer);
			socket.offAny(look);
			resolve(body);
		};
		socket.onAny(look);
		look();
	});
}

function once(socket, event) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no ${event}`)), WAIT_MS);
		socket.once(event, (...args) => {
			clearTimeout(timer);
			resolve(args);
		});
	});
}

const ask = (socket, event, body) => socket.timeout(WAIT_MS).emitWithAck(event, body);

async function authentication() {
	const nobody = connect({});
	const [why] = await once(nobody, 'connect_error');
	same([why.message, why.data?.code], ['Authentication required', 'NOT_LOGGED_IN'],
		'without a login: connect_error');
	const forged = connect({ auth: { token: `${alice.token}x` } });
	const [error] = await once(forged, 'connect_error');
	same(error.data?.code, 'INVALID_TOKEN', 'a wrong token: connect_error');
	const cookie = connect({ extraHeaders: { Cookie: alice.cookie } });
	await once(cookie, 'connect');
	check(cookie.connected, 'the cookie connects');
	cookie.disconnect();
}

async function upgraded(socket) {
	const { engine } = socket.io;
	if (engine.transport.name !== 'websocket')
		await new Promise((resolve) => engine.once('upgrade', resolve));
	check(engine.transport.name === 'websocket', 'polling becomes a WebSocket');
}

async function messages(a, b, room) {
	const id = (m) => m.id;
	const first = await ask(a, 'send_message', { room_id: room, encrypted_content: '[1,2,3]',
		iv: '[9]', message_hash: 'h', client_id: 'one' });
	check(first.id > 0 && first.room_id === room, 'send_message is acknowledged', first);
	for (const who of [a, b]) {
		const m = await wait(who, 'new_message', (n) => n.id === first.id);
		same([m.room_id, m.user_id, m.username, m.encrypted_content, m.iv, m.message_hash,
			m.client_id, m.created_at], [room, alice.id, alice.username, '[1,2,3]', '[9]', 'h',
			'one', first.created_at], 'new_message has its members');
	}
	const strings = ['', '👩‍👧 \u2028"\\/\b\u0001', 'aGVsbG8=', '{"a":[1,null]}'];
	for (const encrypted_content of strings) {
		const sent = await ask(b, 'send_message', { room_id: room, encrypted_content });
		const got = await wait(a, 'new_message', (m) => m.id === sent.id);
		same(got.encrypted_content, encrypted_content, 'what came in goes out');
	}
	const posted = await call(bob, 'POST', `/api/rooms/${room}/messages`,
		{ content: 'b3ZlciBIVFRQ' });
	for (const who of [a, b])
		await wait(who, 'new_message', (m) => m.id === posted.id && m.encrypted_content === 'b3ZlciBIVFRQ');
	same((await ask(a, 'send_message', { room_id: room, encrypted_content: '[1,2,3]', iv: '[9]',
		message_hash: 'h', client_id: 'one' })).id, first.id, 'a retry is answered as the first');
	const again = connect({ auth: { token: bob.token }, transports: ['websocket'] });
	await ask(again, 'join_room', { room_id: room, after: first.id });
	const history = await wait(again, 'room_history');
	same(history.messages.map(id), b.heard.filter((h) => h.event === 'new_message' &&
		h.body.id !== first.id).map((h) => h.body.id), 'room_history gives what was missed');
	again.disconnect();
	return first.id;
}

async function people(a, b, room, message) {
	a.emit('typing', { room_id: room, typing: true });
	same((await wait(b, 'typing')).username, alice.username, 'typing');
	await ask(b, 'read', { room_id: room, message_id: message });
	same((await wait(a, 'read')).message_id, message, 'read');
	await wait(a, 'presence', (p) => p.room_id === room &&
		p.users.some((u) => u.user_id === bob.id && u.state === 'online'));
	await ask(b, 'presence', { state: 'away' });
	const away = await wait(a, 'presence', (p) => p.users.some((u) => u.state === 'away'));
	same(away.users[0].username, bob.username, 'presence');
	b.emit('join_room', { room_id: 2 ** 50 });
	const error = await wait(b, 'error', (e) => e.room_id === 2 ** 50);
	same([error.code, error.event], ['NOT_FOUND', 'join_room'], 'error');
}

async function membership(a, b, room) {
	const out = connect({ auth: { token: eve.token } });
	await once(out, 'connect');
	await call(alice, 'POST', `/api/rooms/${room}/participants`, { username: eve.username });
	same((await wait(out, 'participants')).change, 'added', 'participants: added');
	same((await ask(out, 'join_room', { room_id: room })).joined, true, 'the new one joins');
	await call(alice, 'DELETE', `/api/rooms/${room}/participants/${eve.username}`);
	await wait(out, 'participants', (p) => p.change === 'removed');
	await wait(b, 'participants', (p) => p.change === 'removed');
	same((await ask(out, 'send_message', { room_id: room, encrypted_content: 'x' })).code,
		'NOT_FOUND', 'the removed one is out');
	const session = (await call(alice, 'POST', '/api/sessions',
		{ participants: [bob.username], ttl_seconds: 3600 })).id;
	await ask(b, 'join_room', { room_id: session });
	await call(alice, 'DELETE', `/api/sessions/${session}`);
	same((await wait(b, 'session_closed')).room_id, session, 'session_closed');
	same(await ask(a, 'leave_room', { room_id: room }), { room_id: room }, 'leave_room');
}

async function polling(room) {
	const slow = connect({ auth: { token: bob.token }, transports: ['polling'] });
	await once(slow, 'connect');
	await ask(slow, 'join_room', { room_id: room });
	const sent = await ask(slow, 'send_message', { room_id: room, encrypted_content: 'polled' });
	await wait(slow, 'new_message', (m) => m.id === sent.id);
	check(slow.io.engine.transport.name === 'polling', 'polling alone does it, too');
}

async function main() {
	await authentication();
	const room = (await call(alice, 'POST', '/api/rooms',
		{ name: 'r', participants: [bob.username] })).id;
	const a = connect({ auth: { token: alice.token } });
	await once(a, 'connect');
	await upgraded(a);
	await ask(a, 'join_room', { room_id: room });
	same((await wait(a, 'room_history')).messages, [], 'an empty room_history');
	const b = connect({ auth: { token: bob.token } });
	await once(b, 'connect');
	await ask(b, 'join_room', { room_id: room });
	const message = await messages(a, b, room);
	await people(a, b, room, message);
	await membership(a, b, room);
	await polling(room);
	const ended = once(a, 'disconnect');
	await call(alice, 'POST', '/api/logout', {});
	same((await ended)[0], 'io server disconnect', 'a logout disconnects');
}

try {
	await main();
} catch (error) {
	check(false, `goes through\n# ${error.stack.replaceAll('\n', '\n# ')}`);
}
for (const socket of sockets)
	socket.disconnect();
console.log(`1..${count}`);
process.exitCode = failures ? 1 : 0;
