// Our ML-KEM-768 and hybrid KEM beside @noble/post-quantum's and a hybrid made of it, on random
// inputs, both ways. node kem.mjs PEER, where PEER is kem_peer.c.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

if (!existsSync(new URL("node_modules/@noble/post-quantum", import.meta.url))) {
  console.log("1..0 # SKIP run `npm ci` in tests/web first");
  process.exit(0);
}
const { ml_kem768 } = await import("@noble/post-quantum/ml-kem");
const { x25519 } = await import("@noble/curves/ed25519");
const { sha3_256, shake256 } = await import("@noble/hashes/sha3");

const ROUNDS = 20;
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const join = (...parts) => Buffer.concat(parts.map((p) => Buffer.from(p)));

// draft-connolly-cfrg-xwing-kem, in the words of the draft.
const LABEL = Buffer.from("\\.//^\\");
function expand(seed) {
  const all = shake256(seed, { dkLen: 96 });
  const { secretKey, publicKey } = ml_kem768.keygen(all.slice(0, 64));
  const sk = all.slice(64);
  return { skM: secretKey, pkM: publicKey, skX: sk, pkX: x25519.getPublicKey(sk) };
}
const combine = (ssM, ssX, ctX, pkX) => sha3_256(join(ssM, ssX, ctX, pkX, LABEL));
const theirs = {
  mlkem: {
    seed: 64,
    coins: 32,
    public: (seed) => ml_kem768.keygen(seed).publicKey,
    encap: (pk, coins) => {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(pk, coins);
      return [cipherText, sharedSecret];
    },
    decap: (seed, ct) => ml_kem768.decapsulate(ct, ml_kem768.keygen(seed).secretKey),
  },
  hybrid: {
    seed: 32,
    coins: 64,
    public: (seed) => {
      const { pkM, pkX } = expand(seed);
      return join(pkM, pkX);
    },
    encap: (pk, coins) => {
      const [pkM, pkX, ek] = [pk.subarray(0, 1184), pk.subarray(1184), coins.subarray(32)];
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(pkM, coins.subarray(0, 32));
      const ctX = x25519.getPublicKey(ek);
      const ss = combine(sharedSecret, x25519.getSharedSecret(ek, pkX), ctX, pkX);
      return [join(cipherText, ctX), ss];
    },
    decap: (seed, ct) => {
      const { skM, skX, pkX } = expand(seed);
      const [ctM, ctX] = [ct.subarray(0, 1088), ct.subarray(1088)];
      const ssM = ml_kem768.decapsulate(ctM, skM);
      return combine(ssM, x25519.getSharedSecret(skX, ctX), ctX, pkX);
    },
  },
};

const peer = spawn(process.argv[2], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
async function ask(...words) {
  peer.stdin.write(words.map((w) => (typeof w === "string" ? w : hex(w))).join(" ") + "\n");
  const { value } = await lines.next();
  if (value === "refused") return null;
  return value.split(" ").map((w) => Buffer.from(w, "hex"));
}

let number = 0;
let failed = 0;
function check(name, good) {
  number++;
  if (!good) failed++;
  console.log(`${good ? "ok" : "not ok"} ${number} - ${name}`);
}
const same = (a, b) => a !== null && hex(a) === hex(b);

for (const [name, kem] of Object.entries(theirs)) {
  const good = { public: true, encap: true, decap: true, reject: true };
  for (let i = 0; i < ROUNDS; i++) {
    const [seed, coins] = [randomBytes(kem.seed), randomBytes(kem.coins)];
    const pk = Buffer.from(kem.public(seed));
    const [ct, ss] = kem.encap(pk, coins).map((x) => Buffer.from(x));
    good.public &&= same((await ask(name, "public", seed))?.[0] ?? null, pk);
    const made = await ask(name, "encap", pk, coins);
    good.encap &&= same(made?.[0] ?? null, ct) && same(made?.[1] ?? null, ss);
    good.decap &&= same((await ask(name, "decap", seed, ct))?.[0] ?? null, ss);
    ct[i] ^= 1; // in ML-KEM's part: both sides give the same secret that nobody has
    const rejected = (await ask(name, "decap", seed, ct))?.[0] ?? null;
    good.reject &&= same(rejected, kem.decap(seed, ct)) && !same(rejected, ss);
  }
  check(`${name}: the same public key`, good.public);
  check(`${name}: the same ciphertext and secret`, good.encap);
  check(`${name}: the same secret out of a ciphertext`, good.decap);
  check(`${name}: the same secret out of a changed ciphertext`, good.reject);
  check(`${name}: a short key is refused`, (await ask(name, "encap", randomBytes(900), randomBytes(kem.coins))) === null);
}
console.log(`1..${number}`);
peer.stdin.end();
process.exitCode = failed === 0 ? 0 : 1;
