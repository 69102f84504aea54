"""What ends live connections, and what bounds them: logins that end, settings, slowness."""
import contextlib
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64, device  # noqa: E402
from support.live import Ended, Live, Refused  # noqa: E402
from support.server import Server, program  # noqa: E402


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob = Person(server).register(), Person(server).register()
        self.room = self.alice.conversation("room", self.bob)


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


@contextlib.contextmanager
def another(**settings):
    with Server(**settings) as server:
        yield World(server)


def still_there(live):
    live.settle()
    return live.ended is None


@tap.case
def a_logout_ends_its_own_sockets(w):
    here = Person(w.server).register()
    there = here.another_session()
    with Live(here) as one, Live(here, auth="cookie") as two, Live(there) as other:
        here.must(here.post("/api/logout"))
        one.wait_end()
        two.wait_end()
        tap.check(still_there(other), "the other login stays")
        try:
            Live(here).close()
            tap.fail("a token of an ended login connects")
        except Refused as reason:
            tap.equal(reason.data["code"], "INVALID_TOKEN", "code")


@tap.case
def a_disabled_account_is_out(w):
    eve = Person(w.server).register()
    with Live(eve) as live, Live(w.alice) as alice:
        subprocess.run([program("tacitd"), "admin", "--data", w.server.data, "disable",
                        eve.username], check=True, capture_output=True, timeout=60,
                       env=w.server.environment())
        live.wait_end()
        tap.check(still_there(alice), "others stay")


@tap.case
def a_stolen_refresh_token_ends_the_sockets(w):
    eve = Person(w.server).register()
    with Live(eve) as live:
        old = eve.refresh
        eve.must(eve.post("/api/token/refresh", {"refresh_token": old}, auth=None))
        tap.check(still_there(live), "a refresh ends nothing")
        tap.equal(eve.post("/api/token/refresh", {"refresh_token": old}, auth=None).status, 401,
                  "twice is a theft")
        live.wait_end()


def with_device(person):
    """Publishes a device from this login, and answers its id."""
    raw = device(person.key)
    person.must(person.post("/api/devices", {"device": b64(raw)}))
    return raw[1:17].hex()


def refresh(person):
    answer = person.post("/api/token/refresh", {"refresh_token": person.refresh}, auth=None)
    if answer.status == 200:
        person.token, person.refresh = answer.json["token"], answer.json["refresh_token"]
    return answer.status


def statuses(person):
    return [person.get("/api/conversations", auth=way).status for way in ("bearer", "cookie")]


@tap.case
def a_revoked_device_is_out_at_once(_):
    with another() as w:
        here = Person(w.server).register()
        lost, script = here.another_session(), here.another_session()
        with_device(here)
        identity = with_device(lost)
        tap.equal(refresh(lost), 200, "a refreshed login is still the device's")
        w.server.restart()
        with Live(here) as mine, Live(lost) as one, Live(lost, auth="cookie") as two, \
                Live(script) as other:
            here.must(here.delete(f"/api/devices/{identity}"))
            tap.equal(statuses(lost), [401, 401], "its login")
            tap.equal(refresh(lost), 401, "its refresh token")
            one.wait_end()
            two.wait_end()
            tap.check(still_there(mine) and still_there(other), "the others stay")
        try:
            Live(lost).close()
            tap.fail("a token of a revoked device connects")
        except Refused as reason:
            tap.equal(reason.data["code"], "INVALID_TOKEN", "code")
        w.server.restart()
        tap.equal((statuses(lost), refresh(lost)), ([401, 401], 401), "after a restart")
        for person in (here, script):
            tap.equal((statuses(person), refresh(person)), ([200, 200], 200), "the others go on")


@tap.case
def key_packages_tell_whose_a_login_is(w):
    here = Person(w.server).register()
    identity = with_device(here.another_session())
    again = here.another_session()
    path = f"/api/devices/{identity}"
    again.must(again.put(path + "/key-packages", {"key_packages": [b64(b"k")]}))
    with_device(again)
    asking, lured = here.another_session(), here.another_session()
    asking.must(asking.get(path + "/key-packages", auth="cookie-only"))
    lured.must(lured.get(path + "/key-packages", auth="cookie-only",
                         headers={"Sec-Fetch-Site": "cross-site"}))
    with Live(again) as live:
        here.must(here.delete(path))
        live.wait_end()
    tap.equal(statuses(again), [401, 401], "naming another device later is no way out")
    tap.equal(statuses(asking), [401, 401], "who asked for its stock")
    tap.equal(statuses(lured), [200, 200], "another site's link ties nothing")
    tap.equal(statuses(here), [200, 200], "who revoked it goes on")


@tap.case
def who_revokes_the_own_device_is_out(w):
    here = Person(w.server).register()
    there = here.another_session()
    identity = with_device(here)
    with Live(here) as live:
        got = here.delete(f"/api/devices/{identity}", auth="cookie")
        tap.equal(got.status, 200, "the answer still comes")
        tap.equal(got.cookies()["tacit_session"][0], "", "the cookie goes")
        live.wait_end()
    tap.equal(here.get("/api/conversations").status, 401, "out")
    tap.equal(statuses(there), [200, 200], "the other login has no device, and stays")


@tap.case
def a_signature_alone_ties_no_login(w):
    here = Person(w.server).register()
    raw = device(here.key)
    here.must(here.signed("/api/devices", {"device": b64(raw)}, username=here.username))
    identity = raw[1:17].hex()
    got = here.signed(f"/api/devices/{identity}", {}, method="DELETE", username=here.username)
    tap.equal(got.status, 200, "removed")
    tap.equal(statuses(here), [200, 200], "the login goes on")


@contextlib.contextmanager
def expiring_soon(w):
    """Sockets of both, whose logins end in a moment; alice has prolonged hers. On a slow machine the
    moment may pass before they are connected: then it was too short."""
    for seconds in (2, 8, 24):
        w.server.stop()
        w.server.sql("UPDATE sessions SET expires_at = ?", int(time.time()) + seconds)
        w.server.start()
        with contextlib.ExitStack() as stack:
            try:
                lives = [stack.enter_context(Live(p)) for p in (w.alice, w.bob)]
            except Refused:
                continue
            answer = w.alice.post("/api/token/refresh", {"refresh_token": w.alice.refresh},
                                  auth=None)
            if answer.status == 200:
                yield lives
                return
    raise AssertionError("connecting takes longer than a login lasts")


@tap.case
def an_expired_login_is_out_and_a_prolonged_one_stays(_):
    with another() as w, expiring_soon(w) as (alice, bob):
        bob.wait_end()
        tap.check(still_there(alice), "beyond the first end")


@tap.case
def presence_can_be_switched_off(_):
    with another(PRESENCE="off") as w:
        with Live(w.alice) as alice:
            alice.join(w.room)
            with Live(w.bob) as bob:
                bob.join(w.room)
                bob.must("typing", room_id=w.room, typing=True)
                bob.must("presence", state="away")
                sent = bob.send(w.room, "x")["id"]
                alice.wait("new_message", lambda m: m["id"] == sent)
                alice.settle()
                bob.settle()
            for who in (alice, bob):
                tap.equal(who.all("presence") + who.all("typing"), [], "nothing is told")


@tap.case
def an_account_has_so_many_connections(_):
    with another(CONNECTIONS_PER_ACCOUNT=3) as w:
        with contextlib.ExitStack() as stack:
            lives = [stack.enter_context(Live(w.alice)) for _ in range(5)]
            for gone in lives[:2]:
                gone.wait_end()
            for kept in lives[2:]:
                tap.check(still_there(kept), "the youngest stay")
            tap.check(still_there(stack.enter_context(Live(w.bob))), "others are not counted")


@tap.case
def events_cost_what_calls_cost(_):
    with another(RATE_ACCOUNT=5) as w:
        with Live(w.alice) as live:
            numbers = [live.begin("send_message", room_id=w.room, encrypted_content="x")
                       for _ in range(60)]
            answers = [live.finish(n) for n in numbers]
            refused = [a for a in answers if a.get("code") == "RATE_LIMITED"]
            tap.check(refused, "the allowance ends")
            tap.check(refused and refused[0]["retry_after"] >= 1, "retry_after")
            tap.check(live.wait("error", lambda e: e["code"] == "RATE_LIMITED"), "an event, too")
            tap.check(any(w.alice.get("/api/conversations").status == 429 for _ in range(40)),
                      "it is the same allowance")


@tap.case
def an_address_opens_so_many_sessions(_):
    """Before anybody is asked who they are."""
    with another(RATE_ADDRESS=10) as w:
        for _ in range(1000):
            answer = w.alice.get("/socket.io/?EIO=4&transport=polling", auth=None)
            if answer.status != 200:
                break
        tap.equal(answer.status, 429, "refused")
        tap.check(int(answer.headers["retry-after"]) >= 1, "Retry-After")
        tap.equal(answer.json["code"], "RATE_LIMITED", "the error object")
        tap.check({"error", "timestamp"} <= set(answer.json), "all of it")
        refused = None
        while refused is None:  # each takes more than comes back meanwhile
            try:
                with contextlib.suppress(Refused):  # the last of the allowance
                    Live(w.alice).close()
            except Ended as reason:
                refused = str(reason)
        tap.check("429" in refused, f"a WebSocket, too: {refused}")


def timed_requests(w):
    text = w.alice.get("/metrics").body.decode()
    return int(next(line for line in text.splitlines()
                    if line.startswith("tacit_http_request_seconds_count ")).split()[1])


@tap.case
def polls_are_no_measure_of_how_fast_calls_are(_):
    with another() as w:
        before = timed_requests(w)
        for _ in range(20):
            answer = w.alice.get("/socket.io/?EIO=4&transport=polling", auth=None)
            tap.equal(answer.status, 200, "a poll")
        tap.check(timed_requests(w) - before < 5, "they are not in the histogram")


@tap.case
def a_flood_is_cut(_):
    with another(RATE_ACCOUNT=5) as w:
        with Live(w.alice) as live, Live(w.bob) as bob:
            with contextlib.suppress(OSError):
                for _ in range(5000):
                    live.emit("typing", room_id=w.room)
            live.wait_end()
            tap.check(still_there(bob), "others stay")


@tap.case
def changes_must_be_signed_where_calls_must(_):
    with another() as w:
        w.server.stop()
        w.server.settings["REQUIRE_SIGNED"] = "1"
        w.server.start()
        with Live(w.alice) as live:
            live.join(w.room)
            for event, body in (("send_message", {"encrypted_content": "x"}),
                                ("read", {"message_id": 1})):
                tap.equal(live.call(event, room_id=w.room, **body)["code"], "SIGNATURE_REQUIRED",
                          event)
            posted = w.bob.signed(f"/api/rooms/{w.room}/messages", {"content": b64(b"x")},
                                  auth="bearer")
            tap.equal(posted.status, 201, "a signed one")
            live.wait("new_message", lambda m: m["id"] == posted.json["id"])


def dropped_frames(w):
    text = w.alice.get("/metrics").body.decode()
    return int(next(line for line in text.splitlines()
                    if line.startswith("tacit_live_frames_dropped_total ")).split()[1])


@tap.case
def who_falls_behind_is_told_and_fetches(w):
    room = w.alice.conversation("room", w.bob)
    with Live(w.alice) as alice, Live(w.bob, receive_buffer=16384) as bob:
        bob.join(room)
        with bob.changed:  # the reader stops: what comes is not read any more
            ids, before = [], dropped_frames(w)
            while dropped_frames(w) == before and len(ids) < 2000:
                numbers = [alice.begin("send_message", room_id=room, encrypted_content="x" * 30000)
                           for _ in range(20)]
                ids += [alice.finish(n)["id"] for n in numbers]
        behind = bob.wait("error", lambda e: e["code"] == "FELL_BEHIND")
        tap.equal(behind["room_id"], room, "which room")
        with bob.changed:
            told = [e for e in bob.events if e[0] in ("new_message", "error")]
        before = [b["id"] for n, b in told[:told.index(("error", behind))]]
        tap.check(len(before) < len(ids), "there is a gap")
        tap.equal(before, ids[:len(before)], "what came before is without one")
        got = before
        while True:
            page = bob.join(room, after=got[-1], limit=200)
            got += [m["id"] for m in page["messages"]]
            if not page["more"]:
                break
        tap.equal(got, ids, "all is there")
        fresh = alice.send(room, "x")["id"]
        bob.wait("new_message", lambda m: m["id"] == fresh)


tap.main(world)
