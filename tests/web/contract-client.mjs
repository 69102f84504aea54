// A stock client of the account calls (docs/openapi.yaml), with nothing but Web Crypto and noble.
// Usage: node contract-client.mjs URL. Prints TAP.
import { webcrypto } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519';
import { argon2id } from '@noble/hashes/argon2';

const { subtle } = webcrypto;
const url = process.argv[2];
const utf8 = new TextEncoder();
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const sha256 = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));
const random = (n) => webcrypto.getRandomValues(new Uint8Array(n));

// --- TAP ---
let count = 0;
let failures = 0;
function check(ok, what, detail) {
	count += 1;
	failures += ok ? 0 : 1;
	console.log(`${ok ? 'ok' : 'not ok'} ${count} - ${what}`);
	if (!ok && detail !== undefined)
		console.log(`# ${JSON.stringify(detail)}`);
}

// --- cryptography, as the contract has it ---
async function passwordHash(password, email) {
	const salt = (await sha256(utf8.encode(password + email))).slice(0, 16);
	return hex(argon2id(utf8.encode(password), salt, { m: 16384, t: 2, p: 1, dkLen: 32 }));
}

async function wrappingKey(password, email) {
	const salt = await sha256(utf8.encode('wrap' + email));
	const raw = argon2id(utf8.encode(password), salt, { m: 16384, t: 2, p: 1, dkLen: 32 });
	return subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

function publicPem(publicKey) {
	const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
	return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
}

async function signed(data, privateKey) {
	const timestamp = Math.floor(Date.now() / 1000);
	const digest = await sha256(utf8.encode(JSON.stringify({ data, timestamp })));
	return JSON.stringify({ data, signature: hex(ed25519.sign(digest, privateKey)), timestamp });
}

function unbase32(text) {
	let bits = '';
	for (const letter of text.replace(/=+$/, ''))
		bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0');
	return new Uint8Array(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

// A code works once: each call gives the next of the three half minutes that the server accepts, the first of
// them only while it has ten seconds left: it must be good on arrival, too.
let lastStep = 0;
async function freshStep() {
	for (;;) {
		const seconds = Date.now() / 1000;
		const now = Math.floor(seconds / 30);
		const step = Math.max(lastStep + 1, seconds % 30 < 20 ? now - 1 : now);
		if (step <= now + 1) return step;
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}

async function totp(secret) {
	const step = lastStep = await freshStep();
	const counter = new DataView(new ArrayBuffer(8));
	counter.setBigUint64(0, BigInt(step));
	const key = await subtle.importKey(
		'raw', unbase32(secret), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']);
	const mac = new DataView(await subtle.sign('HMAC', key, counter.buffer));
	const number = mac.getUint32(mac.getUint8(19) & 15) & 0x7fffffff;
	return String(number % 1000000).padStart(6, '0');
}

// --- HTTP, with a jar for cookies as a browser has ---
const jar = new Map();
async function post(path, body) {
	const answer = await fetch(url + path, {
		method: 'POST', body,
		headers: {
			'Content-Type': 'application/json', Origin: url,
			Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
		},
	});
	for (const line of answer.headers.getSetCookie?.() ?? [answer.headers.get('set-cookie')]) {
		const [name, value] = (line ?? '').split(';')[0].split('=');
		if (name)
			jar.set(name, value);
	}
	return { status: answer.status, json: await answer.json() };
}

async function unwrap(answer, key) {
	const plain = await subtle.decrypt(
		{ name: 'AES-GCM', iv: Buffer.from(answer.encryption_iv, 'hex') }, key,
		Buffer.from(answer.encrypted_private_key, 'base64'));
	return new Uint8Array(plain);
}

async function main() {
	const username = `js-${hex(random(4))}`;
	const email = `${username}@example.org`;
	const password = 'correct horse 1!';
	const privateKey = ed25519.utils.randomPrivateKey();
	const password_hash = await passwordHash(password, email);
	const key = await wrappingKey(password, email);
	const iv = random(12);
	const wrapped = new Uint8Array(
		await subtle.encrypt({ name: 'AES-GCM', iv }, key, privateKey));

	let got = await post('/api/register', await signed({
		email, username, password_hash, encrypted_private_key: base64(wrapped),
		public_key: publicPem(ed25519.getPublicKey(privateKey)), encryption_iv: hex(iv),
	}, privateKey));
	check(got.status === 201, 'register answers 201', got);
	check(/^data:image\//.test(got.json.qr_code), 'register answers a QR code', got.json);
	check(got.json.otpauth_uri?.startsWith('otpauth://totp/'), 'register answers a URI', got.json);
	const { secret } = got.json;

	got = await post('/api/register/verify-2fa',
		await signed({ totp_code: await totp(secret) }, privateKey));
	check(got.status === 201, 'verify-2fa answers 201', got);
	check(got.json.user?.username === username, 'verify-2fa answers the user', got.json);
	check(got.json.recovery_codes?.length > 0, 'verify-2fa answers recovery codes', got.json);
	jar.clear();

	got = await post('/api/login',
		await signed({ username, password_hash, totp_code: await totp(secret) }, privateKey));
	check(got.status === 200, 'login answers 200', got);
	check(typeof got.json.token === 'string', 'login answers a token', got.json);
	check(hex(await unwrap(got.json, key)) === hex(privateKey), 'login gives the wrapped key back');
	check(jar.size > 0, 'login sets a cookie');

	got = await post('/api/me', await signed({}, privateKey));
	check(got.status === 200, 'me answers 200', got);
	check(got.json.username === username || got.json.user?.username === username,
		'me answers the user', got.json);

	got = await post('/api/logout', await signed({ why: 'done' }, privateKey));
	check(got.status === 200, 'logout answers 200', got);
	got = await post('/api/me', await signed({ again: 1 }, privateKey));
	check(got.status === 401, 'after logout the session answers 401', got);
	jar.clear();

	got = await post('/api/login/new-device',
		JSON.stringify({ username, password_hash, totp_code: await totp(secret) }));
	check(got.status === 200, 'new-device answers 200', got);
	const recovered = await unwrap(got.json, key);
	check(hex(recovered) === hex(privateKey), 'new-device gives the wrapped key to a bare machine');
	got = await post('/api/login',
		await signed({ username, password_hash, ticket: got.json.ticket }, recovered));
	check(got.status === 200, 'login with the ticket answers 200', got);
	got = await post('/api/me', await signed({ n: 2 }, recovered));
	check(got.status === 200, 'me on the new device answers 200', got);
	got = await post('/api/logout', await signed({ n: 3 }, recovered));
	check(got.status === 200, 'logout on the new device answers 200', got);

	console.log(`1..${count}`);
	process.exitCode = failures ? 1 : 0;
}

try {
	await main();
} catch (error) {
	console.log(`not ok ${count + 1} - goes through\n# ${error.stack.replaceAll('\n', '\n# ')}`);
	console.log(`1..${count + 1}`);
	process.exitCode = 1;
}
