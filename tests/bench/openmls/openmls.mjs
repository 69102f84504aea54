// The same figures as mls.c, of OpenMLS behind core-crypto's native library: one JSON object.
// node openmls.mjs MEMBERS ROUNDS. Every client has its state in memory.
import {
  CipherSuite, ClientId, ConversationId, CoreCrypto, Credential, Database, DeviceId, Uuid, Welcome, KeyPackage,
} from "@wireapp/core-crypto/native";

const SUITE = CipherSuite.Mls128Dhkemx25519Aes128gcmSha256Ed25519;
const MEMBERS = Number(process.argv[2]);
const ROUNDS = Number(process.argv[3]);
const BATCH = 200;
const ID = (name) => new ConversationId(Buffer.from(name));

function median(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
async function timed(into, run) {
  const began = performance.now();
  const result = await run();
  into.push(performance.now() - began);
  return result;
}

class Client {
  static async make(number) {
    const client = new Client();
    const uuid = `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
    const id = new ClientId(new Uuid(uuid), new DeviceId(BigInt(number)), "example.org");
    const transport = {
      sendCommitBundle: async (bundle) => {
        client.sent = bundle;
      },
      prepareForTransport: async (secret) => secret.data,
    };
    client.core = CoreCrypto.new(await Database.inMemory());
    await client.core.transaction(async (t) => {
      await t.mlsInit(id, transport);
      client.credential = await t.addCredential(Credential.basic(SUITE, id));
    });
    return client;
  }
  run(what) {
    return this.core.transaction(what);
  }
  keyPackage() {
    return this.run(async (t) => (await t.generateKeyPackage(this.credential)).serialize());
  }
}

async function keyPackages(client) {
  const times = [];
  for (let i = 0; i < ROUNDS; i++)
    await timed(times, () =>
      client.run(async (t) => {
        for (let k = 0; k < BATCH; k++) await t.generateKeyPackage(client.credential);
      }));
  return (BATCH / median(times)) * 1e3;
}

async function messages(ann, bob) {
  const id = ID("two");
  const text = new Uint8Array(256);
  const times = [];
  const packages = [new KeyPackage(await bob.keyPackage())];
  await ann.run(async (t) => {
    await t.createConversation(id, ann.credential);
    await t.addClientsToConversation(id, packages);
  });
  const welcome = ann.sent.welcome.serialize();
  await bob.run((t) => t.processWelcomeMessage(new Welcome(welcome)));
  for (let i = 0; i < ROUNDS; i++)
    await timed(times, () =>
      ann.run((a) => bob.run(async (b) => {
        for (let k = 0; k < BATCH; k++) await b.decryptMessage(id, await a.encryptMessage(id, text));
      })));
  return (BATCH / median(times)) * 1e3;
}

async function fresh(clients) {
  const [ann, ...others] = clients;
  const times = { add: [], join: [], commit: [], process: [] };
  for (let i = 0; i < ROUNDS; i++) {
    const id = ID(`many ${i}`);
    const encoded = [];
    for (const c of others) encoded.push(await c.keyPackage());
    const who = others[(i * 101 + 7) % others.length];
    await timed(times.add, () =>
      ann.run(async (t) => {
        await t.createConversation(id, ann.credential);
        await t.addClientsToConversation(id, encoded.map((k) => new KeyPackage(k)));
      }));
    const welcome = ann.sent.welcome.serialize();
    await timed(times.join, () => who.run((t) => t.processWelcomeMessage(new Welcome(welcome))));
    await timed(times.commit, () => ann.run((t) => t.updateKeyingMaterial(id)));
    const { commit } = ann.sent;
    await timed(times.process, () => who.run((t) => t.decryptMessage(id, commit)));
  }
  return Object.fromEntries(Object.entries(times).map(([k, v]) => [`${k}_ms`, median(v)]));
}

const clients = [];
for (let i = 0; i <= MEMBERS; i++) clients.push(await Client.make(i + 1));
const figures = {
  key_packages: await keyPackages(clients[0]),
  messages: await messages(clients[0], clients[1]),
  ...(await fresh(clients)),
};
console.log(JSON.stringify(figures));
process.exit(0);
