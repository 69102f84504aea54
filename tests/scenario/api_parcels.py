"""What is left at a server for whoever has a link: /api/parcels, over HTTP."""
import contextlib
import hashlib
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person  # noqa: E402
from support.server import Server  # noqa: E402

MIB = 1024 * 1024
HEAD = 100


def sha(token):
    return hashlib.sha256(token).hexdigest()


class Parcel:
    """The sender's side."""

    def __init__(self, server, size=1000, downloads=1, lifetime=3600):
        self.person, self.size = Person(server), size
        self.access, self.owner = os.urandom(32), os.urandom(32)
        self.body = os.urandom(size)
        self.form = {"size": size, "head_size": HEAD, "downloads": downloads, "lifetime": lifetime,
                     "access": sha(self.access), "owner": sha(self.owner)}
        self.id = None

    def call(self, method, rest="", token=None, body=None, **headers):
        if token is not None:
            headers["Authorization"] = f"Parcel {token.hex()}"
        return self.person.call(method, f"/api/parcels/{self.id}{rest}", body, auth=None, headers=headers)

    def create(self, **changes):
        got = self.person.post("/api/parcels", {**self.form, **changes}, auth=None)
        if got.status == 201:
            self.id = got.json["id"]
        return got

    def patch(self, offset, part, token=None, **headers):
        return self.person.raw("PATCH", f"/api/parcels/{self.id}", part,
                               {"Authorization": f"Parcel {(token or self.owner).hex()}",
                                "Upload-Offset": str(offset), **headers})

    def fill(self):
        tap.equal(self.create().status, 201, "created")
        got = self.patch(0, self.body)
        tap.equal((got.status, got.headers.get("upload-offset")), (204, str(self.size)), "uploaded")
        return self

    def status(self):
        return self.call("GET", token=self.owner).json

    def claim(self, token):
        return self.call("POST", "/claims", self.access, {"claim": sha(token)})

    def content(self, token, range_=None):
        return self.call("GET", "/content", token, **({"Range": f"bytes={range_}"} if range_ else {}))

    def commit(self, token, receipt=b"r" * 40):
        return self.call("POST", "/commit", token, {"receipt": receipt.hex()})


def roomy():
    return Server(MAX_FILE_SIZE=4 * MIB, PARCEL_ROOM=8 * MIB, PARCEL_RATE=0)


@contextlib.contextmanager
def world():
    with roomy() as server:
        yield server


@tap.case
def a_parcel_goes_through(server):
    before = server.count_blobs()
    p, token = Parcel(server, 300_000).fill(), os.urandom(32)
    tap.equal(server.count_blobs(), before + 1, "a blob")
    seen = p.status()
    tap.equal((seen["state"], seen["size"], seen["head_size"], seen["downloads"], seen["claims"]),
              ("ready", 300_000, HEAD, 1, []), "status")
    got = p.claim(token)
    tap.equal((got.status, got.json["size"], got.json["head_size"]), (201, 300_000, HEAD), "claimed")
    tap.equal(p.claim(token).json["lapses_at"], got.json["lapses_at"], "the same claim again")
    got = p.content(token, f"0-{HEAD - 1}")
    tap.equal((got.status, got.body), (206, p.body[:HEAD]), "the head")
    tap.equal(got.headers.get("cache-control"), "no-store", "not to be kept")
    tap.equal(p.status()["claims"][0]["state"], "reserved", "the head spends nothing")
    tap.equal(p.commit(token).status, 409, "nothing was fetched")
    got = p.content(token)
    tap.equal((got.status, got.body), (200, p.body), "all of it")
    tap.equal(p.status()["claims"][0]["state"], "begun", "begun")
    tap.equal(p.content(token, "299990-").body, p.body[299_990:], "and again, in part")
    got = p.commit(token, b"m" * 40)
    tap.equal(got.status, 200, "committed")
    tap.equal(p.commit(token, b"n" * 40).status, 200, "said again")
    seen = p.status()
    tap.equal((seen["state"], len(seen["claims"])), ("taken", 1), "taken")
    tap.equal((seen["claims"][0]["state"], seen["claims"][0]["claim"], seen["claims"][0]["receipt"]),
              ("done", sha(token), (b"m" * 40).hex()), "the receipt that came first")
    tap.equal(p.content(token).status, 410, "no content any more")
    tap.equal(p.claim(os.urandom(32)).status, 410, "no claim any more")
    tap.equal(server.settle_blobs(before), before, "the blob has gone")


@tap.case
def a_condition_on_a_range_does_not_get_content_for_nothing(server):
    p, token = Parcel(server, 5000).fill(), os.urandom(32)
    p.claim(token)
    got = p.call("GET", "/content", token, Range="bytes=0-0", **{"If-Range": '"x"'})
    tap.equal((got.status, got.body), (200, p.body), "no version that it could be of: all of it")
    tap.equal(p.status()["claims"][0]["state"], "begun", "and that spends the place")
    tap.equal(p.call("DELETE", "/claims", token).status, 409, "which is not given back")


@tap.case
def an_upload_comes_in_parts_that_count_whole(server):
    p = Parcel(server, 5000)
    p.create()
    tap.equal(p.patch(0, p.body[:2000]).headers.get("upload-offset"), "2000", "first part")
    tap.equal(p.claim(os.urandom(32)).code, "PARCEL_BUSY", "not to be had yet")
    got = p.patch(0, p.body[:2000])
    tap.equal((got.status, got.code), (409, "WRONG_OFFSET"), "the same again")
    tap.equal(p.patch(2000, p.body[2000:] + b"x").code, "TOO_LARGE", "beyond the end")
    tap.equal(p.patch(2000, b"", **{"Upload-Offset": "x"}).code, "INVALID_HEADER", "no offset")
    torn_upload(server, p, 2000, p.body[2000:3000], 2500)
    tap.equal(p.status()["offset"], 2000, "a torn part does not count")
    server.kill()
    server.start()
    tap.equal((p.status()["offset"], p.status()["state"]), (2000, "coming"), "after a crash")
    tap.equal(p.patch(2000, p.body[2000:]).status, 204, "the rest")
    token = os.urandom(32)
    p.claim(token)
    tap.equal(p.content(token).body, p.body, "nothing of the torn part")
    tap.equal(p.patch(5000, b"").code, "WRONG_OFFSET", "it is ready")


def torn_upload(server, p, offset, part, announced):
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        s.sendall((f"PATCH /api/parcels/{p.id} HTTP/1.1\r\nHost: x\r\nUpload-Offset: {offset}\r\n"
                   f"Authorization: Parcel {p.owner.hex()}\r\n"
                   f"Content-Length: {announced}\r\n\r\n").encode() + part)
    until = time.monotonic() + 30  # its end is heard by the server when it is
    while p.patch(offset, b"").status == 423 and time.monotonic() < until:
        time.sleep(0.02)


@tap.case
def fifty_at_once_get_three(server):
    p = Parcel(server, 50_000, downloads=3).fill()
    tokens = [os.urandom(32) for _ in range(50)]
    answers = {}

    def one(token):
        answers[token] = p.claim(token).status
    threads = [threading.Thread(target=one, args=(t,)) for t in tokens]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    won = [t for t in tokens if answers[t] == 201]
    tap.equal(sorted(answers.values()), [201] * 3 + [409] * 47, "claims")
    # All fetch and commit at once, each of them twice.
    results = []

    def fetch(token):
        got = p.content(token)
        results.append((got.status, got.body == p.body, p.commit(token).status))
    threads = [threading.Thread(target=fetch, args=(t,)) for t in won]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tap.equal(results, [(200, True, 200)] * 3, "each got all of it")
    tap.equal(p.status()["state"], "taken", "taken")
    tap.equal(p.claim(os.urandom(32)).status, 410, "and no fourth")


@tap.case
def what_was_begun_is_spent_and_what_was_reserved_is_not(server):
    p, first, second = Parcel(server).fill(), os.urandom(32), os.urandom(32)
    p.claim(first)
    tap.equal(p.claim(second).code, "PARCEL_BUSY", "reserved")
    tap.equal(p.call("DELETE", "/claims", first).status, 200, "given back")
    tap.equal(p.call("DELETE", "/claims", first).status, 404, "it is not there any more")
    tap.equal(p.content(first).status, 404, "nor good for anything")
    tap.equal(p.claim(second).status, 201, "and had by another")
    tap.equal(p.content(second, f"{HEAD}-{HEAD}").status, 206, "one byte of the content")
    tap.equal(p.call("DELETE", "/claims", second).status, 409, "is not given back")
    server.stop()
    server.sql("UPDATE parcel_claims SET lapses_at = 1")
    server.start()
    tap.equal(p.claim(first).code, "PARCEL_BUSY", "nor does it lapse")
    tap.equal(p.content(second).body, p.body, "who has it goes on after a restart")
    q, late = Parcel(server).fill(), os.urandom(32)
    q.claim(late)
    server.stop()
    server.sql("UPDATE parcel_claims SET lapses_at = 1")
    server.start()
    tap.equal(q.content(late).status, 404, "lapsed")
    tap.equal(q.claim(first).status, 201, "its place is free")


@tap.case
def a_crash_forgets_no_download(server):
    p, token, more = Parcel(server, 2000, downloads=2).fill(), os.urandom(32), os.urandom(32)
    p.claim(token)
    p.content(token)
    server.kill()
    server.start()
    tap.equal(p.status()["claims"][0]["state"], "begun", "begun, still")
    tap.equal(p.commit(token).status, 200, "committed")
    server.kill()
    server.start()
    tap.equal(p.status()["claims"][0]["state"], "done", "done, still")
    tap.equal(p.claim(more).status, 201, "one is left")
    tap.equal(p.claim(os.urandom(32)).code, "PARCEL_BUSY", "and only one")


@tap.case
def revoked_is_gone(_):
    with roomy() as server:  # where nothing else comes or goes
        before = server.count_blobs()
        p, token = Parcel(server, downloads=5).fill(), os.urandom(32)
        p.claim(token)
        tap.equal(p.call("DELETE", token=p.access).status, 404, "by who only has the link")
        tap.equal(p.call("DELETE", token=p.owner).status, 200, "revoked")
        tap.equal(p.call("DELETE", token=p.owner).status, 200, "again")
        tap.equal((p.status()["state"], p.content(token).status, p.claim(token).status),
                  ("revoked", 404, 410), "afterwards: the claim has gone with it")
        tap.equal(server.settle_blobs(before), before, "no blob")
        q = Parcel(server)
        q.create()
        q.patch(0, q.body[:500])
        q.call("DELETE", token=q.owner)
        tap.equal(q.patch(500, q.body[500:]).status, 410, "an upload under way, too")
        tap.equal(server.settle_blobs(before), before, "nothing of it stays")


@tap.case
def time_ends_it(_):
    with roomy() as server:  # where nothing else comes or goes
        before = server.count_blobs()
        p, token = Parcel(server, downloads=5).fill(), os.urandom(32)
        p.claim(token)
        server.stop()
        server.sql("UPDATE parcels SET expires_at = created_at - 1 WHERE id = ?", p.id)
        server.start()
        tap.equal((p.status()["state"], p.content(token).status, p.claim(token).status),
                  ("expired", 404, 410), "afterwards: the claim has gone with it")
        tap.equal(server.settle_blobs(before), before, "no blob")


@tap.case
def tokens_are_for_what_they_are(server):
    p, token, wrong = Parcel(server).fill(), os.urandom(32), os.urandom(32)
    unknown = Parcel(server)
    unknown.id = "0" * 32
    p.claim(token)
    for name, bad in (("none", None), ("another", wrong), ("owner's", p.owner), ("access", p.access),
                      ("claim's", token)):
        for method, rest, body, right in (
                ("GET", "", None, "owner's"), ("DELETE", "", None, "owner's"),
                ("POST", "/claims", {"claim": sha(wrong)}, "access"),
                ("DELETE", "/claims", None, "claim's"), ("GET", "/content", None, "claim's"),
                ("POST", "/commit", {"receipt": "00" * 40}, "claim's")):
            if name != right:
                got, other = p.call(method, rest, bad, body), unknown.call(method, rest, bad, body)
                tap.equal((got.status, other.status), (404, 404), f"{method} {rest} with {name} token")
    for text in ("Parcel", "Parcel x", f"Parcel {p.owner.hex()}0", f"Bearer {p.owner.hex()}"):
        got = p.person.call("GET", f"/api/parcels/{p.id}", auth=None, headers={"Authorization": text})
        tap.equal(got.status, 404, f"Authorization: {text[:10]}")
    tap.equal(p.patch(0, b"x", wrong).status, 404, "an upload by another")
    tap.equal(p.status()["state"], "ready", "nothing has happened")


@tap.case
def forms_are_checked(server):
    p = Parcel(server)
    for change, status in (({"size": 1}, 422), ({"size": -1}, 400), ({"size": "7"}, 400),
                           ({"size": 2 ** 53}, 400), ({"head_size": 0}, 422), ({"head_size": 1000}, 422),
                           ({"downloads": 0}, 422), ({"downloads": 1001}, 422), ({"lifetime": 59}, 422),
                           ({"lifetime": 7 * 24 * 3600 + 1}, 422), ({"access": "00"}, 422),
                           ({"access": "g" * 64}, 422), ({"owner": 7}, 400), ({"owner": "0" * 65}, 422),
                           ({"size": 4 * MIB + 1}, 413)):
        tap.equal(p.create(**change).status, status, f"create with {change}")
    got = p.person.call("POST", "/api/parcels", p.form, auth=None, headers={"Origin": "https://evil.example"})
    tap.equal((got.status, got.code), (403, "NOT_ALLOWED"), "by a page of another origin")
    got = p.person.call("POST", "/api/parcels", p.form, auth=None, headers={"Origin": server.url})
    tap.equal(got.status, 201, "by the server's own")
    p.fill()
    for claim in (None, "", "0" * 63, "0" * 66, "z" * 64):
        got = p.call("POST", "/claims", p.access, {"claim": claim})
        tap.one_of(got.status, (400, 422), f"claim {claim}")
    token = os.urandom(32)
    p.claim(token)
    p.content(token)
    for receipt in (None, "", "00" * 39, "00" * 41):
        got = p.call("POST", "/commit", token, {"receipt": receipt})
        tap.one_of(got.status, (400, 422), f"receipt {receipt}")
    tap.equal(p.content(token, "1000-").status, 416, "a range behind the end")


@tap.case
def the_room_is_bounded(server):
    server.restart()
    kept = [Parcel(server, 3 * MIB) for _ in range(8)]
    answers = [p.create() for p in kept]
    statuses = [a.status for a in answers]
    tap.check(201 in statuses and 507 in statuses, f"until there is no room: {statuses}")
    tap.equal(sorted(statuses), statuses, "and none beyond it")
    for p, a in zip(kept, answers):
        if a.status == 201:
            p.call("DELETE", token=p.owner)
    tap.equal(kept[-1].create().status, 201, "and there is again")
    kept[-1].call("DELETE", token=kept[-1].owner)


@tap.case
def operators_may_switch_it_off_or_slow_it(server):
    with Server(PARCEL_ROOM=0) as off:
        got = Parcel(off).create()
        tap.equal((got.status, got.code), (403, "PARCELS_OFF"), "off")
    with Server(PARCEL_RATE=1) as slow:
        statuses = [Parcel(slow, 5 * MIB).create().status for _ in range(4)]
        tap.equal(statuses, [201, 201, 429, 429], "16 MiB at once")
        tap.equal(Parcel(slow, 50 * MIB).create().status, 429, "nor a large one")


@tap.case
def the_store_holds_no_token(server):
    p, token = Parcel(server).fill(), os.urandom(32)
    p.claim(token)
    p.content(token)
    server.stop()
    held = b""
    for folder, _, files in os.walk(server.data):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                held += f.read()
    for name, secret in (("access", p.access), ("owner", p.owner), ("claim", token)):
        tap.check(secret not in held and secret.hex().encode() not in held, f"{name} token on the disk")
    log = server.log()
    tap.check(p.owner.hex() not in log and p.access.hex() not in log, "a token in the log")
    server.start()


tap.main(world)
