"""People who behave badly, on every route: garbage, mutations, floods, slowness, sudden ends.

After each case the server answers others promptly, holds no more file descriptors than before, and
its memory is bounded. TACIT_SEED repeats a run.
"""
import contextlib
import http.client
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64, dumps, multipart, signed_body  # noqa: E402
from support.seed import seed  # noqa: E402
from support.server import Server, build_folder, program  # noqa: E402

SEED = seed()
MIB = 1024 * 1024
SANITIZED = "san" in os.path.basename(build_folder())
MEMORY_GROWTH = (400 if SANITIZED else 48) * MIB
# Those who are slow stay for longer than this: whoever waited for them would be noticed. A busy machine takes its time.
PROMPT_SECONDS = 10
MUTATIONS = 25  # of each route
ALLOWED = {200, 201, 204, 206, 304} | set(range(400, 432)) | {501, 503, 505, 507}


def read_routes():
    text = subprocess.run([program("tacitd"), "--print-routes"], capture_output=True, text=True,
                          check=True, timeout=20).stdout
    return [tuple(line.split()[:2]) for line in text.splitlines() if line.strip()]


class World:
    def __init__(self, server):
        self.server = server
        self.dice = random.Random(SEED)
        self.alice, self.bob = (Person(server).register() for _ in range(2))
        a = self.alice
        self.group = a.conversation("group", self.bob)
        self.file = a.must(a.upload(b"content" * 1000, conversation_id=self.group))["file_id"]
        self.routes = read_routes()
        self.settle()
        self.descriptors = self.count_descriptors()
        self.memory = self.resident()

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.server.pid}/fd"))

    def resident(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024

    def settle(self):
        """Until the health check's connection is the only one that comes and goes."""
        for _ in range(20):
            self.answers()
        time.sleep(0.1)

    def answers(self):
        """Another person's request: its status, and how long it took."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request("GET", f"/api/conversations/{self.group}/messages?limit=1", None,
                               {"Authorization": f"Bearer {self.bob.token}"})
            answer = connection.getresponse()
            answer.read()
            return answer.status, time.monotonic() - began
        except (OSError, http.client.HTTPException) as error:
            return repr(error), time.monotonic() - began
        finally:
            connection.close()

    def check_prompt(self, what):
        status, seconds = self.answers()
        tap.equal(status, 200, f"{what}: others are answered")
        tap.check(seconds < PROMPT_SECONDS, f"{what}: another waited {seconds:.2f} s")

    def check_well(self, what, wait=30):
        tap.equal(self.server.process.poll(), None, f"{what}: the server lives")
        self.check_prompt(what)
        until = time.monotonic() + wait
        while self.count_descriptors() > self.descriptors and time.monotonic() < until:
            time.sleep(0.1)
        tap.check(self.count_descriptors() <= self.descriptors,
                  f"{what}: {self.count_descriptors()} descriptors, {self.descriptors} before")
        grown = self.resident() - self.memory
        tap.check(grown < MEMORY_GROWTH, f"{what}: {grown // MIB} MiB more memory")

    def connect(self, timeout=10):
        s = socket.create_connection(("127.0.0.1", self.server.port), timeout=timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def path(self, pattern):
        return (pattern.replace("{id}", str(self.group)).replace("{file}", self.file)
                .replace("{device}", "0" * 32).replace("{username}", self.bob.username))

    def request(self, method, pattern, authorized=True):
        """A request of the right form for a route, as bytes: (head, body)."""
        path, headers, body = self.path(pattern), [], b""
        if pattern == "/api/files/upload":
            kind, body = multipart(b"x" * 2000)
            headers.append(f"Content-Type: {kind}")
        elif "/tus" in pattern:
            headers += ["Tus-Resumable: 1.0.0", "Upload-Offset: 0", "Upload-Length: 2000",
                        "Content-Type: application/offset+octet-stream"]
            body = b"x" * 2000 if method == "PATCH" else b""
        elif method in ("POST", "PUT"):
            headers.append("Content-Type: application/json")
            data = {"content": b64(b"x"), "name": "n", "username": "nobody", "participants": [],
                    "password_hash": "0" * 64, "totp_code": "000000", "key": b64(b"k")}
            signed = "register" in pattern or pattern.endswith("login") or self.dice.random() < 0.3
            body = (signed_body(self.alice.key, data) if signed else dumps(data)).encode()
        if authorized:
            headers.append(f"Authorization: Bearer {self.alice.token}")
        if body or method in ("POST", "PUT", "PATCH"):
            headers.append(f"Content-Length: {len(body)}")
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "".join(h + "\r\n" for h in headers)
        return head.encode() + b"\r\n", body

    def exchange(self, data, wait=0.5):
        """Sends all of it and ends the sending side; the statuses that come back."""
        got = b""
        try:
            with self.connect() as s:
                with contextlib.suppress(OSError):
                    s.sendall(data)
                    s.shutdown(socket.SHUT_WR)
                s.settimeout(wait)
                while piece := s.recv(65536):
                    got += piece
        except OSError:
            pass
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


@contextlib.contextmanager
def world():
    print(f"# TACIT_SEED={SEED}", flush=True)
    with Server(RATE_ADDRESS=0, RATE_ACCOUNT=0, RATE_LOGIN=0) as server:
        yield World(server)


def destructive(method, pattern):
    """Would end what the other cases stand on."""
    return pattern.endswith("/logout") or (method == "DELETE" and "participants" in pattern) or \
        (method == "DELETE" and pattern.startswith("/api/files/{"))


def check_statuses(what, statuses):
    bad = [s for s in statuses if s not in ALLOWED]
    tap.equal(bad, [], f"{what}: statuses")


# --- garbage ---

@tap.case
def garbage_instead_of_requests(w):
    pieces = [w.dice.randbytes(n) for n in (1, 2, 10, 100, 1000, 10_000, 200_000) for _ in range(5)]
    pieces += [b"\r\n" * 1000, b"\0" * 1000, b"GET", b"GET /", b"GET / HTTP/9.9\r\n\r\n",
               b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + w.dice.randbytes(500),  # TLS
               b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a" * 100_000,
               b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\n\n",
               b"\xff\xf4\xff\xfd\x06", b"SSH-2.0-x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n y: z\r\n\r\n"]
    for piece in pieces:
        check_statuses(repr(piece[:30]), w.exchange(piece))
    w.check_well("garbage")


@tap.case
def garbage_as_the_body_of_every_route(w):
    for method, pattern in w.routes:
        if destructive(method, pattern):
            continue
        head, _ = w.request(method, pattern)
        head = re.sub(rb"Content-Length: \d+\r\n", b"", head)
        for body in (b"\0" * 100, b"{" * 5000, b"[" * 5000, b'{"data":' * 500, b'"\\ud800"', b"\xff" * 50,
                     b'{"a":1e999}', w.dice.randbytes(3000)):
            whole = head[:-2] + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
            check_statuses(f"{method} {pattern}", w.exchange(whole, wait=5))
    w.check_well("garbage bodies")


def mutate(dice, data):
    data = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 5, 20))):
        at = dice.randrange(len(data)) if data else 0
        what = dice.randrange(6)
        if what == 0 and data:
            data[at] ^= 1 << dice.randrange(8)
        elif what == 1:
            data[at:at] = dice.randbytes(dice.choice((1, 2, 50)))
        elif what == 2:
            del data[at:at + dice.choice((1, 2, 20))]
        elif what == 3:
            data[at:at] = data[at:at + dice.choice((5, 50, 500))] * dice.choice((1, 10))
        elif what == 4:
            data[at:at] = dice.choice((b"\r\n", b"\0", b" ", b":", b"%00", b"/../", b"\r\n\r\n", b",", b'"',
                                       b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n",
                                       b"9" * 30, b"-1"))
        else:
            del data[at:]
    return bytes(data)


@tap.case
def valid_requests_mutated_at_random_on_every_route(w):
    total = 0
    for method, pattern in w.routes:
        for _ in range(MUTATIONS):
            head, body = w.request(method, pattern, authorized=not destructive(method, pattern))
            statuses = w.exchange(mutate(w.dice, head + body), wait=0.25)
            check_statuses(f"{method} {pattern}", statuses)
            total += len(statuses)
    print(f"# {len(w.routes)} routes, {MUTATIONS} mutations of each, {total} answers")
    w.check_well("mutations")


@tap.case
def huge_headers_on_every_route(w):
    for method, pattern in w.routes:
        head, _ = w.request(method, pattern, authorized=False)
        for more in (b"X: " + b"y" * 1_000_000, b"".join(b"X-%d: y\r\n" % i for i in range(5000)),
                     b"Cookie: " + b"a=b; " * 50_000, b"Authorization: Bearer " + b"x." * 100_000):
            statuses = w.exchange(head[:-2] + more.rstrip() + b"\r\n\r\n", wait=5)
            # None: the connection was reset with the rest of it unread.
            tap.check(all(s in (400, 413, 414, 431) for s in statuses), f"{method} {pattern}: {statuses}")
    w.check_well("huge headers")


# --- slowness ---

@tap.case
def half_open_connections(w):
    held = [w.connect() for _ in range(300)]
    for number, s in enumerate(held):
        s.sendall((b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX: ")[number % 3])
    time.sleep(0.3)
    for _ in range(5):
        w.check_prompt("300 connections half open")
    for s in held:
        s.close()
    w.check_well("half open connections")


def slowly(w, what, data, seconds, pause=0.2):
    """One byte at a time on a connection of each route; others are answered meanwhile."""
    held = []
    for name, piece in data:
        held.append((name, w.connect(), iter(piece[i:i + 1] for i in range(len(piece)))))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for _, s, rest in held:
            with contextlib.suppress(OSError, StopIteration):
                s.sendall(next(rest))
        w.check_prompt(what)
        time.sleep(pause)
    for _, s, _ in held:
        s.close()
    w.check_well(what)


@tap.case
def slow_heads_on_every_route(w):
    slowly(w, "slow heads", [(p, w.request(m, p)[0]) for m, p in w.routes], 3)


@tap.case
def slow_bodies_on_every_route(w):
    held = []
    for method, pattern in w.routes:
        head, body = w.request(method, pattern, authorized=not destructive(method, pattern))
        if body:
            s = w.connect()
            s.sendall(head)
            held.append((s, body))
    for at in range(15):
        for s, body in held:
            with contextlib.suppress(OSError):
                s.sendall(body[at:at + 1])
        w.check_prompt("slow bodies")
        time.sleep(0.1)
    for s, _ in held:
        s.close()
    w.check_well("slow bodies")


@tap.case
def bodies_that_stop_before_their_end(w):
    """300 strangers announce 256 KiB each, send nearly all of it, and stop."""
    body = b'{"content":"' + b"A" * 250_000
    for target in (f"/api/conversations/{w.group}/messages", "/api/login", "/api/login/new-device"):
        held = []
        for _ in range(300):
            s = w.connect()
            s.setblocking(False)
            with contextlib.suppress(OSError):
                s.send(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                       f"Content-Length: {len(body) + 10}\r\n\r\n".encode())
            held.append((s, memoryview(body)))
        for _ in range(20):
            rest = []
            for s, left in held:
                with contextlib.suppress(OSError):
                    left = left[s.send(left):]
                rest.append((s, left))
            held = rest
            time.sleep(0.02)
        w.check_prompt(f"bodies that stop, {target}")
        grown = w.resident() - w.memory
        tap.check(grown < 2 * MEMORY_GROWTH, f"{target}: {grown // MIB} MiB for 300 bodies")
        print(f"# {target}: {grown // MIB} MiB more for 300 bodies")
        for s, _ in held:
            s.close()
    w.check_well("bodies that stop")


@tap.case
def who_never_ends_a_head_is_cut_off(w):
    """Not by patience alone: the bytes of a head have a time in which they must all have come."""
    s = w.connect(timeout=40)
    began = time.monotonic()
    s.sendall(b"GET /health HTTP/1.1\r\n")
    ended = False
    s.settimeout(0.5)
    while time.monotonic() - began < 38 and not ended:
        try:
            s.sendall(b"X")
            ended = True if not s.recv(1000) else ended
        except TimeoutError:
            pass
        except OSError:
            ended = True
    s.close()
    tap.check(ended, f"cut off after {time.monotonic() - began:.0f} s")
    w.check_well("an endless head")


@tap.case
def readers_who_do_not_read(w):
    """Thirty downloads of 8 MiB that nobody reads: the rest waits in files, not in memory."""
    big = w.alice.must(w.alice.upload(os.urandom(8 * MIB), conversation_id=w.group))["file_id"]
    before = w.resident()
    held = []
    for _ in range(30):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", w.server.port))
        s.sendall(f"GET /api/files/{big}/download HTTP/1.1\r\nHost: x\r\n"
                  f"Authorization: Bearer {w.alice.token}\r\n\r\n".encode())
        held.append(s)
    time.sleep(1)
    w.check_prompt("30 readers who do not read")
    grown = w.resident() - before
    tap.check(grown < MEMORY_GROWTH, f"{grown // MIB} MiB for readers who do not read")
    print(f"# {grown // 1024} KiB more for 30 readers")
    for s in held[:15]:
        s.recv(1000)
    for s in held:
        s.close()
    w.check_well("readers who do not read")


# --- sudden ends ---

@tap.case
def sudden_ends_on_every_route(w):
    """The connection ends in the head, in the body, or before the answer; or is reset."""
    blobs = w.server.resting_blobs()
    for method, pattern in w.routes:
        head, body = w.request(method, pattern, authorized=not destructive(method, pattern))
        whole = head + body
        for end in (len(head) // 2, len(head), len(head) + len(body) // 2, len(whole)):
            if end == len(whole) and (body or method in ("POST", "PUT", "PATCH")):
                continue  # that one would count
            s = w.connect()
            s.sendall(whole[:end])
            if end % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.close()
    tap.check(w.server.settle_blobs(blobs) <= blobs + 1, "no half files are left")
    w.check_well("sudden ends")


@tap.case
def uploads_that_end_early(w):
    blobs = w.server.resting_blobs()
    kind, body = multipart(os.urandom(MIB), conversation_id=w.group)
    for number in range(40):
        s = w.connect()
        s.sendall(f"POST /api/files/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
                  f"Authorization: Bearer {w.alice.token}\r\nContent-Length: {len(body)}\r\n\r\n"
                  .encode() + body[:w.dice.randrange(len(body) - 10)])
        if number % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()
    tap.equal(w.server.settle_blobs(blobs), blobs, "files in the data folder")
    w.check_well("uploads that end early")


# --- floods ---

@tap.case
def pipelined_floods_on_every_route(w):
    """A thousand requests in one go and nobody reads; then somebody does, and all are in order."""
    for method, pattern in w.routes:
        if method not in ("GET", "HEAD", "OPTIONS"):
            continue
        head, _ = w.request(method, pattern)
        s = w.connect()
        s.settimeout(0.2)
        with contextlib.suppress(OSError):
            s.sendall(head * 1000)
        w.check_prompt(f"1000 of {method} {pattern} at once")
        s.close()
    w.check_well("pipelined floods")


@tap.case
def a_pipeline_is_answered_in_order_and_whole(w):
    targets = ["/health", "/", f"/api/conversations/{w.group}", "/api/nothing"] * 50
    wanted = [200, 200, 401, 404] * 50
    data = "".join(f"GET {t} HTTP/1.1\r\nHost: x\r\n\r\n" for t in targets).encode()
    with w.connect() as s:
        sender = threading.Thread(target=s.sendall, args=(data,))
        sender.start()
        got, statuses = b"", []
        s.settimeout(60)
        with contextlib.suppress(OSError):
            while len(statuses) < len(wanted):
                piece = s.recv(65536)
                if not piece:
                    break
                got += piece
                statuses = [int(x) for x in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]
        sender.join()
    tap.equal(statuses, wanted, "statuses")
    w.check_well("a pipeline")


@tap.case
def floods_are_slowed_down(w):
    """With the limits of an ordinary server: an address that floods gets 429 and when to come back."""
    with Server(RATE_ADDRESS=200, RATE_ACCOUNT=50, RATE_LOGIN=20) as server:
        statuses, after = [], []

        def flood():
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            for _ in range(600):
                try:
                    connection.request("GET", "/")
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, http.client.HTTPException):
                    connection.close()
                    continue
                statuses.append(answer.status)
                if answer.status == 429:
                    after.append(answer.getheader("Retry-After"))
            connection.close()

        threads = [threading.Thread(target=flood) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        tap.check(429 in statuses, f"429 among {len(statuses)} answers")
        tap.check(set(statuses) <= {200, 429}, f"nothing else: {set(statuses)}")
        tap.check(all(a and a.isdigit() and int(a) >= 1 for a in after), "each with Retry-After")
        tap.equal(server.process.poll(), None, "the server lives")
        if after:
            time.sleep(min(int(after[-1]), 10) + 1)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/")
        tap.equal(connection.getresponse().status, 200, "after Retry-After")
        connection.close()


@tap.case
def many_people_at_once(w):
    """Posts from forty connections: all are stored, or refused with a word."""
    results = []

    def post(number):
        connection = http.client.HTTPConnection("127.0.0.1", w.server.port, timeout=120)
        for _ in range(25):
            connection.request("POST", f"/api/conversations/{w.group}/messages",
                               dumps({"content": b64(b"x" * 1000)}),
                               {"Authorization": f"Bearer {w.alice.token}",
                                "Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            results.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=post, args=(n,)) for n in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tap.equal(len(results), 1000, "answers")
    tap.check(set(results) <= {201, 503}, f"{set(results)}")
    tap.check(results.count(201) > 500, f"{results.count(201)} stored")
    w.check_well("many at once")


tap.main(world)
