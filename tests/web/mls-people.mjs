// Members of MLS groups behind one set of methods: ours, in the process mls_peer.c, and ts-mls's.
// What goes between them is bytes as on the wire.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as mls from "ts-mls";
import { encode } from "ts-mls/codec/tlsEncoder.js";
import { createGroupInfo } from "ts-mls/createCommit.js";
import { ratchetTreeEncoder, decodeRatchetTree } from "ts-mls/ratchetTree.js";

const DAY = 86400n;
const PSK_SECRET = Buffer.from("sesame");
const hex = (bytes) => (bytes === null || bytes.length === 0 ? "-" : Buffer.from(bytes).toString("hex"));
const unhex = (word) => (word === "-" ? null : Buffer.from(word, "hex"));
const text = (s) => Buffer.from(s);

export class Peer {
  constructor(path) {
    this.child = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }
  async ask(...words) {
    this.child.stdin.write(words.join(" ") + "\n");
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the peer ended at ${words[0]}`);
    const answer = value.split(" ");
    if (answer[0] !== "ok") throw new Error(`${words[0]} ${words[1]}: ${answer[0]}`);
    return answer.slice(1);
  }
  end() {
    this.child.stdin.end();
  }
}

// A change: { add: key package } | { remove: leaf } | { psk: id } | { group: extensions } |
// "update". Options of a commit: withoutTree, which then goes beside the Welcome.
export class Ours {
  constructor(peer, name, suite, how) {
    Object.assign(this, { peer, name, suite, how });
  }
  ask(verb, ...words) {
    return this.peer.ask(verb, this.name, ...words);
  }
  async keyPackage() {
    return unhex((await this.ask("new", this.suite.id))[0]);
  }
  async create(id) {
    await this.ask("create", hex(text(id)), this.how);
  }
  async join(welcome, tree) {
    await this.ask("join", hex(welcome), hex(tree), this.how);
  }
  async external(info, tree, { resync = null } = {}) {
    return unhex((await this.ask("external", hex(info), hex(tree), resync ?? "-", this.how))[0]);
  }
  async askIn(info) {
    return unhex((await this.ask("ask", hex(info)))[0]);
  }
  static word(change) {
    if (change === "update") return change;
    if (change.add) return `add:${hex(change.add)}`;
    if (change.psk) return `psk:${hex(text(change.psk))}`;
    if (change.group) return `group:${hex(change.group)}`;
    return `remove:${change.remove}`;
  }
  async propose(change) {
    return unhex((await this.ask("propose", Ours.word(change)))[0]);
  }
  async commit(changes, { withoutTree = false } = {}) {
    const words = changes.map(Ours.word);
    if (withoutTree) words.push("without-tree");
    const [commit, welcome] = (await this.ask("commit", ...words)).map(unhex);
    return { commit, welcome };
  }
  async accept() {
    await this.ask("accept");
  }
  async say(words, aad) {
    return unhex((await this.ask("say", hex(text(aad)), hex(text(words))))[0]);
  }
  async process(message) {
    const [kind, plain, aad] = await this.ask("process", hex(message));
    return kind === "application" ? { kind, plain: unhex(plain).toString(), aad: unhex(aad)?.toString() ?? "" } : { kind };
  }
  async info() {
    return unhex((await this.ask("info"))[0]);
  }
  async tree() {
    return unhex((await this.ask("tree"))[0]);
  }
  async look() {
    const [epoch, members, leaf, authenticator, exported] = await this.ask("look");
    return { epoch, members, leaf: Number(leaf), authenticator, exported };
  }
}

const HEADER = { version: "mls10" };
const encodeMessage = (m) => Buffer.from(mls.encodeMlsMessage({ ...HEADER, ...m }));
function decodeMessage(bytes, wireformat) {
  const decoded = mls.decodeMlsMessage(new Uint8Array(bytes), 0);
  if (decoded === undefined || decoded[1] !== bytes.length) throw new Error("not an MLSMessage");
  if (wireformat !== undefined && decoded[0].wireformat !== wireformat) throw new Error(`not ${wireformat}`);
  return decoded[0];
}
// One known extension with less than 64 bytes of data, as in a list on the wire.
const extensionOf = (b) => ({ extensionType: { 3: "required_capabilities" }[b[1]], extensionData: new Uint8Array(b.subarray(3)) });
const decodeTree = (bytes) => (bytes === null ? undefined : decodeRatchetTree(new Uint8Array(bytes), 0)[0]);

// An external_pub holds an HPKEPublicKey, a vector (RFC 9420 12.4.3.2, 7.6). ts-mls 1.6.4 writes
// and reads the bare key: GroupInfos of ours are read, and those for us are made, by the standard.
// The extension stays as it was signed, and only its key is unwrapped when it is imported.
function withExternalPub(impl, groupInfo) {
  const wrapped = groupInfo.extensions.find((e) => e.extensionType === "external_pub")?.extensionData;
  const importPublicKey = (key) => impl.hpke.importPublicKey(key === wrapped ? key.subarray(1) : key);
  return { ...impl, hpke: { ...impl.hpke, importPublicKey } };
}

export class Theirs {
  constructor(name, suite, how) {
    Object.assign(this, { name, suite, how, impl: suite.impl, wireAsPublicMessage: how === "public" });
  }
  async keyPackage() {
    const now = BigInt(Math.floor(Date.now() / 1000));
    this.signature ??= await this.impl.signature.keygen();
    this.keys = await mls.generateKeyPackageWithKey(
      { credentialType: "basic", identity: text(this.name) },
      mls.defaultCapabilities(),
      { notBefore: now - DAY, notAfter: now + DAY },
      [],
      this.signature,
      this.impl,
    );
    return encodeMessage({ wireformat: "mls_key_package", keyPackage: this.keys.publicPackage });
  }
  async create(id) {
    this.state = await mls.createGroup(text(id), this.keys.publicPackage, this.keys.privatePackage, [], this.impl);
  }
  async join(welcome, tree) {
    this.state = await mls.joinGroup(
      decodeMessage(welcome, "mls_welcome").welcome,
      this.keys.publicPackage,
      this.keys.privatePackage,
      mls.makePskIndex(undefined, this.psks()),
      this.impl,
      decodeTree(tree),
    );
  }
  async external(info, tree, { resync = null } = {}) {
    const { groupInfo } = decodeMessage(info, "mls_group_info");
    const { publicPackage, privatePackage } = this.keys;
    const { publicMessage, newState } = await mls.joinGroupExternal(
      groupInfo, publicPackage, privatePackage, resync !== null, withExternalPub(this.impl, groupInfo), decodeTree(tree));
    this.state = newState;
    return encodeMessage({ wireformat: "mls_public_message", publicMessage });
  }
  async askIn(info) {
    const { groupInfo } = decodeMessage(info, "mls_group_info");
    const { publicPackage, privatePackage } = this.keys;
    return Buffer.from(mls.encodeMlsMessage(await mls.proposeAddExternal(groupInfo, publicPackage, privatePackage, this.impl)));
  }
  psks() {
    return { [Buffer.from("the word").toString("base64")]: PSK_SECRET };
  }
  proposal(change) {
    if (change.add) return { proposalType: "add", add: { keyPackage: decodeMessage(change.add, "mls_key_package").keyPackage } };
    if (change.group) return { proposalType: "group_context_extensions", groupContextExtensions: { extensions: [extensionOf(change.group)] } };
    if (change.psk) {
      const preSharedKeyId = { psktype: "external", pskId: text(change.psk), pskNonce: this.impl.rng.randomBytes(this.impl.kdf.size) };
      return { proposalType: "psk", psk: { preSharedKeyId } };
    }
    return { proposalType: "remove", remove: { removed: change.remove } };
  }
  async propose(change) {
    const { newState, message } = await mls.createProposal(
      this.state, this.wireAsPublicMessage, this.proposal(change), this.impl, text("proposed"));
    this.state = newState;
    return Buffer.from(mls.encodeMlsMessage(message));
  }
  async commit(changes, { withoutTree = false } = {}) {
    const made = await mls.createCommit(
      { state: this.state, cipherSuite: this.impl, pskIndex: mls.makePskIndex(this.state, this.psks()) },
      {
        wireAsPublicMessage: this.wireAsPublicMessage,
        extraProposals: changes.map((c) => this.proposal(c)),
        ratchetTreeExtension: !withoutTree,
        authenticatedData: text("committed"),
      },
    );
    this.pending = made.newState;
    const welcome = made.welcome ? encodeMessage({ wireformat: "mls_welcome", welcome: made.welcome }) : null;
    return { commit: Buffer.from(mls.encodeMlsMessage(made.commit)), welcome };
  }
  async accept() {
    this.state = this.pending;
  }
  async say(words, aad) {
    const { newState, privateMessage } = await mls.createApplicationMessage(this.state, text(words), this.impl, text(aad));
    this.state = newState;
    return encodeMessage({ wireformat: "mls_private_message", privateMessage });
  }
  async process(message) {
    const { wireformat, privateMessage, publicMessage } = decodeMessage(message);
    const psks = mls.makePskIndex(this.state, this.psks());
    // processMessage would not hand the PSKs on for a private message.
    const done = wireformat === "mls_private_message"
      ? await mls.processPrivateMessage(this.state, privateMessage, psks, this.impl)
      : await mls.processPublicMessage(this.state, publicMessage, psks, this.impl);
    const aad = privateMessage?.authenticatedData ?? "";
    const before = this.state.groupContext.epoch;
    this.state = done.newState;
    if (done.kind === "applicationMessage") return { kind: "application", plain: Buffer.from(done.message).toString(), aad: Buffer.from(aad).toString() };
    if (this.state.groupActiveState.kind === "removedFromGroup") return { kind: "removed" };
    return { kind: this.state.groupContext.epoch === before ? "proposal" : "commit" };
  }
  async info() {
    const { publicKey } = await this.impl.hpke.deriveKeyPair(this.state.keySchedule.externalSecret);
    const key = await this.impl.hpke.exportPublicKey(publicKey);
    const externalPub = { extensionType: "external_pub", extensionData: new Uint8Array([key.length, ...key]) };
    const groupInfo = await createGroupInfo(
      this.state.groupContext, this.state.confirmationTag, this.state, [externalPub], this.impl);
    return encodeMessage({ wireformat: "mls_group_info", groupInfo });
  }
  async tree() {
    return Buffer.from(encode(ratchetTreeEncoder)(this.state.ratchetTree));
  }
  async look() {
    const { keySchedule, groupContext, ratchetTree, privatePath } = this.state;
    return {
      epoch: String(groupContext.epoch),
      members: String(ratchetTree.filter((n) => n?.nodeType === "leaf").length),
      leaf: privatePath.leafIndex,
      authenticator: hex(keySchedule.epochAuthenticator),
      exported: hex(await mls.mlsExporter(keySchedule.exporterSecret, "interop", text("context"), 32, this.impl)),
    };
  }
}

export async function suites() {
  const names = { 1: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519", 3: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519" };
  return Promise.all(
    Object.entries(names).map(async ([id, name]) => ({ id, impl: await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(name)) })),
  );
}
