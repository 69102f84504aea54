// The stock socket.io-client against tests/live-echo: every transport, acknowledgements, binary, namespaces,
// reconnection. Usage: node echo-client.mjs URL. Prints TAP.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';

const url = process.argv[2];
const cases = [];
const test = (name, run) => cases.push([name, run]);
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

async function connected(options = {}, path = '/') {
	const socket = io(url + path, { forceNew: true, reconnection: false, ...options });
	const auth = once(socket, 'auth');
	await once(socket, 'connect');
	socket.greeting = (await auth)[0];
	return socket;
}

for (const transports of [undefined, ['websocket'], ['polling']]) {
	const how = transports?.[0] ?? 'default transports';
	const options = transports === undefined ? {} : { transports };

	test(`${how}: events and acknowledgements`, async () => {
		const socket = await connected({ ...options, auth: { token: 'abc' } });
		assert.deepEqual(socket.greeting, { token: 'abc' });
		for (let i = 0; i < 20; i++) {
			const back = once(socket, 'message-back');
			socket.emit('message', i, 'text \u{1f512}', { a: [true, null] });
			assert.deepEqual(await back, [i, 'text \u{1f512}', { a: [true, null] }]);
		}
		assert.deepEqual(await socket.timeout(30000).emitWithAck('message-with-ack', [1, '2']), [1, '2']);
		socket.close();
	});

	test(`${how}: binary both ways`, async () => {
		const socket = await connected(options);
		const large = Buffer.alloc(100000, 7);
		const back = once(socket, 'message-back');
		socket.emit('message', Buffer.from([1, 2, 3]), { deep: [large] });
		const [first, second] = await back;
		assert.deepEqual(Buffer.from(first), Buffer.from([1, 2, 3]));
		assert.deepEqual(Buffer.from(second.deep[0]), large);
		const acked = await socket.timeout(30000).emitWithAck('message-with-ack', Buffer.from('x'));
		assert.equal(Buffer.from(acked).toString(), 'x');
		socket.close();
	});

	test(`${how}: the server closes`, async () => {
		const socket = await connected(options);
		const gone = once(socket, 'disconnect');
		socket.emit('kick');
		assert.equal((await gone)[0], 'io server disconnect');
	});

	test(`${how}: many at once stay in order`, async () => {
		const socket = await connected(options);
		const seen = [];
		const all = new Promise((resolve) => {
			socket.on('message-back', (n) => seen.push(n) === 500 && resolve());
		});
		for (let i = 0; i < 500; i++)
			socket.emit('message', i);
		await all;
		assert.deepEqual(seen, [...Array(500).keys()]);
		socket.close();
	});
}

test('the default transports end with a WebSocket, and lose nothing on the way', async () => {
	const socket = io(url, { forceNew: true, reconnection: false });
	const seen = [];
	const all = new Promise((resolve) => {
		socket.on('message-back', (n) => seen.push(n) === 200 && resolve());
	});
	await once(socket, 'connect');
	const { engine } = socket.io;
	const upgraded = engine.transport.name === 'websocket' || once(engine, 'upgrade');
	for (let i = 0; i < 100; i++)
		socket.emit('message', i);
	await upgraded;
	assert.equal(engine.transport.name, 'websocket');
	for (let i = 100; i < 200; i++)
		socket.emit('message', i);
	await all;
	assert.deepEqual(seen, [...Array(200).keys()]);
	socket.close();
});

test('a namespace beside the main one, on one connection', async () => {
	const main = await connected({ transports: ['websocket'] });
	const custom = main.io.socket('/custom');
	const auth = once(custom, 'auth');
	await auth;
	const back = once(custom, 'message-back');
	custom.emit('message', Buffer.from([9]));
	assert.deepEqual(Buffer.from((await back)[0]), Buffer.from([9]));
	custom.disconnect();
	assert.equal(await main.timeout(30000).emitWithAck('message-with-ack', 1), 1);
	main.close();
});

test('an unknown namespace, and a refusal', async () => {
	const nowhere = io(url + '/nowhere', { forceNew: true, reconnection: false });
	assert.equal((await once(nowhere, 'connect_error'))[0].message, 'Invalid namespace');
	nowhere.close();
	const refused = io(url, { forceNew: true, reconnection: false, auth: { refuse: 'not you' } });
	const [error] = await once(refused, 'connect_error');
	assert.equal(error.message, 'not you');
	assert.deepEqual(error.data, { code: 'REFUSED' });
	refused.close();
});

test('a client that was cut off comes back by itself', async () => {
	const socket = io(url, { forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 20 });
	await once(socket, 'connect');
	const first = socket.id;
	const again = once(socket, 'connect');
	socket.io.engine.close();
	await again;
	assert.notEqual(socket.id, first);
	socket.close();
});

let failures = 0;
console.log(`1..${cases.length}`);
for (const [i, [name, run]] of cases.entries()) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error('took more than 60 s')), 60000);
	});
	try {
		await Promise.race([run(), late]);
		console.log(`ok ${i + 1} - ${name}`);
	} catch (error) {
		failures += 1;
		console.log(`not ok ${i + 1} - ${name}\n# ${String(error.stack).replaceAll('\n', '\n# ')}`);
	}
	clearTimeout(timer);
}
process.exit(failures > 0 ? 1 : 0);
