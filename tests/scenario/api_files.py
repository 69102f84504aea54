"""Files over HTTP: multipart upload, download with ranges, quotas."""
import contextlib
import hashlib
import http.client
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, RFC3339, download, multipart  # noqa: E402
from support.server import Server  # noqa: E402
from support.tus import tus, tus_create  # noqa: E402

MIB = 1024 * 1024


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob, self.eve = (Person(server).register() for _ in range(3))
        self.group = self.alice.conversation("group", self.bob)
        self.content = os.urandom(100_000)
        self.file = self.alice.must(self.alice.upload(self.content, conversation_id=self.group))


@contextlib.contextmanager
def world():
    with Server(MAX_FILE_SIZE=4 * MIB) as server:
        yield World(server)


# --- multipart upload ---

@tap.case
def an_upload_comes_back_byte_for_byte(w):
    f = w.file
    tap.equal(f["size"], len(w.content), "size")
    tap.equal(f["sha256"], hashlib.sha256(w.content).hexdigest(), "sha256")
    tap.equal(f["conversation_id"], w.group, "conversation_id")
    tap.check(RFC3339.match(f["created_at"]), "created_at")
    tap.check(re.fullmatch(r"[0-9a-f]{32}", f["file_id"]), "an unguessable id")
    for person in (w.alice, w.bob):
        got = download(person, f["file_id"])
        tap.equal((got.status, got.body == w.content), (200, True), "content")
        tap.equal(got.headers.get("content-type"), "application/octet-stream", "type")
        tap.check(got.headers.get("content-disposition", "").startswith("attachment"), "attachment")
        tap.equal(got.headers.get("etag"), f'"{f["sha256"]}"', "ETag")
        tap.equal(got.headers.get("accept-ranges"), "bytes", "Accept-Ranges")
    got = w.alice.call("HEAD", f"/api/files/{f['file_id']}/download")
    tap.equal((got.status, got.headers.get("content-length"), got.body),
              (200, str(len(w.content)), b""), "HEAD")


@tap.case
def uploads_of_any_content_and_size(w):
    boundary_like = b"\r\n--b" + b"\r\n--" * 1000 + b"\r\n\r\n"
    for content in (b"", b"x", b"\r\n", b"--", boundary_like, os.urandom(65536), os.urandom(65537),
                    os.urandom(4 * MIB)):
        got = w.alice.upload(content)
        if tap.equal(got.status, 201, f"{len(content)} bytes"):
            tap.check(download(w.alice, got.json["file_id"]).body == content, f"{len(content)} bytes")


@tap.case
def a_boundary_may_be_split_anywhere(w):
    """The body in pieces of one byte around the end, and in all other sizes."""
    content = b"abc\r\n--not-the-boundary\r\n" * 3
    kind, body = multipart(content)
    for size in (1, 2, 3, 7, 64):
        connection = http.client.HTTPConnection("127.0.0.1", w.server.port, timeout=30)
        connection.putrequest("POST", "/api/files/upload")
        for name, value in (("Authorization", f"Bearer {w.alice.token}"), ("Content-Type", kind),
                            ("Content-Length", str(len(body)))):
            connection.putheader(name, value)
        connection.endheaders()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(body), size):
            connection.send(body[at:at + size])
        got = connection.getresponse()
        tap.equal(got.status, 201, f"pieces of {size}")
        found = re.search(rb'"file_id":\s*"(\w+)"', got.read())
        connection.close()
        if found:
            tap.equal(download(w.alice, found[1].decode()).body, content, f"pieces of {size}")


@tap.case
def a_chunked_upload_is_taken(w):
    kind, body = multipart(b"chunked" * 1000)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 999]), body[i:i + 999])
                      for i in range(0, len(body), 999)) + b"0\r\n\r\n"
    got = w.alice.call("POST", "/api/files/upload", chunks,
                       headers={"Content-Type": kind, "Transfer-Encoding": "chunked"})
    if tap.equal(got.status, 201, "upload"):
        tap.equal(download(w.alice, got.json["file_id"]).body, b"chunked" * 1000, "content")


@tap.case
def a_cookie_uploads_from_the_same_origin_only(w):
    tap.equal(w.alice.upload(b"x", auth="cookie").status, 201, "own origin")
    got = w.alice.upload(b"x", auth="cookie-only")
    tap.equal((got.status, got.code), (403, "CSRF"), "none")


def part(head, content=b"x", boundary="B"):
    return f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()


FILE_HEAD = 'Content-Disposition: form-data; name="file"; filename="x"'
FORM = "multipart/form-data; boundary=B"
BAD_UPLOADS = {
    "not a form": ("application/octet-stream", b"x", (400, 415)),
    "no content type": (None, b"x", (400, 415)),
    "no boundary": ("multipart/form-data", part(FILE_HEAD), (400, 415)),
    "boundary too long": ("multipart/form-data; boundary=" + "B" * 71, part(FILE_HEAD), (400, 415)),
    "empty body": (FORM, b"", (400,)),
    "another boundary": (FORM, part(FILE_HEAD, boundary="C"), (400,)),
    "no file field": (FORM, part('Content-Disposition: form-data; name="other"; filename="x"'), (400,)),
    "no disposition": (FORM, part("X-Other: 1"), (400,)),
    "cut in the head": (FORM, part(FILE_HEAD)[:30], (400,)),
    "cut in the content": (FORM, part(FILE_HEAD)[:-8], (400,)),
    "never closed": (FORM, part(FILE_HEAD)[:-4], (400,)),
    "two files": (FORM, part(FILE_HEAD)[:-7] + b"\r\n" + part(FILE_HEAD), (400,)),
    "endless head": (FORM, b"--B\r\n" + b"X: " + b"y" * 100_000 + part(FILE_HEAD), (400, 413)),
    "NUL in the head": (FORM, part(FILE_HEAD.replace("x", "x\0")), (201, 400)),
}


def bad_upload(w, name):
    kind, body, statuses = BAD_UPLOADS[name]
    got = w.alice.call("POST", "/api/files/upload", body, auth=None,
                       headers={"Authorization": f"Bearer {w.alice.token}",
                                **({"Content-Type": kind} if kind else {"Content-Type": ""})})
    tap.one_of(got.status, statuses, name)


tap.cases(BAD_UPLOADS, bad_upload)


@tap.case
def names_from_outside_are_never_paths(w):
    for name in ("../../etc/passwd", "/etc/passwd", "..", "a/b", "C:\\x", "x" * 255, "é"):
        got = w.alice.upload(b"data", name=name)
        tap.equal(got.status, 201, name)
        tap.check(b"passwd" not in got.body and b"filename" not in got.body, "the name is not kept")
    for folder, _, files in os.walk(w.server.data):
        for name in files:
            tap.check("passwd" not in name, f"{folder}/{name}")


@tap.case
def uploads_into_foreign_conversations_are_refused(w):
    for value, statuses in ((w.group, (404,)), (2**53 - 1, (404,)), ("x", (400, 404, 422)),
                            (-1, (400, 404, 422)), ("9" * 40, (400, 404, 413, 422))):
        tap.one_of(w.eve.upload(b"x", conversation_id=value).status, statuses, f"{value}")


@tap.case
def a_file_larger_than_allowed_is_refused(w):
    got = w.alice.upload(b"x" * (4 * MIB + 1))
    tap.equal((got.status, got.code), (413, "TOO_LARGE"), "announced")
    kind, body = multipart(b"x" * (4 * MIB + 1))
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    got = w.alice.call("POST", "/api/files/upload", chunks,
                       headers={"Content-Type": kind, "Transfer-Encoding": "chunked"})
    tap.equal(got.status, 413, "chunked")


@tap.case
def a_broken_upload_leaves_nothing(_):
    with Server() as server:  # where nothing else comes or goes
        p, before = Person(server).register(), server.count_blobs()
        kind, body = multipart(os.urandom(MIB))
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            s.sendall(f"POST /api/files/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
                      f"Authorization: Bearer {p.token}\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:MIB // 2])
            time.sleep(0.2)
        tap.equal(server.settle_blobs(before), before, "files in the data folder")


# --- who may have it ---

@tap.case
def files_belong_to_their_conversation(w):
    tap.equal(download(w.eve, w.file["file_id"]).status, 404, "an outsider")
    tap.equal(w.eve.delete(f"/api/files/{w.file['file_id']}").status, 404, "an outsider deletes")
    tap.one_of(w.bob.delete(f"/api/files/{w.file['file_id']}").status, (403, 409), "a member deletes")
    tap.equal(w.eve.get(f"/api/files/{w.file['file_id']}/download", auth=None).status, 401, "nobody")
    for bad in ("0" * 32, "x", "..", "0" * 31, "0" * 33, "g" * 32, "%2e%2e%2f"):
        tap.equal(download(w.alice, bad).status, 404, bad)
    own = w.alice.must(w.alice.upload(b"mine"))["file_id"]
    tap.equal(download(w.bob, own).status, 404, "a file of no conversation")
    tap.equal(w.alice.delete(f"/api/files/{own}").status, 200, "its owner deletes it")
    tap.one_of(download(w.alice, own).status, (404, 410), "deleted")
    tap.one_of(w.alice.delete(f"/api/files/{own}").status, (404, 410), "deleted again")


@tap.case
def deleting_frees_the_disk(_):
    with Server() as server:
        p, before = Person(server).register(), server.count_blobs()
        own = p.must(p.upload(b"mine"))["file_id"]
        tap.equal(server.count_blobs(), before + 1, "one file more")
        p.must(p.delete(f"/api/files/{own}"))
        tap.equal(server.settle_blobs(before), before, "and one less")


@tap.case
def files_survive_a_crash(w):
    with Server() as server:
        p = Person(server).register()
        files = {p.must(p.upload(c))["file_id"]: c for c in (os.urandom(n) for n in (1, 70_000, MIB))}
        server.kill()
        server.start()
        for file_id, content in files.items():
            tap.check(download(p, file_id).body == content, f"{len(content)} bytes")


# --- ranges ---

RANGES = {  # of 100,000 bytes: (header, first, last) or None for the whole
    "first ten": ("bytes=0-9", 0, 9), "one byte": ("bytes=5-5", 5, 5),
    "open end": ("bytes=99990-", 99990, 99999), "suffix": ("bytes=-10", 99990, 99999),
    "end beyond": ("bytes=99990-200000", 99990, 99999), "all": ("bytes=0-", 0, 99999),
    "suffix beyond": ("bytes=-200000", 0, 99999), "last": ("bytes=99999-", 99999, 99999),
}


def range_of(w, name):
    header, first, last = RANGES[name]
    got = download(w.bob, w.file["file_id"], Range=header)
    tap.equal(got.status, 206, "status")
    tap.equal(got.headers.get("content-range"), f"bytes {first}-{last}/100000", "Content-Range")
    tap.check(got.body == w.content[first:last + 1], "bytes")


tap.cases(RANGES, range_of)


@tap.case
def impossible_ranges_are_416(w):
    for header in ("bytes=100000-", "bytes=100000-100001", "bytes=-0", "bytes=99999999999999999999-"):
        got = download(w.bob, w.file["file_id"], Range=header)
        tap.equal(got.status, 416, header)
        tap.equal(got.headers.get("content-range"), "bytes */100000", header)


@tap.case
def nonsense_ranges_are_ignored(w):
    """RFC 9110 14.2: a Range that is not understood is as if it were not there."""
    for header in ("bytes=9-1", "bytes=a-b", "lines=0-1", "bytes", "bytes=", "bytes=--1", "bytes=1"):
        got = download(w.bob, w.file["file_id"], Range=header)
        tap.check(got.status in (400, 416) or (got.status == 200 and got.body == w.content),
                  f"{header}: {got.status}")
    got = download(w.bob, w.file["file_id"], Range="bytes=0-1,5-6")
    tap.one_of(got.status, (200, 206), "several ranges")


@tap.case
def an_unchanged_file_is_not_sent_again(w):
    tag = f'"{w.file["sha256"]}"'
    for value in (tag, f'"x", {tag}', "*", f"W/{tag}"):
        got = download(w.bob, w.file["file_id"], If_None_Match=value)
        tap.equal((got.status, got.body), (304, b""), value)
    got = download(w.bob, w.file["file_id"], If_None_Match='"other"')
    tap.equal(got.status, 200, "another tag")
    got = download(w.bob, w.file["file_id"], Range="bytes=0-9", If_Range=tag)
    tap.equal(got.status, 206, "If-Range fits")
    got = download(w.bob, w.file["file_id"], Range="bytes=0-9", If_Range='"other"')
    tap.equal((got.status, len(got.body)), (200, 100_000), "If-Range does not fit")
    tap.equal(download(w.eve, w.file["file_id"], If_None_Match=tag).status, 404, "an outsider")


# --- quotas ---

@tap.case
def a_quota_holds_for_uploads_of_both_ways(w):
    with Server(QUOTA_BYTES=100_000) as server:
        p, q = (Person(server).register() for _ in range(2))
        first = p.must(p.upload(b"x" * 60_000))
        got = p.upload(b"x" * 60_000)
        tap.equal((got.status, got.code), (413, "QUOTA_EXCEEDED"), "a second one")
        got = tus_create(p, 60_000)
        tap.equal((got.status, got.code), (413, "QUOTA_EXCEEDED"), "by tus")
        tap.equal(q.upload(b"x" * 60_000).status, 201, "another has a quota of one's own")
        p.must(p.delete(f"/api/files/{first['file_id']}"))
        tap.equal(p.upload(b"x" * 60_000).status, 201, "room again")
        upload = tus_create(p, 30_000)
        tap.equal(upload.status, 201, "what fits")
        tap.equal(p.upload(b"x" * 20_000).status, 413, "an upload under way counts")
        kind, body = multipart(b"x" * 20_000)
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        got = p.call("POST", "/api/files/upload", chunks,
                     headers={"Content-Type": kind, "Transfer-Encoding": "chunked"})
        tap.equal((got.status, got.code), (413, "QUOTA_EXCEEDED"), "of a size that was not announced")
        got = tus_create(p, None, b"x" * 20_000, Upload_Defer_Length=1)
        tap.equal((got.status, got.code), (413, "QUOTA_EXCEEDED"), "by tus, of a length to come")
        tus(p, "DELETE", upload.headers["location"])
        tap.equal(p.upload(b"x" * 20_000).status, 201, "until it is ended")


tap.main(world)
