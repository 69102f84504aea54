"""What nobody may have without end: room, tickets, guesses, memory of the server; and what a check of
the settings leaves alone."""
import contextlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64  # noqa: E402
from support.server import Server, program  # noqa: E402
from support.tus import patch, tus, tus_create  # noqa: E402

MIB = 1024 * 1024


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob = (Person(server).register() for _ in range(2))


@contextlib.contextmanager
def world():
    with Server(QUOTA_BYTES=MIB) as server:
        yield World(server)


def deferred(person):
    got = tus_create(person, None, Upload_Defer_Length=1)
    tap.equal(got.status, 201, "an upload of open length")
    return got.headers["location"]


# --- quotas ---

@tap.case
def an_open_length_is_no_way_around_the_quota(w):
    p = Person(w.server).register()
    place = deferred(p)
    tap.equal(patch(p, place, 0, b"x" * (MIB // 2)).status, 204, "half of the quota")
    got = patch(p, place, MIB // 2, b"x" * (MIB // 2 + 1))
    tap.equal((got.status, got.code), (413, "QUOTA_EXCEEDED"), "more than the quota")
    tap.equal(tus(p, "HEAD", place).headers.get("upload-offset"), str(MIB // 2), "nothing of it counts")
    got = patch(p, place, MIB // 2, b"", Upload_Length=MIB // 2)
    tap.equal(got.status, 204, "it ends where it stands")
    tap.equal(p.upload(b"x" * (MIB // 2)).status, 201, "the other half")
    tap.equal(p.upload(b"x").status, 413, "full")


@tap.case
def many_open_lengths_share_the_quota(w):
    p = Person(w.server).register()
    places = [deferred(p) for _ in range(3)]
    statuses = [patch(p, place, 0, b"x" * (MIB // 2)).status for place in places]
    tap.equal(statuses, [204, 204, 413], "two halves fit")
    tap.equal(tus(p, "DELETE", places[0]).status, 204, "one is given up")
    tap.equal(patch(p, places[2], 0, b"x" * (MIB // 2)).status, 204, "now there is room")


@tap.case
def a_form_of_unknown_length_ends_at_the_quota(w):
    p = Person(w.server).register()
    body = (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + b"x" * (2 * MIB) + b"\r\n--b--\r\n")
    got = p.call("POST", "/api/files/upload", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), headers={
        "Content-Type": "multipart/form-data; boundary=b", "Transfer-Encoding": "chunked"})
    tap.equal((got.status, got.code), (413, "QUOTA_EXCEEDED"), "chunked")


@tap.case
def a_refused_patch_lets_go_before_it_answers(w):
    place = tus_create(w.alice, 8).headers["location"]
    for i in range(20):
        got = patch(w.alice, place, 0, b"01234567", Upload_Checksum=f"sha256 {b64(bytes(32))}")
        tap.equal((got.status, got.code), (460, "CHECKSUM_MISMATCH"), f"time {i}")
    tap.equal(patch(w.alice, place, 0, b"01234567").status, 204, "then as it should be")


# --- tickets and guesses ---

@tap.case
def a_ticket_buys_no_ticket(w):
    p = Person(w.server).register()
    body = {"username": p.username, "password_hash": p.password_hash}
    ticket = p.must(p.post("/api/login/new-device", {**body, "totp_code": p.code()}, auth=None))["ticket"]
    got = p.post("/api/login/new-device", {**body, "ticket": ticket}, auth=None)
    tap.equal((got.status, got.code), (400, "INVALID_FIELD"), "a ticket for a ticket")
    tap.equal(p.login(ticket=ticket).status, 200, "it is not spent")


@tap.case
def codes_behind_a_right_password_are_few(_):
    with Server(RATE_LOGIN=6) as server:
        p = Person(server).register()
        body = {"username": p.username, "password_hash": p.password_hash, "totp_code": "000000"}
        for _ in range(12):
            got = p.post("/api/login/new-device", body, auth=None)
            tap.one_of(got.status, (401, 429), "a guess")
        tap.equal(got.status, 429, "enough of one address")


# --- pages ---

@tap.case
def a_page_is_cut_where_it_gets_large(w):
    group = w.alice.conversation("group", w.bob)
    ids = [w.alice.send(group, os.urandom(300 * 1024)) for _ in range(5)]
    ids = [i["id"] if isinstance(i, dict) else i for i in ids]
    base = f"/api/conversations/{group}/messages"
    page = w.bob.must(w.bob.get(base))
    tap.equal(([m["id"] for m in page["messages"]], page["has_more"]), (ids[-2:], True), "the newest")
    page = w.bob.must(w.bob.get(f"{base}?before={ids[3]}"))
    tap.equal(([m["id"] for m in page["messages"]], page["has_more"]), (ids[1:3], True), "older ones")
    seen, after = [], 0
    for _ in range(len(ids)):
        page = w.bob.must(w.bob.get(f"{base}?after={after}"))
        seen += [m["id"] for m in page["messages"]]
        after = seen[-1]
        if not page["has_more"]:
            break
    tap.equal((seen, page["has_more"]), (ids, False), "all, from the first")


@tap.case
def a_list_goes_on(w):
    p = Person(w.server).register()
    for _ in range(3):
        p.conversation("group", w.bob)
    whole = p.must(p.get("/api/conversations"))
    ids = [c["id"] for c in whole["conversations"]]
    tap.equal((len(ids), whole["has_more"]), (3, False), "all")
    rest = p.must(p.get("/api/conversations?skip=1"))
    tap.equal([c["id"] for c in rest["conversations"]], ids[1:], "but the first")
    tap.equal(p.must(p.get("/api/conversations?skip=9007199254740991"))["conversations"], [], "past the end")
    tap.equal(p.get("/api/conversations?skip=-1").status, 400, "skip=-1")


# --- bodies ---

@tap.case
def what_is_posted_is_at_least_an_object(w):
    for target in ("/api/me", "/api/conversations", "/api/token/refresh"):
        got = w.alice.call("POST", target)
        tap.equal((got.status, got.code), (400, "INVALID_JSON"), target)
    got = w.alice.call("POST", "/api/me", b"2\r\n{}\r\n0\r\n\r\n", headers={
        "Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    tap.equal(got.status, 200, "{} in chunks")


@tap.case
def metrics_are_not_for_those_who_were_passed_on(w):
    tap.equal(w.alice.get("/metrics", auth=None).status, 200, "from loopback")
    for name in ("X-Forwarded-For", "Forwarded"):
        got = w.alice.get("/metrics", auth=None, headers={name: "127.0.0.1"})
        tap.equal(got.status, 404, name)


# --- tacitd --check ---

def check(*arguments, server):
    return subprocess.run([program("tacitd"), "--check", *arguments], env=server.environment(),
                          capture_output=True, text=True, timeout=60, check=False)


@tap.case
def a_check_changes_nothing(w):
    listen = ("--listen", f"127.0.0.1:{w.server.port}")
    done = check("--data", w.server.data, *listen, server=w.server)
    tap.equal(done.returncode, 0, f"beside the running server: {done.stderr}")
    new = os.path.join(w.server.data, "new", "er")
    tap.equal(check("--data", new, *listen, server=w.server).returncode, 0, "a folder to be made")
    tap.check(not os.path.exists(os.path.dirname(new)), "and not made")


@tap.case
def a_check_finds_what_is_wrong(w):
    folder = w.server.data
    key = os.path.join(folder, "server.key")
    for arguments, word in ((("--data", key), "server.key"),
                            (("--data", folder, "--tls-cert", key, "--tls-key", key), ""),
                            (("--data", folder, "--listen", "127.0.0.1"), "ADDRESS:PORT"),
                            (("--data", folder, "--database-url", f"sqlite://{key}"), "")):
        done = check(*arguments, server=w.server)
        tap.check(done.returncode != 0 and done.stderr.startswith("tacitd: error: ") and word in done.stderr,
                  f"{arguments}: {done.returncode} {done.stderr}")
    environment = {**w.server.environment(), "SECRET_KEY": "0" * 32}
    done = subprocess.run([program("tacitd"), "--check", "--data", folder], env=environment,
                          capture_output=True, text=True, timeout=60, check=False)
    tap.check(done.returncode == 1 and "another secret key" in done.stderr, f"another secret: {done.stderr}")


tap.main(world)
