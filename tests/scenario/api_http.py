"""What holds for HTTP as a whole: methods, headers, limits, CORS, rates, health, ending."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Answer, Person, RFC3339, b64, check_common, unix  # noqa: E402
from support.server import Server, program  # noqa: E402


class World:
    def __init__(self, server):
        self.server = server
        self.alice = Person(server).register()


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


def exchange(server, data, timeout=20):
    """Sends bytes; gives every answer until the server closes, and checks each of them."""
    answers = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(data)
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_WR)
        with s.makefile("rb") as stream, contextlib.suppress(ConnectionError):
            while line := stream.readline():
                status = int(line.split()[1])
                headers = []
                while (line := stream.readline().strip()):
                    name, _, value = line.decode().partition(":")
                    headers.append((name, value.strip()))
                length = int(dict((k.lower(), v) for k, v in headers).get("content-length", 0))
                if status in (204, 304) or data.startswith(b"HEAD"):
                    length = 0
                answers.append(Answer("raw", repr(data[:40]), status, headers, stream.read(length)))
                check_common(answers[-1])
    return answers


def statuses(server, data):
    return [a.status for a in exchange(server, data)]


# --- the root, health, metrics ---

@tap.case
def the_root_tells_programs_what_this_is(w):
    got = w.alice.get("/", auth=None)
    tap.equal(got.status, 200, "status")
    tap.check({"name", "version", "status"} <= set(got.json), f"{got.json}")
    got = w.alice.get("/", auth=None, headers={"Accept": "application/json"})
    tap.check("name" in got.json, "JSON on demand")
    got = w.alice.get("/", auth=None,
                      headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    tap.equal(got.status, 200, "browser")
    tap.check(got.headers.get("content-type", "").startswith("text/html"), "HTML for a browser")
    tap.check(b"<!doctype html" in got.body.lower(), "a page")
    tap.check(not re.search(rb"<script(?![^>]*\bsrc=)|\son\w+=|\bstyle=|<style", got.body),
              "nothing inline, as the CSP demands")


@tap.case
def health_answers(w):
    for path in ("/health", "/api/health"):
        got = w.alice.get(path, auth=None)
        tap.equal((got.status, got.json.get("status")), (200, "healthy"), path)


@tap.case
def metrics_are_in_prometheus_form(w):
    got = w.alice.get("/metrics", auth=None)
    tap.equal(got.status, 200, "status")
    tap.check(got.headers.get("content-type", "").startswith("text/plain"), "type")
    line = re.compile(r'^([a-zA-Z_:][\w:]*(\{(\w+="[^"]*",?)*\})? [-+\d.eEinfNa]+|# (HELP|TYPE) .+|)$')
    bad = [text for text in got.body.decode().split("\n") if not line.match(text)]
    tap.equal(bad, [], "lines of another form")
    tap.check(w.alice.username.encode() not in got.body, "no names")
    typed = set(re.findall(r"^# TYPE (\S+)", got.body.decode(), re.M))
    for name in re.findall(r"^([a-zA-Z_:][\w:]*)", got.body.decode(), re.M):
        tap.check(re.sub("_(bucket|sum|count)$", "", name) in typed or name in typed, f"{name} typed")


@tap.case
def metrics_count_requests(w):
    def total():
        text = w.alice.get("/metrics", auth=None).body.decode()
        return sum(float(v) for v in re.findall(r"^tacit_http_requests_total\S* (\S+)$", text, re.M))
    before = total()
    for _ in range(5):
        w.alice.get("/health", auth=None)
    tap.check(total() >= before + 5, "five more")


# --- requests that are not HTTP as it should be ---

MALFORMED = {
    "no request": b"hello\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "bare line feeds": b"GET /health HTTP/1.1\nHost: x\n\n",
    "folded header": b"GET /health HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "blank before colon": b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
    "NUL in header": b"GET /health HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    "NUL in path": b"GET /hea\0lth HTTP/1.1\r\nHost: x\r\n\r\n",
    "length and chunked": b"POST /api/me HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /api/me HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length negative": b"POST /api/me HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length with plus": b"POST /api/me HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
    "length huge": b"POST /api/me HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "chunk size not hex": b"POST /api/me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "unknown coding": b"POST /api/me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    "chunked twice": b"POST /api/me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "head too large": b"GET /health HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20_000 + b"\r\n\r\n",
    "too many headers": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    "unknown method": b"BREW /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "an expectation that nobody meets": b"POST /api/me HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n"
                                        b"Content-Length: 2\r\n\r\n{}",
    "lower case method": b"get /health HTTP/1.1\r\nHost: x\r\n\r\n",
}


def malformed(w, name):
    got = exchange(w.server, MALFORMED[name])
    if tap.check(len(got) == 1, f"one answer: {got}"):
        tap.one_of(got[0].status, (400, 405, 413, 417, 431, 501, 505), name)


tap.cases(MALFORMED, malformed)


@tap.case
def unknown_paths_are_404(w):
    for path in ("/nothing", "/api/", "/api", "/api/rooms/", "/api//rooms", "/API/rooms", "/api/rooms/0",
                 "/api/rooms/-1", "/api/rooms/01", "/api/rooms/1.5", "/api/rooms/9999999999999999999",
                 "/api/rooms/1/nothing", "/../etc/passwd", "/%2e%2e/etc/passwd", "/api/%72ooms",
                 "/api/rooms;x", "//", "/.git/config", "/api/users/a/b", "/api/rooms/%00"):
        got = w.alice.get(path)
        tap.one_of(got.status, (400, 404), path)
    got = w.alice.get("/health?x=1", auth=None)
    tap.equal(got.status, 200, "a query that nobody asked for")


@tap.case
def the_absolute_form_is_understood(w):
    got = exchange(w.server, f"GET {w.server.url}/health HTTP/1.1\r\nHost: 127.0.0.1:{w.server.port}\r\n"
                             "Connection: close\r\n\r\n".encode())
    tap.one_of([a.status for a in got], ([200], [400]), "RFC 9112 3.2.2")


@tap.case
def pipelined_requests_are_answered_in_order(w):
    one = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    two = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    tap.equal(statuses(w.server, one + two + one), [200, 404, 200], "three at once")


@tap.case
def head_is_get_without_a_body(w):
    got = exchange(w.server, b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    tap.equal([a.status for a in got], [200], "HEAD")


@tap.case
def expect_100_continue_works(w):
    with socket.create_connection(("127.0.0.1", w.server.port), timeout=10) as s:
        s.sendall(b"POST /api/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        first = s.recv(1000)
        tap.check(first.startswith((b"HTTP/1.1 100", b"HTTP/1.1 401")), f"{first[:40]}")
        if first.startswith(b"HTTP/1.1 100"):
            s.sendall(b"{}")
            tap.check(s.recv(1000).startswith(b"HTTP/1.1 401"), "then the answer")


# --- bodies ---

@tap.case
def a_body_larger_than_allowed_is_413(w):
    for body in (b'{"a":"' + b"x" * (2 * 1024 * 1024) + b'"}',):
        got = w.alice.call("POST", "/api/me", body)
        tap.equal((got.status, got.code), (413, "TOO_LARGE"), "announced")
    chunks = b"".join(b"10000\r\n" + b" " * 65536 + b"\r\n" for _ in range(40)) + b"0\r\n\r\n"
    got = w.alice.call("POST", "/api/me", chunks, headers={"Transfer-Encoding": "chunked"})
    tap.equal(got.status, 413, "chunked")
    got = w.alice.call("POST", "/api/me", b"", headers={"Content-Length": str(2**40)}, timeout=10)
    tap.equal(got.status, 413, "announced and never sent")


@tap.case
def a_chunked_body_is_understood(w):
    for end, status in ((b"", 200), (b"Surprise: x\r\n", 400)):
        got = w.alice.call("POST", "/api/me", b"1\r\n{\r\n1;ext=1\r\n}\r\n0\r\n" + end + b"\r\n",
                           headers={"Transfer-Encoding": "chunked"})
        tap.equal(got.status, status, f"chunked {{}} with {end}: trailers are not taken")


@tap.case
def content_types_of_json(w):
    for kind, status in (("application/json", 200), ("application/json; charset=utf-8", 200),
                         ("APPLICATION/JSON", 200), ("text/plain", 415), ("application/jsonx", 415),
                         ("application/x-www-form-urlencoded", 415), ("", 415),
                         ("multipart/form-data; boundary=x", 415)):
        got = w.alice.call("POST", "/api/me", "{}", headers={"Content-Type": kind})
        tap.equal(got.status, status, f"{kind!r}")


# --- CORS ---

@tap.case
def cors_is_off(w):
    got = w.alice.get("/health", auth=None, headers={"Origin": "https://app.example"})
    tap.check("access-control-allow-origin" not in got.headers, "no header")
    got = w.alice.call("OPTIONS", "/api/conversations", auth=None, headers={
        "Origin": "https://app.example", "Access-Control-Request-Method": "POST"})
    tap.check("access-control-allow-origin" not in got.headers, "no preflight")


@tap.case
def cors_is_on_for_the_listed_origins(w):
    with Server(CORS_ORIGINS="https://app.example,http://localhost:3000") as server:
        p = Person(server).register()
        for origin in ("https://app.example", "http://localhost:3000"):
            got = p.get("/api/conversations", headers={"Origin": origin})
            tap.equal(got.headers.get("access-control-allow-origin"), origin, "allowed")
            tap.equal(got.headers.get("access-control-allow-credentials"), "true", "credentials")
            tap.check("origin" in got.headers.get("vary", "").lower(), "Vary: Origin")
            got = p.call("OPTIONS", "/api/conversations", auth=None, headers={
                "Origin": origin, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type"})
            tap.one_of(got.status, (200, 204), "preflight")
            tap.equal(got.headers.get("access-control-allow-origin"), origin, "preflight")
            tap.check("POST" in got.headers.get("access-control-allow-methods", ""), "methods")
            tap.check("authorization" in got.headers.get("access-control-allow-headers", "").lower(),
                      "headers")
            got = p.get("/api/nothing", headers={"Origin": origin})
            tap.equal(got.headers.get("access-control-allow-origin"), origin, "on errors too")
            got = p.post("/api/rooms", {"name": "r"}, auth="cookie-only", headers={"Origin": origin})
            tap.equal(got.status, 201, "with a cookie")
        for origin in ("https://app.example.evil", "http://app.example", "https://app.example:444",
                       "null", "https://APP.example.org", "*", ""):
            got = p.get("/api/conversations", headers={"Origin": origin})
            tap.check("access-control-allow-origin" not in got.headers, f"{origin!r} is not allowed")


# --- rates ---

@tap.case
def requests_of_an_address_are_limited(w):
    with Server(RATE_ADDRESS=5) as server:
        p = Person(server)
        got = [p.get("/", auth=None) for _ in range(60)]
        refused = [a for a in got if a.status == 429]
        tap.check(refused, "some are refused")
        tap.equal({a.status for a in got}, {200, 429}, "nothing else")
        tap.equal({a.code for a in refused}, {"RATE_LIMITED"}, "code")
        tap.check(got[0].status == 200, "the first is not")
        time.sleep(int(refused[-1].headers["retry-after"]) + 0.2)
        tap.equal(p.get("/", auth=None).status, 200, "after Retry-After")


@tap.case
def requests_of_an_account_are_limited(w):
    with Server(RATE_ACCOUNT=5) as server:
        p, q = (Person(server).register() for _ in range(2))
        got = [p.get("/api/conversations").status for _ in range(80)]
        tap.check(429 in got, "refused")
        tap.equal(q.get("/api/conversations").status, 200, "another account is not")


@tap.case
def guessing_is_limited(w):
    with Server(RATE_LOGIN=5) as server:
        p = Person(server)
        for path, make in (
                ("/api/login", lambda i: p.signed("/api/login", {
                    "username": "somebody", "password_hash": "0" * 64, "totp_code": f"{i:06d}"})),
                ("/api/login/new-device", lambda i: p.post("/api/login/new-device", {
                    "username": f"somebody{i}", "password_hash": "0" * 64, "totp_code": f"{i:06d}"},
                    auth=None))):
            got = [make(i).status for i in range(30)]
            tap.check(429 in got, f"{path}: {got}")
            tap.equal(p.get("/health", auth=None).status, 200, "other calls go on")


# --- ending ---

def until_nobody_is_let_in(server):
    """It has heard that it is to end."""
    until = time.monotonic() + 30
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            socket.create_connection(("127.0.0.1", server.port), timeout=2).close()
            time.sleep(0.01)


@tap.case
def a_request_in_flight_is_finished(w):
    """SIGTERM arrives between the two halves of a message; its answer comes, and it is on disk."""
    with Server() as server:
        p = Person(server).register()
        c = p.conversation("group")
        body = json.dumps({"content": b64(b"last words")}).encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as s:
            s.sendall(f"POST /api/conversations/{c}/messages HTTP/1.1\r\nHost: x\r\n"
                      f"Authorization: Bearer {p.token}\r\nContent-Type: application/json\r\n"
                      f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            tap.check(s.recv(65536).startswith(b"HTTP/1.1 100"), "it has begun")
            s.sendall(body[:5])
            server.terminate()
            until_nobody_is_let_in(server)
            s.sendall(body[5:])
            got = b""
            while piece := s.recv(65536):
                got += piece
        tap.check(got.startswith(b"HTTP/1.1 201"), f"the answer: {got[:80]}")
        server.wait_stopped()
        server.start()
        tap.equal(len(p.must(p.get(f"/api/conversations/{c}/messages"))["messages"]), 1, "it is there")


@tap.case
def an_ending_server_takes_no_new_connections(w):
    with Server() as server:
        idle = socket.create_connection(("127.0.0.1", server.port))
        server.terminate()
        began = time.monotonic()
        server.wait_stopped()
        tap.check(time.monotonic() - began < 20, "an idle connection does not hold it up")
        idle.close()
        with tap_raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=2).close()
        server.start()


@contextlib.contextmanager
def tap_raises(kind):
    try:
        yield
        tap.fail(f"no {kind.__name__}")
    except kind:
        pass


@tap.case
def everything_acknowledged_while_ending_is_there(w):
    with Server() as server:
        p = Person(server).register()
        c = p.conversation("group")
        done, told = threading.Event(), []

        def post_until_refused(worker):
            acknowledged = []
            while not done.is_set():
                try:
                    got = p.post(f"/api/conversations/{c}/messages", {
                        "content": b64(os.urandom(100)), "client_id": f"{worker}-{len(acknowledged)}"})
                except (OSError, http.client.HTTPException):
                    break
                if got.status != 201:
                    break
                acknowledged.append(got.json["id"])
                told.append(got.json["id"])
            return acknowledged

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            workers = [pool.submit(post_until_refused, n) for n in range(4)]
            until = time.monotonic() + 30
            while len(told) < 20 and time.monotonic() < until:
                time.sleep(0.01)
            server.terminate()
            server.wait_stopped()
            done.set()
            acknowledged = [i for worker in workers for i in worker.result()]
        server.start()
        stored, more, before = set(), True, 2**53 - 1
        while more:
            page = p.must(p.get(f"/api/conversations/{c}/messages?limit=200&before={before}"))
            stored |= {m["id"] for m in page["messages"]}
            before, more = min(stored), page["has_more"]
        tap.check(acknowledged, "some were acknowledged")
        tap.equal(set(acknowledged) - stored, set(), "acknowledged and lost")


# --- the program itself ---

@tap.case
def a_wrong_setting_is_told_and_ends_with_2(w):
    for arguments, environment in ((["--listen", "nonsense"], {}), (["--nonsense"], {}),
                                   (["--config", "/nonexistent/tacitd.conf"], {}),
                                   ([], {"MAX_FILE_SIZE": "much"}), (["--listen", "0.0.0.0:0"], {})):
        got = subprocess.run([program("tacitd"), "--data", os.path.join(w.server.folder, "other"),
                              "--check", *arguments], env={**w.server.environment(), **environment},
                             capture_output=True, timeout=20, check=False)
        tap.one_of(got.returncode, (1, 2), f"{arguments} {environment}")
        tap.check(got.stderr.startswith(b"tacitd: error: ") or b"error" in got.stderr,
                  f"{arguments} {environment}: {got.stderr[:200]}")


@tap.case
def a_good_setting_passes_the_check(w):
    got = subprocess.run([program("tacitd"), "--data", os.path.join(w.server.folder, "third"), "--check"],
                         env=w.server.environment(), capture_output=True, timeout=20, check=False)
    tap.equal(got.returncode, 0, f"{got.stderr[:300]}")


@tap.case
def the_log_has_no_content(w):
    p = Person(w.server).register()
    mark = b64(os.urandom(30))
    p.send(p.conversation("group"), mark.encode())
    p.must(p.upload(b"x", name=f"{mark[:12]}.txt"))
    p.get(f"/api/users?q={p.username}")
    log = w.server.log()
    for what, secret in (("a token", p.token), ("a refresh token", p.refresh),
                         ("a cookie", next(iter(p.cookies.values()), "-")), ("a message", mark),
                         ("a file name", mark[:12]), ("an address", p.email),
                         ("a password hash", p.password_hash), ("a TOTP seed", p.secret),
                         ("a query", f"q={p.username}")):
        tap.check(secret not in log, f"{what} is in the log")


@tap.case
def slow_and_idle_connections_do_not_hold_others_up(w):
    held = []
    try:
        for i in range(200):
            s = socket.create_connection(("127.0.0.1", w.server.port), timeout=5)
            s.sendall(b"POST /api/me HTTP/1.1\r\nHost: x\r\nContent-Le"[: 10 + i % 30])
            held.append(s)
        began = time.monotonic()
        tap.equal(w.alice.get("/health", auth=None).status, 200, "health")
        tap.check(time.monotonic() - began < 8, "at once, and not when they are cut off")
    finally:
        for s in held:
            s.close()


@tap.case
def the_time_in_errors_is_now(w):
    before = time.time()
    got = w.alice.get("/nothing")
    tap.check(RFC3339.match(got.json["timestamp"]), "RFC 3339")
    tap.check(int(before) <= unix(got.json["timestamp"]) <= time.time(), "now, in whole seconds")


tap.main(world)
