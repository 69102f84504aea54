"""Files over HTTP: multipart upload, download with ranges, quotas, and tus 1.0.0."""
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
from support.client import Person, RFC3339, b64, http_date, multipart  # noqa: E402
from support.server import Server  # noqa: E402

MIB = 1024 * 1024
EXTENSIONS = {"creation", "creation-with-upload", "creation-defer-length", "termination", "checksum",
              "expiration"}


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


def download(person, file_id, **headers):
    return person.get(f"/api/files/{file_id}/download",
                      headers={k.replace("_", "-"): v for k, v in headers.items()})


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
def a_broken_upload_leaves_nothing(w):
    before = count_blobs(w.server)
    kind, body = multipart(os.urandom(MIB))
    with socket.create_connection(("127.0.0.1", w.server.port)) as s:
        s.sendall(f"POST /api/files/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
                  f"Authorization: Bearer {w.alice.token}\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:MIB // 2])
        time.sleep(0.2)
    until = time.monotonic() + 5
    while count_blobs(w.server) != before and time.monotonic() < until:
        time.sleep(0.05)
    tap.equal(count_blobs(w.server), before, "files in the data folder")


def count_blobs(server):
    return sum(len(files) for folder, _, files in os.walk(server.data) if folder != server.data)


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
def deleting_frees_the_disk(w):
    before = count_blobs(w.server)
    own = w.alice.must(w.alice.upload(b"mine"))["file_id"]
    tap.equal(count_blobs(w.server), before + 1, "one file more")
    w.alice.must(w.alice.delete(f"/api/files/{own}"))
    until = time.monotonic() + 5
    while count_blobs(w.server) != before and time.monotonic() < until:
        time.sleep(0.02)
    tap.equal(count_blobs(w.server), before, "and one less")


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
        tus(p, "DELETE", upload.headers["location"])
        tap.equal(p.upload(b"x" * 20_000).status, 201, "until it is ended")


# --- tus 1.0.0 ---

def tus(person, method, target, body=None, version="1.0.0", **headers):
    all_headers = {k.replace("_", "-"): str(v) for k, v in headers.items()}
    if version:
        all_headers["Tus-Resumable"] = version
    if method == "PATCH" or (method == "POST" and body is not None):
        all_headers.setdefault("Content-Type", "application/offset+octet-stream")
    if target.startswith("http"):
        target = "/" + target.split("/", 3)[3]
    answer = person.call(method, target, None if body is None else bytes(body), headers=all_headers)
    if method != "OPTIONS" and version == "1.0.0":
        tap.equal(answer.headers.get("tus-resumable"), "1.0.0", f"{answer!r}: Tus-Resumable")
    return answer


def tus_create(person, length, body=None, conversation=None, **headers):
    if conversation:
        headers["Upload_Metadata"] = f"conversation_id {b64(str(conversation).encode())}"
    if length is not None:
        headers["Upload_Length"] = length
    return tus(person, "POST", "/api/files/tus", body, **headers)


def patch(person, place, offset, body, **headers):
    return tus(person, "PATCH", place, body, Upload_Offset=offset, **headers)


def file_id(place):
    return place.rstrip("/").split("/")[-1]


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
    for length in (4 * MIB + 1, 2**63, 2**64):
        tap.one_of(tus_create(w.alice, length).status, (400, 413), f"length {length}")
    for length in ("-1", "x", "", "1.5", "0x10", "+5"):
        tap.equal(tus_create(w.alice, length).status, 400, f"length {length!r}")
    for metadata in ("conversation_id !!!", "conversation_id", f"conversation_id {b64(b'x')}",
                     f"conversation_id {b64(b'1')},conversation_id {b64(b'1')}", ",", "  ", "a b c"):
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
def tus_ends_uploads(w):
    before = count_blobs(w.server)
    place = tus_create(w.alice, 10, b"01234").headers["location"]
    tap.equal(tus(w.bob, "DELETE", place).status, 404, "another's")
    tap.equal(tus(w.alice, "DELETE", place).status, 204, "one's own")
    for method in ("HEAD", "DELETE"):
        tap.one_of(tus(w.alice, method, place).status, (404, 410), f"{method} afterwards")
    tap.one_of(patch(w.alice, place, 5, b"x").status, (404, 410), "PATCH afterwards")
    until = time.monotonic() + 5
    while count_blobs(w.server) != before and time.monotonic() < until:
        time.sleep(0.02)
    tap.equal(count_blobs(w.server), before, "the disk is free")


@tap.case
def tus_uploads_belong_to_their_owner(w):
    place = tus_create(w.alice, 10, conversation=w.group).headers["location"]
    for person in (w.bob, w.eve):
        tap.equal(tus(person, "HEAD", place).status, 404, "HEAD")
        tap.equal(patch(person, place, 0, b"x").status, 404, "PATCH")
    for bad in ("0" * 32, "x", "..%2f"):
        tap.equal(tus(w.alice, "HEAD", f"/api/files/tus/{bad}").status, 404, bad)
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
    at = settled_offset(w.alice, place)
    tap.check(0 < at <= MIB, f"offset {at}")
    tap.equal(patch(w.alice, place, at, content[at:]).status, 204, "the rest")
    tap.check(download(w.alice, file_id(place)).body == content, "content")


def settled_offset(person, place):
    """The offset once the server has noticed that the line is broken."""
    at = -1
    for _ in range(100):
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
        if not os.environ.get("ASAN_OPTIONS"):
            grown = resident(server.pid) - before
            tap.check(grown < 16 * MIB, f"grown by {grown / MIB:.1f} MiB")


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


tap.main(world)
