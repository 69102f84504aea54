"""Live messages of contract 5, on both channels: who connects, who gets them, what is in them, who learns
nothing."""
import base64
import os
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import RFC3339, b64  # noqa: E402
from support.live import Ended, Live, Refused  # noqa: E402
from support.live_people import QUESTIONS, check_error, fresh, joined, sockets, world  # noqa: E402

# --- connecting ---

@tap.case
def the_cookie_connects(w):
    with Live(w.alice, auth="cookie") as live:
        live.join(w.group)


def refused(w, what, code, **options):
    try:
        Live(w.alice, **options).close()
        tap.fail(f"{what}: was let in")
    except Refused as reason:
        tap.equal(reason.data and reason.data.get("code"), code, f"{what}: code")
        if code in ("NOT_LOGGED_IN", "INVALID_TOKEN"):
            tap.equal(reason.message, "Authentication required", f"{what}: message")


@tap.case
def without_a_login_nobody_connects(w):
    refused(w, "nothing", "NOT_LOGGED_IN", auth=None)
    refused(w, "an empty token", "NOT_LOGGED_IN", auth=None, token="")
    refused(w, "no JWT", "INVALID_TOKEN", auth=None, token="x.y.z")
    head, body, tag = w.alice.token.split(".")
    refused(w, "a forged JWT", "INVALID_TOKEN", auth=None,
            token=".".join((head, body, tag[::-1])))
    refused(w, "a wrong cookie", "NOT_LOGGED_IN", auth=None,
            headers={"Cookie": "tacit_session=" + "A" * 43})
    refused(w, "a long token", "INVALID_TOKEN", auth=None, token="x" * 5000)


@tap.case
def a_cookie_serves_the_servers_own_pages_only(w):
    for auth in ("cookie", "token"):
        try:
            Live(w.alice, auth=auth, headers={"Origin": "https://evil.example"}).close()
            tap.fail(f"a foreign page opens a WebSocket with a {auth}")
        except Ended as reason:
            tap.check(" 403 " in str(reason), f"{auth}: {reason}")
    refused(w, "another site", "CSRF", auth="cookie", headers={"Sec-Fetch-Site": "cross-site"})
    Live(w.alice, auth="cookie", headers={"Origin": w.server.url}).close()


# --- join_room, room_history ---

@tap.case
def history_comes_in_order_and_in_pages(w):
    room = fresh(w)
    ids = [w.bob.send(room, b"m%d" % i)["id"] for i in range(7)]
    with sockets(w.alice) as (live,):
        page = live.join(room, limit=3)
        tap.equal([m["id"] for m in page["messages"]], ids[4:], "the newest, ascending")
        tap.equal((page["more"], page["joined"]), (True, True), "there are older ones")
        page = live.join(room)
        tap.equal([m["id"] for m in page["messages"]], ids, "all")
        tap.equal((page["more"], page["joined"]), (False, True), "nothing older")
        page = live.join(room, after=ids[4])
        tap.equal([m["id"] for m in page["messages"]], ids[5:], "after")
        seen, after = [], 0
        while True:
            page = live.join(room, after=after, limit=3)
            seen += [m["id"] for m in page["messages"]]
            tap.equal(page["joined"], not page["more"], "joined when nothing is missing")
            if not page["more"]:
                break
            after = seen[-1]
        tap.equal(seen, ids, "from the first")
        later = w.bob.send(room)["id"]
        tap.equal(live.wait("new_message", lambda m: m["id"] == later)["room_id"], room, "and on")


@tap.case
def history_is_bounded_in_bytes(w):
    room = fresh(w)
    ids = [w.bob.send(room, os.urandom(40000))["id"] for _ in range(4)]
    with sockets(w.alice) as (live,):
        page = live.join(room)
        tap.equal(([m["id"] for m in page["messages"]], page["more"]), (ids[3:], True), "the newest")
        page = live.join(room, after=ids[0])
        tap.equal(([m["id"] for m in page["messages"]], page["more"], page["joined"]),
                  (ids[1:2], True, False), "the next")


@tap.case
def history_shows_what_new_message_showed(w):
    room = fresh(w)
    with joined(room, w.bob) as (bob,):
        sent = w.alice.send(room, b"over HTTP", client_id=uuid.uuid4().hex)
        live = bob.wait("new_message", lambda m: m["id"] == sent["id"])
        tap.equal(bob.join(room)["messages"], [live], "the same object")
        tap.equal(live, {"id": sent["id"], "room_id": room, "user_id": w.alice.user["id"],
                         "username": w.alice.username, "encrypted_content": b64(b"over HTTP"),
                         "iv": None, "message_hash": None, "client_id": sent["client_id"],
                         "created_at": sent["created_at"], "expires_at": None}, "its members")


@tap.case
def joining_twice_doubles_nothing(w):
    room = fresh(w)
    with joined(room, w.bob) as (bob,):
        for _ in range(3):
            bob.join(room)
        sent = w.alice.send(room)["id"]
        bob.wait("new_message", lambda m: m["id"] == sent)
        bob.settle()
        tap.equal([m["id"] for m in bob.all("new_message")], [sent], "once")


@tap.case
def who_has_left_hears_nothing_more(w):
    room = fresh(w)
    with joined(room, w.bob) as (bob,):
        tap.equal(bob.must("leave_room", room_id=room), {"room_id": room}, "acknowledged")
        tap.equal(bob.must("leave_room", room_id=room), {"room_id": room}, "twice is fine")
        sent = w.alice.send(room)["id"]
        bob.settle()
        tap.equal(bob.all("new_message"), [], "nothing came")
        tap.equal([m["id"] for m in bob.join(room)["messages"]], [sent], "the history has it")


# --- send_message ---

@tap.case
def a_message_reaches_everybody_who_joined(w):
    room = fresh(w)
    with joined(room, w.alice, w.alice, w.bob) as (one, two, bob), sockets(w.bob) as (outside,):
        client_id = str(uuid.uuid4())
        ack = one.send(room, "aGVsbG8=", iv="[1,2]", message_hash="ff", client_id=client_id)
        tap.equal((ack["room_id"], ack["client_id"]), (room, client_id), "acknowledgement")
        tap.check(ack["id"] > 0 and RFC3339.match(ack["created_at"]), "id and time")
        want = {"id": ack["id"], "room_id": room, "user_id": w.alice.user["id"],
                "username": w.alice.username, "encrypted_content": "aGVsbG8=", "iv": "[1,2]",
                "message_hash": "ff", "client_id": client_id, "created_at": ack["created_at"],
                "expires_at": None}
        for who in (one, two, bob):
            tap.equal(who.wait("new_message"), want, "the message")
        outside.settle()
        tap.equal(outside.all("new_message"), [], "one who has not joined")
    stored = w.bob.must(w.bob.get(f"/api/rooms/{room}/messages"))["messages"]
    tap.equal((stored[0]["content"], stored[0]["iv"], stored[0]["message_hash"]),
              ("aGVsbG8=", "[1,2]", "ff"), "over HTTP")
    tap.check("encrypted_content" not in stored[0], "base64 is the content itself")


STRINGS = {
    "base64": b64(b"sealed"),
    "base64 without padding": "c2VhbGVk"[:-1],
    "base64 with bits left over": "aGVsbG9=",
    "base64url": "_-_-",
    "base64 with a line feed": "aGVs\nbG8=",
    "a JSON array as text": "[12, 255, 0, -1]",
    "a JSON object as text": '{"a": "\\u00e9\\n", "b": [1e5, null]}',
    "emoji": "👩‍👩‍👧 ✓ \U0010ffff",
    "escapes": "\\ \" / \b\f\n\r\t \x01\x1f\x7f \\u0041",
    "empty": "",
    "blanks": "   ",
    "line separators": "\u2028\u2029\ufeff",
    "long": "x" * 70000,
}


def an_opaque_string_comes_back(w, name):
    text = STRINGS[name]
    room = fresh(w)
    small = text if len(text) < 1000 else "iv"
    with joined(room, w.bob, w.alice) as (bob, alice):
        first = alice.send(room, text, iv=small, message_hash=small)["id"]
        got = w.alice.post(f"/api/rooms/{room}/messages", {"encrypted_content": text, "iv": small})
        second = w.alice.must(got)["id"]
        for message, message_hash in ((first, small), (second, None)):
            live = bob.wait("new_message", lambda m, want=message: m["id"] == want)
            tap.equal((live["encrypted_content"], live["iv"], live["message_hash"]),
                      (text, small, message_hash), "new_message")
    with sockets(w.bob) as (bob,):
        history = bob.join(room, after=0)["messages"]
        if len(history) == 1:  # a long one fills its page
            history += bob.join(room, after=first)["messages"]
        tap.equal([m["encrypted_content"] for m in history], [text, text], "room_history")
    for m in w.bob.must(w.bob.get(f"/api/rooms/{room}/messages"))["messages"]:
        stands = base64.b64decode(m["content"])
        if "encrypted_content" in m:
            tap.equal((m["encrypted_content"], stands), (text, text.encode()), "over HTTP")
        else:
            tap.equal(m["content"], text, "over HTTP")
        tap.equal(m["iv"], small, "iv over HTTP")


tap.cases(STRINGS, an_opaque_string_comes_back)


@tap.case
def a_retry_is_there_once_on_either_channel(w):
    room = fresh(w)
    path = f"/api/rooms/{room}/messages"
    with joined(room, w.alice, w.bob) as (alice, bob):
        first, second = uuid.uuid4().hex, uuid.uuid4().hex
        acks = [alice.send(room, "YQ==", client_id=first) for _ in range(2)]
        again = w.alice.post(path, {"content": "YQ==", "client_id": first})
        tap.equal((again.status, again.json["id"]), (200, acks[0]["id"]), "HTTP after the socket")
        tap.equal(acks[0], acks[1], "the same answer")
        posted = w.alice.post(path, {"content": "Yg==", "client_id": second})
        tap.equal(posted.status, 201, "HTTP first")
        tap.equal(alice.send(room, "Yg==", client_id=second)["id"], posted.json["id"],
                  "the socket after HTTP")
        theirs = bob.send(room, "Yw==", client_id=first)
        tap.check(theirs["id"] not in (acks[0]["id"], posted.json["id"]), "another's is another")
        bob.wait("new_message", lambda m: m["id"] == theirs["id"])
        bob.settle()
        tap.equal([m["id"] for m in bob.all("new_message")],
                  [acks[0]["id"], posted.json["id"], theirs["id"]], "each told once")
    tap.equal(len(w.bob.must(w.bob.get(path))["messages"]), 3, "each stored once")


BAD_EVENTS = {
    "no body": ('["send_message"]', "INVALID_JSON"),
    "a text for a body": ('["send_message","x"]', "INVALID_JSON"),
    "no room": ('["send_message",{"encrypted_content":"x"}]', "INVALID_FIELD"),
    "a room that is text": ('["send_message",{"room_id":"1","encrypted_content":"x"}]',
                            "INVALID_FIELD"),
    "a room below 1": ('["join_room",{"room_id":0}]', "INVALID_FIELD"),
    "a room beyond 2^53": ('["join_room",{"room_id":9007199254740992}]', "INVALID_FIELD"),
    "no content": ('["send_message",{"room_id":ROOM}]', "INVALID_FIELD"),
    "content that is a number": ('["send_message",{"room_id":ROOM,"encrypted_content":1}]',
                                 "INVALID_FIELD"),
    "a long iv": ('["send_message",{"room_id":ROOM,"encrypted_content":"x","iv":"LONG"}]',
                  "INVALID_VALUE"),
    "a long client_id": ('["send_message",{"room_id":ROOM,"encrypted_content":"x",'
                         '"client_id":"LONG"}]', "INVALID_VALUE"),
    "content too large": ('["send_message",{"room_id":ROOM,"encrypted_content":"HUGE"}]',
                          "TOO_LARGE"),
    "limit 0": ('["join_room",{"room_id":ROOM,"limit":0}]', "INVALID_FIELD"),
    "after below 0": ('["join_room",{"room_id":ROOM,"after":-1}]', "INVALID_FIELD"),
    "read without a message": ('["read",{"room_id":ROOM}]', "INVALID_FIELD"),
    "read of nothing": ('["read",{"room_id":ROOM,"message_id":9007199254740991}]', "NOT_FOUND"),
    "an unknown state": ('["presence",{"state":"dancing"}]', "INVALID_VALUE"),
    "an unknown event": ('["no_such_event",{}]', "UNKNOWN_EVENT"),
}


def a_bad_event_is_refused(w, name):
    text, code = BAD_EVENTS[name]
    text = text.replace("ROOM", str(w.group)).replace("LONG", "x" * 1025)
    text = text.replace("HUGE", "!" * (512 * 1024 + 1))
    before = len(w.alice.must(w.alice.get(f"/api/conversations/{w.group}/messages"))["messages"])
    with joined(w.group, w.alice) as (live,):
        live.raw("42" + text)
        check_error(live.wait("error"), code, "as an event")
        live.raw("4277" + text)
        check_error(live.finish(77), code, "as an acknowledgement")
        live.settle()
    after = len(w.alice.must(w.alice.get(f"/api/conversations/{w.group}/messages"))["messages"])
    tap.equal(after, before, "nothing was stored")


tap.cases(BAD_EVENTS, a_bad_event_is_refused)


# --- those outside ---

def an_outsider_learns_nothing(w, event):
    body = QUESTIONS[event]
    room = fresh(w)
    w.bob.send(room)
    with joined(room, w.bob) as (bob,), sockets(w.eve) as (eve,):
        answers = [eve.call(event, room_id=r, **body) for r in (room, 2 ** 52)]
        for answer in answers:
            check_error(answer, "NOT_FOUND", event, event=event)
            for volatile in ("timestamp", "room_id"):
                answer.pop(volatile)
        tap.equal(answers[0], answers[1], "as if there was no such room")
        sent = w.alice.send(room)["id"]
        bob.emit("typing", room_id=room, typing=True)
        bob.must("read", room_id=room, message_id=sent)
        eve.settle()
        tap.equal([e for e in eve.events if e[0] != "error"], [], "nothing came")
        bob.settle()
        tap.equal([m for m in bob.all("new_message") if m["user_id"] == w.eve.user["id"]], [],
                  "nothing was told")


tap.cases(QUESTIONS, an_outsider_learns_nothing)


@tap.case
def sockets_are_counted(w):
    def count():
        text = w.alice.get("/metrics").body.decode()
        return int(next(line for line in text.splitlines()
                        if line.startswith("tacit_live_sockets ")).split()[1])

    def wait_for(number):
        until = time.monotonic() + 30
        while count() != number and time.monotonic() < until:
            time.sleep(0.01)
        tap.equal(count(), number, "sockets")
    wait_for(0)  # those of earlier cases go when the server notices
    with sockets(w.alice, w.bob):
        tap.equal(count(), 2, "two")
    wait_for(0)


tap.main(world)
