"""All that a browser sends, byte by byte, while two people use the app: no word of theirs, no name of
a file, no password and no key is in it, in any common writing."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import uuid

import nacl.pwhash.argon2id
import nacl.signing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import Member, button  # noqa: E402
from support.browser import Browser  # noqa: E402
from support.client import password_hash, pem  # noqa: E402
from support.marks import found  # noqa: E402
from support.server import Server  # noqa: E402
from support.wire import Wire  # noqa: E402

# docs/protocol.md 2: the seed of the signing key, and the key of the local store.
DERIVE = {"the signing key": b"tacit account signing key v1", "the store's key": b"tacit account derived key v1: store"}
UNWRAP = """
const [key, iv, aad, sealed] = process.argv.slice(1).map((hex) => Buffer.from(hex, 'hex'));
const open = require('crypto').createDecipheriv('aes-256-gcm', key, iv).setAAD(aad)
    .setAuthTag(sealed.subarray(-16));
process.stdout.write(Buffer.concat([open.update(sealed.subarray(0, -16)), open.final()]));
"""


# All that a page keeps beyond its own life, as one text of hex.
KEPT = """
const parts = [JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href])];
const readable = [];
const add = (value) => {
    if (typeof value === 'string') parts.push(value);
    else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) parts.push(value);
    else if (value instanceof CryptoKey) readable.push(value.extractable);
    else if (typeof value === 'object' && value !== null) Object.entries(value).flat().forEach(add);
};
const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
});
const names = [];
for (const { name } of await indexedDB.databases()) {
    const db = await done(indexedDB.open(name));
    for (const store of db.objectStoreNames) {
        names.push(store);
        const all = db.transaction(store).objectStore(store);
        const [keys, values] = await Promise.all([done(all.getAllKeys()), done(all.getAll())]);
        add([keys, values]);
    }
    db.close();
}
for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
        add(request.url);
        if (!new URL(request.url).pathname.startsWith('/assets/')) add(await (await cache.match(request)).text());
    }
}
const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
return { names, readable, hex: Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('') };
"""


def secret_mark():
    return f"mark-{uuid.uuid4().hex}"


class World:
    def __init__(self, server, browser, wire):
        self.wire = wire
        self.said = {name: secret_mark() for name in (
            "a message", "an answer", "a changed message", "a caption", "a group", "a draft", "a search")}
        self.file = os.path.join(browser.folder, f"{secret_mark()}.txt")
        self.content = f"{secret_mark()}\n" * 3000
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(self.content)
        self.alice = Member(browser, wire.url, "alice", password=f"pass 7! {secret_mark()}").register()
        self.bob = Member(browser, wire.url, "bob", password=f"pass 7! {secret_mark()}").register()
        self.live()

    def live(self):
        """Everything that carries something of theirs."""
        a, b, said = self.alice, self.bob, self.said
        a.begin("Direct chat", "bob")
        a.say(said["a message"])
        b.talk("alice")
        b.hears(said["a message"])
        b.act(said["a message"], "Reply")
        b.say(said["an answer"])
        a.hears(said["an answer"])
        a.act(said["a message"], "Edit")
        a.say(said["a changed message"])
        b.hears(said["a changed message"])
        a.attach(self.file)
        a.say(said["a caption"])
        b.hears(said["a caption"])
        b.save(os.path.basename(self.file), self.file + ".got")
        a.begin("Group", "bob", name=said["a group"])
        a.say("in the group")
        b.talk(said["a group"])
        b.hears("in the group")
        b.page.fill("textarea", said["a draft"])
        a.page.fill("role=searchbox[name='Search people and messages']", said["a search"][5:20])
        a.page.fill("role=searchbox[name='Search people and messages']", "")
        b.from_menu("Lock")
        b.page.see(button("Unlock"))
        b.unlock()

    def marks(self):
        marks = {name: text.encode() for name, text in self.said.items()}
        marks["the file's name"] = os.path.basename(self.file)[:-4].encode()
        marks["the file"] = self.content[:37].encode()
        for who in (self.alice, self.bob):
            marks[f"{who.username}'s password"] = who.password.encode()
            marks.update({f"{name} of {who.username}": key for name, key in self.keys(who).items()})
        return marks

    def registration(self, who):
        """What the browser gave the server at registration."""
        name = json.dumps(who.username).encode()
        body = next(b for b in bodies(self.wire.sent()) if b'"encrypted_private_key"' in b and name in b)
        return json.loads(body)["data"]

    def keys(self, who):
        """With the password, as the protocol says: what only the person can compute."""
        data = self.registration(who)
        tap.equal(data["password_hash"], password_hash(who.password, who.email), "the login hash")
        wrapped = base64.b64decode(data["encrypted_private_key"])
        memory, passes = (int.from_bytes(wrapped[at:at + 4], "big") for at in (1, 5))
        key = nacl.pwhash.argon2id.kdf(32, who.password.encode(), wrapped[9:25], opslimit=passes,
                                       memlimit=memory * 1024)
        label, name = b"tacit account wrap v1", who.username.lower().encode()
        aad = bytes([len(label)]) + label + wrapped[:25] + bytes([len(name)]) + name
        given = [key.hex(), data["encryption_iv"], aad.hex(), wrapped[25:].hex()]
        secret = subprocess.run(["node", "-e", UNWRAP, *given], capture_output=True, check=True,
                                timeout=60).stdout
        keys = {"the wrapping key": key, "the account secret": secret}
        keys.update({what: derive(secret, label) for what, label in DERIVE.items()})
        public = nacl.signing.SigningKey(keys["the signing key"]).verify_key
        tap.equal(data["public_key"], pem(bytes(public)), "the account key is that of the secret")
        return keys


def derive(secret, label):
    """HKDF-SHA256 with an empty salt, one block (docs/protocol.md 1)."""
    prk = hmac.new(b"\0" * 32, secret, hashlib.sha256).digest()
    return hmac.new(prk, label + b"\1", hashlib.sha256).digest()


def bodies(connections):
    """The bodies of the requests in what was sent."""
    for data in connections:
        for match in re.finditer(rb"content-length: (\d+)\r\n", data, re.IGNORECASE):
            start = data.index(b"\r\n\r\n", match.end() - 2) + 4
            yield data[start:start + int(match[1])]


@contextlib.contextmanager
def world():
    with Server() as server, Browser() as browser:
        wire = Wire(server)
        try:
            yield World(server, browser, wire)
        finally:
            wire.close()


@tap.case
def the_search_finds_what_is_there(w):
    """Else it would prove nothing: names, and what the server needs, were sent."""
    sent = b"\n".join(w.wire.sent())
    tap.check(len(sent) > 100_000, f"{len(sent)} bytes")
    open_marks = {"a username": b"alice", "a login hash": w.registration(w.alice)["password_hash"].encode()}
    tap.equal(sorted({name for name, _ in found(sent, open_marks)}), sorted(open_marks), "found")
    tap.check(b"send_message" in sent or b"typing" in sent or b"join_room" in sent, "no frame was unmasked")
    padded = base64.b64encode(b"xx" + w.said["a message"].encode() + b"yy")
    tap.check(found(padded, {"m": w.said["a message"].encode()}), "a mark within base64")


@tap.case
def nothing_of_it_leaves_the_browser(w):
    marks = w.marks()
    tap.check(len(marks) >= 19, f"{len(marks)} marks")
    hits = set()
    for data in w.wire.sent():
        hits |= set(found(data, marks))
    tap.equal(sorted(hits), [], "on the wire")


@tap.case
def nothing_of_it_is_kept_in_the_clear(w):
    marks = w.marks()
    for page in (w.alice.page, w.bob.page):
        kept = page.run(KEPT)
        tap.equal(sorted(kept["names"]), ["log", "meta", "records"], f"{page.name}: where it is kept")
        tap.equal(kept["readable"], [False], f"{page.name}: keys that a script can read")
        data = bytes.fromhex(kept["hex"])
        tap.check(len(data) > 10_000 and w.wire.url.encode() in data, f"{page.name}: {len(data)} bytes")
        tap.equal(sorted({name for name, _ in found(data, marks)}), [], f"{page.name}: in the clear")


@tap.case
def everything_went_to_the_server_alone(w):
    for page in (w.alice.page, w.bob.page):
        names = page.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        tap.equal([n for n in names if not n.startswith((w.wire.url, "blob:"))], [], page.name)


tap.main(world)
