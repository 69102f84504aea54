"""Typing, presence and what was read, of contract 5: who is told, and who is not."""
import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import RFC3339  # noqa: E402
from support.live import Live  # noqa: E402
from support.live_people import World, fresh, joined, sockets, world  # noqa: E402


@tap.case
def typing_reaches_the_others_and_is_not_stored(w):
    room = fresh(w)
    with joined(room, w.alice, w.alice, w.bob) as (one, two, bob):
        tap.equal(one.must("typing", room_id=room, typing=True), {}, "acknowledged")
        want = {"room_id": room, "user_id": w.alice.user["id"], "username": w.alice.username,
                "typing": True}
        tap.equal(bob.wait("typing"), want, "bob")
        tap.equal(two.wait("typing"), want, "the other device")
        one.must("typing", room_id=room, typing=False)
        bob.wait("typing", lambda t: t["typing"] is False)
        one.settle()
        tap.equal(one.all("typing"), [], "not the one who types")
        tap.equal(bob.join(room)["messages"], [], "nothing is stored")


def states(live, room):
    """What was last told of each person in the room."""
    return {u["username"]: u["state"] for p in live.all("presence", lambda p: p["room_id"] == room)
            for u in p["users"]}


def wait_state(live, room, who, state):
    live.wait("presence", lambda p: p["room_id"] == room and any(
        u["username"] == who.username and u["state"] == state for u in p["users"]))


@tap.case
def who_joins_hears_how_far_the_others_have_read(w):
    """What was said of that between the description and the joining is said nowhere else."""
    room = fresh(w)
    with joined(room, w.bob) as (bob,), Live(w.alice) as alice:
        ids = [bob.must("send_message", room_id=room, encrypted_content="x")["id"] for _ in range(2)]
        bob.must("read", room_id=room, message_id=ids[1])
        bob.wait("read")  # acknowledged is not told yet, and what is told while she joins comes twice
        alice.settle()
        tap.equal(alice.all("read"), [], "she has not joined")
        alice.join(room)
        alice.settle()
        told = [(r["room_id"], r["username"], r["message_id"]) for r in alice.all("read")]
        tap.equal(told, [(room, w.bob.username, ids[1])], "hers is none, and no mark is none")
        tap.equal(set(alice.all("read")[0]), {"room_id", "user_id", "username", "message_id", "read_at"}, "as ever")
        alice.must("read", room_id=room, message_id=ids[0])
        bob.wait("read", lambda r: r["username"] == w.alice.username)
        with joined(room, w.alice) as (again,):
            again.settle()
            marks = {r["username"]: r["message_id"] for r in again.all("read")}
            tap.equal(marks, {w.alice.username: ids[0], w.bob.username: ids[1]}, "on another device, hers, too")


@tap.case
def presence_follows_the_first_and_the_last_socket(w):
    w = World(w.server)  # people whose sockets of earlier cases are not being missed just now
    room = fresh(w, w.bob, w.carol)
    with joined(room, w.alice) as (alice,):
        alice.settle()
        tap.equal(states(alice, room).get(w.bob.username, "offline"), "offline", "bob is not there")
        with sockets(w.bob) as (bob,):
            wait_state(alice, room, w.bob, "online")
            with joined(room, w.bob) as (second,):
                second.wait("presence", lambda p: p["room_id"] == room)
                tap.equal(states(second, room)[w.alice.username], "online", "at joining")
            mark = alice.count()
            bob.must("presence", state="away")
            alice.wait("presence", lambda p: p["users"][0]["state"] == "away", since=mark)
            bob.must("presence", state="hidden")
            alice.wait("presence", lambda p: p["users"][0]["state"] == "offline", since=mark)
            bob.must("presence", state="online")
            alice.wait("presence", lambda p: p["users"][0]["state"] == "online", since=mark)
            mark = alice.count()
        alice.wait("presence", lambda p: p["users"][0]["state"] == "offline", since=mark)


@tap.case
def who_is_hidden_is_not_seen(w):
    w = World(w.server)
    room = fresh(w)
    with joined(room, w.alice) as (alice,), contextlib.ExitStack() as stack:
        bob = stack.enter_context(Live(w.bob, presence="hidden"))
        bob.join(room)
        sent = bob.send(room, "x")["id"]
        alice.wait("new_message", lambda m: m["id"] == sent)
        alice.settle()
        tap.equal([p for p in alice.all("presence", lambda p: p["room_id"] == room)
                   if any(u["username"] == w.bob.username for u in p["users"])], [], "alice")
        late = stack.enter_context(Live(w.alice))
        late.join(room)
        late.wait("presence", lambda p: p["room_id"] == room)
        tap.check(w.bob.username not in states(late, room), "at joining")


@tap.case
def presence_stays_among_members(w):
    w = World(w.server)
    room = fresh(w)
    with joined(w.eve.conversation("room"), w.eve) as (eve,), joined(room, w.alice) as (alice,):
        with sockets(w.bob):
            wait_state(alice, room, w.bob, "online")
        wait_state(alice, room, w.bob, "offline")
        eve.settle()
        told = {u["username"] for p in eve.all("presence") for u in p["users"]}
        tap.check(told <= {w.eve.username}, f"eve was told of {told}")


@tap.case
def read_marks_are_told_on_both_channels(w):
    room = fresh(w)
    ids = [w.alice.send(room)["id"] for _ in range(3)]
    with joined(room, w.alice, w.bob) as (alice, bob):
        tap.equal(bob.must("read", room_id=room, message_id=ids[0])["message_id"], ids[0], "ack")
        told = alice.wait("read")
        tap.check(RFC3339.match(told.pop("read_at")), "read_at")
        tap.equal(told, {"room_id": room, "user_id": w.bob.user["id"],
                         "username": w.bob.username, "message_id": ids[0]}, "over the socket")
        w.bob.must(w.bob.post(f"/api/rooms/{room}/read", {"message_id": ids[2]}))
        alice.wait("read", lambda r: r["message_id"] == ids[2])
        bob.must("read", room_id=room, message_id=ids[1])
        alice.settle()
        tap.equal([r["message_id"] for r in alice.all("read")], [ids[0], ids[2]], "never back")
    page = w.alice.must(w.alice.get(f"/api/rooms/{room}/messages"))
    tap.equal([s["message_id"] for s in page["message_read_statuses"]], [ids[2]], "stored")


tap.main(world)
