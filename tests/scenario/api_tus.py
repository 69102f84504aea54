"""Resumable uploads over HTTP by tus 1.0.0."""
import contextlib
import hashlib
import http.client
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64, download, http_date  # noqa: E402
from support.server import Server  # noqa: E402
from support.tus import file_id, patch, tus, tus_create  # noqa: E402

MIB = 1024 * 1024
EXTENSIONS = {"creation", "creation-with-upload", "creation-defer-length", "termination", "checksum",
              "expiration"}


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob, self.eve = (Person(server).register() for _ in range(3))
        self.group = self.alice.conversation("group", self.bob)


@contextlib.contextmanager
def world():
    with Server(MAX_FILE_SIZE=4 * MIB) as server:
        yield World(server)


@tap.case
def tus_tells_what_it_can(w):
    got = tus(w.alice, "OPTIONS", "/api/files/tus", version=None)
    tap.one_of(got.status, (200, 204), "OPTIONS")
    tap.check("1.0.0" in got.headers.get("tus-version", ""), "Tus-Version")
    tap.check(EXTENSIONS <= set(re.split(r",\s*", got.headers.get("tus-extension", ""))),
              f"Tus-Extension {got.headers.get('tus-extension')}")
    tap.equal(got.headers.get("tus-max-size"), str(4 * MIB), "Tus-Max-Size")
    tap.check("sha256" in got.headers.get("tus-checksum-algorithm", ""), "Tus-Checksum-Algorithm")
    tap.check("sha1" in got.headers.get("tus-checksum-algorithm", ""), "sha1, as the standard demands")


@tap.case
def tus_uploads_in_pieces(w):
    content = os.urandom(300_000)
    got = tus_create(w.alice, len(content), conversation=w.group)
    tap.equal(got.status, 201, "created")
    place = got.headers["location"]
    tap.check("/api/files/tus/" in place, f"Location {place}")
    tap.check(http_date(got.headers["upload-expires"]).timestamp() > time.time(), "Upload-Expires")
    got = tus(w.alice, "HEAD", place)
    tap.equal((got.status, got.headers.get("upload-offset"), got.headers.get("upload-length")),
              (200, "0", "300000"), "HEAD at the start")
    tap.check("no-store" in got.headers.get("cache-control", ""), "Cache-Control: no-store")
    tap.check("conversation_id" in got.headers.get("upload-metadata", ""), "Upload-Metadata")
    at = 0
    for size in (1, 99_999, 0, 200_000):
        got = patch(w.alice, place, at, content[at:at + size])
        at += size
        tap.equal((got.status, got.headers.get("upload-offset")), (204, str(at)), f"PATCH of {size}")
    digest = hashlib.sha256(content).hexdigest()
    tap.equal(got.headers.get("tacit-file-sha256"), digest, "the hash at the end")
    got = tus(w.alice, "HEAD", place)
    tap.equal((got.headers.get("upload-offset"), got.headers.get("tacit-file-sha256")),
              ("300000", digest), "HEAD of the finished one")
    for person in (w.alice, w.bob):
        tap.check(download(person, file_id(place)).body == content, "download")
    tap.equal(download(w.eve, file_id(place)).status, 404, "an outsider")


@tap.case
def tus_takes_the_first_piece_with_the_creation(w):
    got = tus_create(w.alice, 10, b"01234")
    tap.equal((got.status, got.headers.get("upload-offset")), (201, "5"), "half of it")
    got = patch(w.alice, got.headers["location"], 5, b"56789")
    tap.equal(got.status, 204, "the rest")
    got = tus_create(w.alice, 4, b"abcd")
    tap.equal((got.status, got.headers.get("upload-offset")), (201, "4"), "all of it")
    tap.equal(download(w.alice, file_id(got.headers["location"])).body, b"abcd", "content")
    got = tus_create(w.alice, 0)
    tap.equal(got.status, 201, "an empty file")
    got = tus(w.alice, "HEAD", got.headers["location"])
    tap.equal(got.headers.get("upload-offset"), "0", "its offset")


@tap.case
def tus_learns_the_length_later(w):
    got = tus_create(w.alice, None, Upload_Defer_Length=1)
    tap.equal(got.status, 201, "created")
    place = got.headers["location"]
    got = patch(w.alice, place, 0, b"0123")
    tap.equal(got.status, 204, "a piece")
    got = tus(w.alice, "HEAD", place)
    tap.equal((got.headers.get("upload-defer-length"), got.headers.get("upload-length")), ("1", None),
              "not known yet")
    tap.one_of(patch(w.alice, place, 4, b"", Upload_Length=3).status, (400, 409, 413, 422),
               "a length below the offset")
    tap.equal(patch(w.alice, place, 4, b"4567", Upload_Length=10).status, 204, "the length")
    tap.one_of(patch(w.alice, place, 8, b"89", Upload_Length=11).status, (400, 409, 422), "another length")
    tap.equal(patch(w.alice, place, 8, b"89").status, 204, "the rest")
    tap.equal(download(w.alice, file_id(place)).body, b"0123456789", "content")
    for bad in ({"Upload_Defer_Length": 2}, {"Upload_Defer_Length": 1, "Upload_Length": 5}, {}):
        tap.one_of(tus(w.alice, "POST", "/api/files/tus", **bad).status, (400, 413), f"{bad}")


@tap.case
def tus_refuses_what_does_not_fit(w):
    place = tus_create(w.alice, 10).headers["location"]
    for offset in (1, 10, 11):
        got = patch(w.alice, place, offset, b"x")
        tap.equal((got.status, got.code), (409, "WRONG_OFFSET"), f"offset {offset}")
    for offset in ("x", "-1", "", "1.0", "99999999999999999999"):
        tap.one_of(patch(w.alice, place, offset, b"x").status, (400, 409), f"offset {offset!r}")
    tap.equal(tus(w.alice, "PATCH", place, b"x").status, 400, "no offset")
    got = patch(w.alice, place, 0, b"x" * 11)
    tap.one_of(got.status, (400, 413), "more than the length")
    tap.equal(patch(w.alice, place, 0, b"x", Content_Type="text/plain").status, 415, "content type")
    tap.equal(tus(w.alice, "HEAD", place).headers.get("upload-offset"), "0", "nothing was taken")
    tap.equal(patch(w.alice, place, 0, b"01234").status, 204, "half of it")
    for offset in (0, 4, 6):
        tap.equal(patch(w.alice, place, offset, b"5").status, 409, f"offset {offset} after five bytes")
    for length in (4 * MIB + 1, 2**63, 2**64):
        tap.one_of(tus_create(w.alice, length).status, (400, 413), f"length {length}")
    for length in ("-1", "x", "", "1.5", "0x10", "+5"):
        tap.equal(tus_create(w.alice, length).status, 400, f"length {length!r}")
    for metadata in ("conversation_id !!!", "conversation_id", f"conversation_id {b64(b'x')}",
                     f"conversation_id {b64(b'1')},conversation_id {b64(b'1')}", ",", "a b c"):
        tap.one_of(tus_create(w.alice, 5, Upload_Metadata=metadata).status, (400, 404, 422), metadata)
    tap.equal(tus_create(w.eve, 5, conversation=w.group).status, 404, "a foreign conversation")


@tap.case
def tus_speaks_one_version(w):
    place = tus_create(w.alice, 10).headers["location"]
    for version in (None, "0.2.2", "1.0.1", ""):
        for method, target in (("POST", "/api/files/tus"), ("HEAD", place), ("PATCH", place),
                               ("DELETE", place)):
            headers = {"Upload_Length": 5} if method == "POST" else {"Upload_Offset": 0}
            got = tus(w.alice, method, target, b"x" if method == "PATCH" else None, version, **headers)
            tap.equal(got.status, 412, f"{method} with {version!r}")
            tap.equal(got.headers.get("tus-version"), "1.0.0", f"{method}: Tus-Version")
    tap.equal(tus(w.alice, "HEAD", place).headers.get("upload-offset"), "0", "nothing happened")


@tap.case
def tus_checks_checksums(w):
    place = tus_create(w.alice, 8).headers["location"]
    digests = {n: b64(hashlib.new(n, b"0123").digest()) for n in ("sha1", "sha256")}
    got = patch(w.alice, place, 0, b"0124", Upload_Checksum=f"sha256 {digests['sha256']}")
    tap.equal((got.status, got.code), (460, "CHECKSUM_MISMATCH"), "mismatch")
    tap.equal(tus(w.alice, "HEAD", place).headers.get("upload-offset"), "0", "was not taken")
    for bad in ("md5 " + b64(b"x" * 16), "sha256", "sha256 !!!", "sha256 " + b64(b"x"), "", "x y z"):
        tap.equal(patch(w.alice, place, 0, b"0123", Upload_Checksum=bad).status, 400, bad)
    got = patch(w.alice, place, 0, b"0123", Upload_Checksum=f"sha1 {digests['sha1']}")
    tap.equal(got.status, 204, "sha1")
    got = patch(w.alice, place, 4, b"0123", Upload_Checksum=f"sha256 {digests['sha256']}")
    tap.equal(got.status, 204, "sha256")
    tap.equal(download(w.alice, file_id(place)).body, b"01230123", "content")


@tap.case
def tus_checks_checksums_over_blocks(w):
    body = bytes(i * 7 % 251 for i in range(700_001))  # comes in several pieces
    place = tus_create(w.alice, len(body)).headers["location"]
    leaves = b"".join(hashlib.sha256(body[at:at + 65552]).digest() for at in range(0, len(body), 65552))
    checksum = f"sha256-blocks-65552 {b64(hashlib.sha256(leaves).digest())}"
    got = patch(w.alice, place, 0, body[:-1] + b"x", Upload_Checksum=checksum)
    tap.equal((got.status, got.code), (460, "CHECKSUM_MISMATCH"), "mismatch")
    plain = f"sha256-blocks-65552 {b64(hashlib.sha256(body).digest())}"
    tap.equal(patch(w.alice, place, 0, body, Upload_Checksum=plain).status, 460, "over the body")
    tap.equal(patch(w.alice, place, 0, body, Upload_Checksum=checksum.replace("65552", "9")).status, 400, "too small")
    tap.equal(tus(w.alice, "HEAD", place).headers.get("upload-offset"), "0", "was not taken")
    tap.equal(patch(w.alice, place, 0, body, Upload_Checksum=checksum).status, 204, "it fits")
    tap.equal(download(w.alice, file_id(place)).body, body, "content")


@tap.case
def tus_ends_uploads(_):
    with Server() as server:  # where nothing else comes or goes
        alice, bob = (Person(server).register() for _ in range(2))
        before = server.count_blobs()
        place = tus_create(alice, 10, b"01234").headers["location"]
        tap.equal(tus(bob, "DELETE", place).status, 404, "another's")
        tap.equal(tus(alice, "DELETE", place).status, 204, "one's own")
        for method in ("HEAD", "DELETE"):
            tap.one_of(tus(alice, method, place).status, (404, 410), f"{method} afterwards")
        tap.one_of(patch(alice, place, 5, b"x").status, (404, 410), "PATCH afterwards")
        tap.equal(server.settle_blobs(before), before, "the disk is free")


@tap.case
def tus_uploads_belong_to_their_owner(w):
    place = tus_create(w.alice, 10, conversation=w.group).headers["location"]
    for person in (w.bob, w.eve):
        tap.equal(tus(person, "HEAD", place).status, 404, "HEAD")
        tap.equal(patch(person, place, 0, b"x").status, 404, "PATCH")
    tap.equal(tus(w.alice, "HEAD", f"/api/files/tus/{'0' * 32}").status, 404, "unknown")
    for bad in ("x", "..%2f"):
        tap.equal(w.alice.call("HEAD", f"/api/files/tus/{bad}").status, 404, bad)
    tap.equal(download(w.alice, file_id(place)).status, 404, "not a file yet")
    for method in ("HEAD", "PATCH", "DELETE"):
        got = w.alice.call(method, place, b"x" if method == "PATCH" else None, auth=None, headers={
            "Tus-Resumable": "1.0.0", "Upload-Offset": "0",
            "Content-Type": "application/offset+octet-stream"})
        tap.equal(got.status, 401, f"{method} by nobody")


@tap.case
def tus_keeps_what_came_before_the_line_broke(w):
    content = os.urandom(2 * MIB)
    place = tus_create(w.alice, len(content)).headers["location"]
    with socket.create_connection(("127.0.0.1", w.server.port)) as s:
        s.sendall(f"PATCH {place} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {w.alice.token}\r\n"
                  "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                  "Content-Type: application/offset+octet-stream\r\n"
                  f"Content-Length: {len(content)}\r\n\r\n".encode() + content[:MIB])
        time.sleep(0.3)
    until = time.monotonic() + 30
    while True:  # what lay in the kernel may still be counted
        at = settled_offset(w.alice, place)
        tap.check(0 < at <= MIB, f"offset {at}")
        got = patch(w.alice, place, at, content[at:])
        if got.status != 409 or time.monotonic() > until:
            break
    tap.equal(got.status, 204, "the rest")
    tap.check(download(w.alice, file_id(place)).body == content, "content")


def settled_offset(person, place):
    """The offset once the server has noticed that the line is broken."""
    at, until = -1, time.monotonic() + 30
    while time.monotonic() < until:
        now = int(tus(person, "HEAD", place).headers.get("upload-offset", -1))
        if now == at and now > 0:
            break
        at = now
        time.sleep(0.1)
    return at


@tap.case
def tus_goes_on_after_a_crash(w):
    with Server() as server:
        p = Person(server).register()
        content = os.urandom(3 * MIB)
        place = tus_create(p, len(content)).headers["location"]
        tap.equal(patch(p, place, 0, content[:MIB]).status, 204, "the first MiB")
        sender = threading.Thread(target=_patch_until_broken, args=(server, p, place, content))
        sender.start()
        time.sleep(0.2)
        server.kill()
        sender.join()
        server.start()
        at = int(tus(p, "HEAD", place).headers["upload-offset"])
        tap.check(MIB <= at <= 2 * MIB, f"offset {at}")
        got = patch(p, place, at, content[at:])
        tap.equal(got.status, 204, "the rest")
        tap.equal(got.headers.get("tacit-file-sha256"), hashlib.sha256(content).hexdigest(), "hash")
        tap.check(download(p, file_id(place)).body == content, "content")


def _patch_until_broken(server, person, place, content):
    with contextlib.suppress(OSError):
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            s.sendall(f"PATCH {place} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n"
                      f"Tus-Resumable: 1.0.0\r\nUpload-Offset: {MIB}\r\n"
                      "Content-Type: application/offset+octet-stream\r\n"
                      f"Content-Length: {2 * MIB}\r\n\r\n".encode() + content[MIB:2 * MIB])
            s.recv(1)


@tap.case
def tus_uploads_expire(w):
    with Server() as server:
        p = Person(server).register()
        place = tus_create(p, 10, b"01234").headers["location"]
        server.stop()
        tap.equal(server.sql("UPDATE uploads SET expires_at = ? WHERE id = ?", int(time.time()) - 5,
                             file_id(place)), 1, "one upload")
        server.start()
        tap.one_of(tus(p, "HEAD", place).status, (404, 410), "HEAD")
        tap.one_of(patch(p, place, 5, b"x").status, (404, 410), "PATCH")


@tap.case
def two_writers_do_not_mix(w):
    content = os.urandom(MIB)
    place = tus_create(w.alice, 2 * len(content)).headers["location"]
    got = []
    threads = [threading.Thread(target=lambda: got.append(patch(w.alice, place, 0, content).status))
               for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tap.equal(got.count(204), 1, f"one wins of {got}")
    tap.check(all(s in (204, 409, 423) for s in got), f"the others are told: {got}")
    tap.equal(tus(w.alice, "HEAD", place).headers.get("upload-offset"), str(MIB), "offset")


@tap.case
def memory_does_not_grow_with_the_file(w):
    with Server(MAX_FILE_SIZE=256 * MIB) as server:
        p = Person(server).register()
        p.upload(os.urandom(MIB))
        before = resident(server.pid)
        block = os.urandom(MIB)
        place = tus_create(p, 128 * MIB).headers["location"]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.putrequest("PATCH", place)
        for name, value in (("Authorization", f"Bearer {p.token}"), ("Tus-Resumable", "1.0.0"),
                            ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream"),
                            ("Content-Length", str(128 * MIB))):
            connection.putheader(name, value)
        connection.endheaders()
        for _ in range(128):
            connection.send(block)
        answer = connection.getresponse()
        tap.equal(answer.status, 204, "128 MiB")
        tap.equal(answer.headers.get("Tacit-File-Sha256"), hashlib.sha256(block * 128).hexdigest(), "hash")
        connection.close()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", f"/api/files/{file_id(place)}/download",
                           headers={"Authorization": f"Bearer {p.token}"})
        answer, total = connection.getresponse(), 0
        while piece := answer.read(MIB):
            total += len(piece)
        connection.close()
        tap.equal(total, 128 * MIB, "download")
        if not server.sanitized():
            grown = resident(server.pid) - before
            tap.check(grown < 16 * MIB, f"grown by {grown / MIB:.1f} MiB")


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


tap.main(world)
