"""What ends: sessions by time, by closing, by leaving; messages that disappear; and that nothing of
them is left in the data folder."""
import concurrent.futures
import contextlib
import http.client
import os
import random
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64, download, query, unix  # noqa: E402
from support.seed import seed  # noqa: E402
from support.server import Server  # noqa: E402
from support.tus import patch, tus_create  # noqa: E402

PATIENCE = 30


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob, self.eve = (Person(server).register() for _ in range(3))

    def session(self, *others, **more):
        body = {"participants": [p.username for p in others or (self.bob,)],
                "ttl_seconds": 3600, **more}
        return self.alice.must(self.alice.post("/api/sessions", body))


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"in vain waited for: {what}")
        time.sleep(0.05)


def marker():
    return uuid.uuid4().hex.encode()


def traces(server, text):
    """Which files of the data folder hold it, in bytes, base64 or a name."""
    found = []
    for folder, _, names in os.walk(server.data):
        for name in names:
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as file:
                    data = file.read()
            except FileNotFoundError:
                continue  # deleted meanwhile
            if text in data or text in name.encode():
                found.append(os.path.relpath(path, server.data))
    return found


def fill(world, conversation, secret, messages=3):
    """The secret everywhere where something of a conversation is kept."""
    alice, bob = world.alice, world.bob
    path = f"/api/conversations/{conversation}"
    for number in range(messages):
        alice.send(conversation, secret * 40, client_id=f"{number}-{secret.decode()}")
    last = bob.send(conversation, b"seen" + secret)["id"]
    for person in (alice, bob):
        person.must(person.put(f"{path}/key", {"key": b64(secret)}))
        person.must(person.post(f"{path}/read", {"message_id": last}))
    files = [bob.must(bob.upload(secret * 9, conversation_id=conversation))["file_id"]]
    alice.must(alice.upload(secret * 5, conversation_id=conversation))
    place = tus_create(alice, 4000, conversation=conversation).headers["location"]
    tap.equal(patch(alice, place, 0, secret * 7).status, 204, "an upload under way")
    return files[0], place


def check_gone(world, conversation, file, place):
    """410 for who was in it, 404 for others, and no way around."""
    w = world
    for base in ("conversations", "sessions", "rooms"):
        path = f"/api/{base}/{conversation}"
        for tail in ("", "/messages", "/participants", "/key", "/devices"):
            for person, status in ((w.alice, 410), (w.bob, 410), (w.eve, 404)):
                tap.equal(person.get(path + tail).status, status, f"GET {path}{tail}")
        for person, status in ((w.alice, 410), (w.eve, 404)):
            tap.equal(person.post(path + "/messages", {"content": "YQ=="}).status, status, "post")
            tap.equal(person.post(path + "/read", {"message_id": 1}).status, status, "read")
            tap.equal(person.put(path + "/key", {"key": "YQ=="}).status, status, "key")
            tap.equal(person.put(path + "/expiry", {"message_ttl_seconds": 9}).status, status, "expiry")
            tap.equal(person.delete(path + "/participants", {}).status, status, "leave")
    for person, status in ((w.alice, 410), (w.bob, 410), (w.eve, 404)):
        tap.equal(person.delete(f"/api/sessions/{conversation}", {}).status, status, "close")
        tap.equal(download(person, file).status, 404, "the file")
    tap.one_of(patch(w.alice, place, 224, b"more").status, (404, 410), "the upload")
    tap.one_of(w.alice.upload(b"x", conversation_id=conversation).status, (404, 410), "another file")
    listed = w.alice.must(w.alice.get("/api/sessions"))["sessions"]
    tap.check(conversation not in [s["id"] for s in listed], "not in the list")


def check_no_trace(server, secret):
    wait_for("the last trace to go", lambda: not traces(server, secret))


# --- sessions ---

@tap.case
def a_session_closed_by_anyone_leaves_nothing(w):
    secret = marker()
    session = w.session(name=secret.decode())
    tap.equal(session["ends_when"], "last_leaves", "ends_when")
    file, place = fill(w, session["id"], secret)
    tap.check(len(traces(w.server, secret)) >= 3, "it is there before: store and blobs")
    tap.equal(w.eve.delete(f"/api/sessions/{session['id']}", {}).status, 404, "an outsider")
    w.bob.must(w.bob.delete(f"/api/sessions/{session['id']}", {}))
    check_gone(w, session["id"], file, place)
    check_no_trace(w.server, secret)


@tap.case
def an_upload_under_way_does_not_outlive_it(w):
    secret = marker()
    session = w.session()["id"]
    for offset in (0, 320):
        place = tus_create(w.alice, 5000000, conversation=session).headers["location"]
        if offset:
            tap.equal(patch(w.alice, place, 0, secret * 10).status, 204, "the first bytes")
        connection = http.client.HTTPConnection("127.0.0.1", w.server.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.putrequest("PATCH", place[place.index("/api/"):])
            for name, value in (("Tus-Resumable", "1.0.0"), ("Upload-Offset", str(offset)),
                                ("Content-Type", "application/offset+octet-stream"),
                                ("Content-Length", "3200000"), ("Authorization", f"Bearer {w.alice.token}")):
                connection.putheader(name, value)
            connection.endheaders()
            connection.send(secret * 50000)
            wait_for("half of it on the disk", lambda: any(
                name.startswith("blobs") for name in traces(w.server, secret * 100)))
            w.bob.must(w.bob.delete(f"/api/sessions/{session}", {}))
            connection.send(secret * 50000)
            tap.one_of(connection.getresponse().status, (404, 410), "the rest is not taken")
        check_no_trace(w.server, secret)
        session = w.session()["id"]


@tap.case
def a_session_ends_on_time_though_nobody_asks(w):
    with Server() as server:
        own, secret = World(server), marker()
        session = own.session(ttl_seconds=3600, name=secret.decode())
        file, place = fill(own, session["id"], secret)
        server.stop()
        server.sql("UPDATE conversations SET expires_at = ?", int(time.time()) + 3)
        server.start()
        check_no_trace(server, secret)
        check_gone(own, session["id"], file, place)
        server.restart()
        check_gone(own, session["id"], file, place)


@tap.case
def a_short_session_ends_while_the_server_runs(w):
    session = w.session(ttl_seconds=2)["id"]
    wait_for("the end", lambda: w.bob.get(f"/api/sessions/{session}").status == 410)
    tap.equal(w.eve.get(f"/api/sessions/{session}").status, 404, "an outsider")


@tap.case
def what_is_overdue_is_gone_before_the_first_answer(w):
    with Server() as server:
        own, secret = World(server), marker()
        session = own.session(name=secret.decode())["id"]
        kept = own.session()["id"]
        file, place = fill(own, session, secret)
        server.kill()
        server.sql("UPDATE conversations SET expires_at = ? WHERE id = ?", int(time.time()) - 1, session)
        tap.check(traces(server, secret), "a stopped server deletes nothing")
        server.start()
        left = [name for name in traces(server, secret) if name.startswith("tacit.db")]
        tap.equal(left, [], "in the store, by the first answer")
        check_gone(own, session, file, place)
        check_no_trace(server, secret)
        tap.equal(own.bob.get(f"/api/sessions/{kept}").status, 200, "the other")


@tap.case
def the_last_one_out_ends_a_session(w):
    secret = marker()
    session = w.session(name=secret.decode())["id"]
    path = f"/api/sessions/{session}"
    fill(w, session, secret)
    w.alice.must(w.alice.delete(f"{path}/participants", {}))
    tap.equal(w.alice.get(path).status, 404, "who has left is an outsider")
    tap.equal(w.bob.get(path).status, 200, "it goes on")
    w.bob.must(w.bob.delete(f"{path}/participants", {}))
    tap.equal(w.bob.get(path).status, 410, "the last one")
    tap.equal(w.alice.get(path).status, 404, "the first one")
    check_no_trace(w.server, secret)


@tap.case
def a_session_may_end_when_anyone_leaves(w):
    secret = marker()
    session = w.session(w.bob, w.eve, ends_when="anyone_leaves", name=secret.decode())
    tap.equal(session["ends_when"], "anyone_leaves", "as was asked")
    path = f"/api/sessions/{session['id']}"
    fill(w, session["id"], secret)
    w.bob.must(w.bob.delete(f"{path}/participants", {}))
    for person in (w.alice, w.bob, w.eve):
        tap.equal(person.get(f"{path}/messages").status, 410, "gone for all")
    check_no_trace(w.server, secret)
    other = w.session(ends_when="anyone_leaves")["id"]
    w.alice.must(w.alice.delete(f"/api/sessions/{other}/participants/{w.bob.username}", {}))
    tap.equal(w.alice.get(f"/api/sessions/{other}").status, 410, "also when one is removed")


@tap.case
def terms_are_checked(w):
    for body in ({"ends_when": "never"}, {"ttl_seconds": 0}, {"ttl_seconds": -1},
                 {"ttl_seconds": 10**9}, {"message_ttl_seconds": 10**9}, {"ends_when": 1},
                 {"ttl_seconds": "60"}, {"message_ttl_seconds": -1}):
        got = w.alice.post("/api/sessions", {"participants": [w.bob.username], **body})
        tap.one_of(got.status, (400, 422), f"{body}")
    room = w.alice.conversation("room", w.bob, ends_when="anyone_leaves", ttl_seconds=5)
    room = w.alice.must(w.alice.get(f"/api/rooms/{room}"))
    tap.equal((room["ends_when"], room["expires_at"]), (None, None), "of a room")


@tap.case
def the_operator_bounds_what_may_be_asked(w):
    with Server("--ttl-min", "60", "--ttl-max", "600") as server:
        own = World(server)
        path = f"/api/conversations/{own.alice.conversation('group', own.bob)}/expiry"
        for seconds, status in ((59, 422), (60, 200), (600, 200), (601, 422)):
            got = own.alice.put(path, {"message_ttl_seconds": seconds})
            tap.equal(got.status, status, f"messages, {seconds}")
            got = own.alice.post("/api/sessions", {"participants": [own.bob.username],
                                                   "ttl_seconds": seconds})
            tap.equal(got.status, 201 if status == 200 else status, f"sessions, {seconds}")
        tap.equal(own.alice.put(path, {"message_ttl_seconds": 0}).status, 200, "off is always allowed")
        session = own.alice.must(own.alice.post("/api/sessions", {"participants": [own.bob.username]}))
        life = unix(session["expires_at"]) - unix(session["created_at"])
        tap.check(600 <= life <= 601, f"the default is within the bounds, {life}")


# --- messages that disappear ---

@tap.case
def any_member_sets_how_long_messages_live(w):
    for kind in ("direct", "group", "room", "session"):
        more = {"ttl_seconds": 3600} if kind == "session" else {}
        c = w.alice.conversation(kind, w.bob, **more)
        path = f"/api/conversations/{c}"
        tap.equal(w.alice.must(w.alice.get(path))["message_ttl_seconds"], 0, f"{kind}: at first")
        got = w.bob.must(w.bob.put(f"{path}/expiry", {"message_ttl_seconds": 600}))
        tap.equal(got["message_ttl_seconds"], 600, f"{kind}: the answer")
        tap.equal(w.alice.must(w.alice.get(path))["message_ttl_seconds"], 600, f"{kind}: alice's")
        tap.equal(w.eve.put(f"{path}/expiry", {"message_ttl_seconds": 5}).status, 404, "an outsider")
        for bad in ({}, {"message_ttl_seconds": "5"}, {"message_ttl_seconds": -1},
                    {"message_ttl_seconds": 1.5}, {"message_ttl_seconds": None}):
            tap.one_of(w.bob.put(f"{path}/expiry", bad).status, (400, 422), f"{bad}")
        got = w.bob.signed(f"{path}/expiry", {"message_ttl_seconds": 0, "n": kind}, method="PUT", auth="bearer")
        tap.equal((got.status, got.json["message_ttl_seconds"]), (200, 0), f"{kind}: off, signed")
    got = w.alice.conversation("group", w.bob, message_ttl_seconds=77)
    tap.equal(w.bob.must(w.bob.get(f"/api/conversations/{got}"))["message_ttl_seconds"], 77, "from the start")


@tap.case
def a_message_disappears_and_leaves_nothing(w):
    secret = marker()
    group = w.alice.conversation("group", w.bob)
    path = f"/api/conversations/{group}"
    first = w.alice.send(group, b"stays")["id"]
    stays = w.alice.must(w.alice.upload(b"stays too", conversation_id=group))["file_id"]
    w.bob.must(w.bob.put(f"{path}/expiry", {"message_ttl_seconds": 1}))
    for number in range(3):
        w.alice.send(group, secret * 50, client_id=f"{number}-{secret.decode()}")
    file = w.alice.must(w.alice.upload(secret * 8, conversation_id=group))["file_id"]
    w.bob.must(w.bob.put(f"{path}/expiry", {"message_ttl_seconds": 0}))

    def ids(**parameters):
        page = w.bob.must(w.bob.get(f"{path}/messages" + query(**parameters)))
        return [m["id"] for m in page["messages"]]
    wait_for("the end of the messages", lambda: ids() == [first])
    wait_for("the end of the file", lambda: download(w.bob, file).status == 404)
    check_no_trace(w.server, secret)
    tap.equal(ids(after=0), [first], "from the start")
    tap.equal(ids(before=10**9), [first], "from the end")
    seen = w.bob.must(w.bob.get(path))
    tap.equal((seen["last_message_id"], seen["unread"]), (first, 1), "last and unread")
    tap.equal(download(w.bob, stays).body, b"stays too", "the older file")
    last = w.alice.send(group, b"after")["id"]
    tap.equal(ids(), [first, last], "life goes on")


@tap.case
def a_message_shows_when_it_disappears(w):
    group = w.alice.conversation("group", w.bob)
    path = f"/api/conversations/{group}"
    tap.check("expires_at" not in w.alice.send(group, b"stays"), "the first has no end")
    w.bob.must(w.bob.put(f"{path}/expiry", {"message_ttl_seconds": 600}))
    sent = w.alice.send(group, b"goes")
    life = unix(sent["expires_at"]) - unix(sent["created_at"])
    tap.check(600 <= life <= 601, f"the answer, {life}")
    again = w.alice.send(group, b"goes", client_id="twice")
    tap.equal(w.alice.send(group, b"goes", client_id="twice")["expires_at"], again["expires_at"], "a retry")
    w.bob.must(w.bob.put(f"{path}/expiry", {"message_ttl_seconds": 0}))
    page = w.bob.must(w.bob.get(f"{path}/messages"))["messages"]
    tap.equal([m["expires_at"] for m in page], [None, sent["expires_at"], again["expires_at"]], "the page")


@tap.case
def deadlines_of_messages_survive_a_restart(w):
    with Server() as server:
        own, secret = World(server), marker()
        group = own.alice.conversation("group", own.bob, message_ttl_seconds=3600)
        own.alice.send(group, secret * 50)
        later = own.alice.send(group, b"later")["id"]
        server.kill()
        soon = int(time.time()) + 2
        changed = server.sql("UPDATE messages SET expires_at = ? WHERE id <> ?", soon, later)
        server.sql("UPDATE message_bursts SET expires_at = ? WHERE first_id <> ?", soon, later)
        tap.equal(changed, 1, "one is nearly over")
        server.start()
        check_no_trace(server, secret)
        page = own.bob.must(own.bob.get(f"/api/conversations/{group}/messages"))
        tap.equal([m["id"] for m in page["messages"]], [later], "the other lives")


# --- clocks ---

def set_clock_back(server, seconds):
    """What a server finds whose machine's clock was set back while it was down: a mark ahead."""
    now = int(time.time() * 1000)
    mark = (now + seconds * 1000).to_bytes(8, "big") + now.to_bytes(8, "big")
    tap.equal(server.sql("UPDATE meta SET value = ? WHERE key = 'steady_clock'", mark), 1, "the mark")


@tap.case
def a_clock_set_back_prolongs_nothing(w):
    with Server() as server:
        own, secret = World(server), marker()
        over = own.session(ttl_seconds=1800, name=secret.decode())["id"]
        alive = own.session(ttl_seconds=7200)["id"]
        file, place = fill(own, over, secret)
        server.stop()
        set_clock_back(server, 3600)
        server.start()
        check_gone(own, over, file, place)
        check_no_trace(server, secret)
        tap.equal(own.alice.get(f"/api/sessions/{alive}").status, 200, "one whose time is not up")
        wait_for("a warning", lambda: "set back by" in server.log())
        tap.equal(own.alice.signed("/api/me", {}, auth="bearer").status, 200, "signatures go by the machine's clock")
        brief = own.session(ttl_seconds=2)["id"]
        wait_for("its end", lambda: own.alice.get(f"/api/sessions/{brief}").status == 410)
        server.restart()
        own.alice.must(own.alice.get(f"/api/sessions/{alive}"))
        server.stop()
        set_clock_back(server, 7200)
        server.start()
        tap.equal(own.alice.get(f"/api/sessions/{alive}").status, 410, "set back once more")


# --- crashes ---

def crash_while_closing(server, own, session, delay):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        def close():
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                own.alice.delete(f"/api/sessions/{session}", {})
        closing = pool.submit(close)
        time.sleep(delay)
        server.kill()
        closing.result()


@tap.case
def a_crash_while_it_is_destroyed_ends_in_whole_destruction(w):
    chance = random.Random(seed())
    with Server() as server:
        own = World(server)
        for _ in range(10):
            secret = marker()
            session = own.session(name=secret.decode())["id"]
            file, place = fill(own, session, secret, messages=15)
            crash_while_closing(server, own, session, chance.random() * 0.02)
            server.start()
            got = own.bob.get(f"/api/sessions/{session}/messages")
            tap.one_of(got.status, (200, 410), "there or gone")
            if got.status == 200:  # the crash came first: then everything is there
                tap.equal(len(got.json["messages"]), 16, "all messages")
                tap.equal(download(own.alice, file).body, secret * 9, "the file")
                own.bob.must(own.bob.delete(f"/api/sessions/{session}", {}))
            check_gone(own, session, file, place)
            check_no_trace(server, secret)


tap.main(world)
