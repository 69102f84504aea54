"""What changes about a conversation, of contract 5: members who come and go, an expiry, a session that ends."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import RFC3339  # noqa: E402
from support.live_people import QUESTIONS, fresh, joined, sockets, world  # noqa: E402


@tap.case
def a_new_member_is_told_and_can_join(w):
    room = fresh(w)
    with joined(room, w.bob) as (bob,), sockets(w.carol) as (carol,):
        tap.equal(carol.call("join_room", room_id=room)["code"], "NOT_FOUND", "not yet")
        w.alice.must(w.alice.post(f"/api/rooms/{room}/participants",
                                  {"username": w.carol.username}))
        want = {"room_id": room, "change": "added",
                "users": [{"user_id": w.carol.user["id"], "username": w.carol.username}],
                "by": {"user_id": w.alice.user["id"], "username": w.alice.username}}
        for who in (bob, carol):
            tap.equal(who.wait("participants"), want, "told")
        carol.join(room)
        sent = w.alice.send(room)["id"]
        carol.wait("new_message", lambda m: m["id"] == sent)


@tap.case
def a_new_conversation_is_told_to_its_members(w):
    with sockets(w.bob, w.alice, w.eve) as (bob, alice, eve):
        room = fresh(w)
        for who in (bob, alice):
            told = who.wait("participants", lambda p: p["room_id"] == room)
            tap.equal((told["change"], {u["username"] for u in told["users"]}),
                      ("added", {w.alice.username, w.bob.username}), "told")
        eve.settle()
        tap.equal(eve.all("participants"), [], "eve")


@tap.case
def who_comes_back_to_a_direct_chat_is_told(w):
    chat = w.alice.conversation("direct", w.carol)
    w.carol.must(w.carol.delete(f"/api/conversations/{chat}/participants"))
    with sockets(w.carol) as (carol,):
        tap.equal(carol.call("join_room", room_id=chat)["code"], "NOT_FOUND", "she has left")
        tap.equal(w.alice.conversation("direct", w.carol), chat, "the same chat")
        told = carol.wait("participants", lambda p: p["room_id"] == chat)
        tap.check(w.carol.username in {u["username"] for u in told["users"]}, "she is in again")
        carol.join(chat)


@tap.case
def a_removed_member_is_out_at_once(w):
    room = fresh(w, w.bob, w.carol)
    with joined(room, w.alice, w.bob, w.bob, w.carol) as (alice, bob, second, carol):
        w.alice.must(w.alice.delete(f"/api/rooms/{room}/participants/{w.bob.username}"))
        sent = w.alice.send(room)["id"]
        carol.wait("new_message", lambda m: m["id"] == sent)
        for who in (alice, bob, second, carol):
            told = who.wait("participants", lambda p: p["change"] == "removed")
            tap.equal([u["username"] for u in told["users"]], [w.bob.username], "told")
        for who in (bob, second):
            who.settle()
            tap.equal(who.all("new_message"), [], "nothing more")
            for event, body in QUESTIONS.items():
                tap.equal(who.call(event, room_id=room, **body)["code"], "NOT_FOUND", event)
        carol.settle()
        tap.equal(len(carol.all("new_message")), 1, "bob said nothing")
        w.carol.must(w.carol.delete(f"/api/rooms/{room}/participants"))
        alice.wait("participants", lambda p: p["change"] == "left")
        carol.wait("participants", lambda p: p["change"] == "left")


@tap.case
def an_expiry_is_told_and_shown(w):
    room = fresh(w)
    with joined(room, w.bob) as (bob,):
        w.alice.must(w.alice.put(f"/api/rooms/{room}/expiry", {"message_ttl_seconds": 3600}))
        tap.equal(bob.wait("expiry"), {"room_id": room, "message_ttl_seconds": 3600, "by": {
            "user_id": w.alice.user["id"], "username": w.alice.username}}, "told")
        sent = bob.send(room, "x")
        tap.check(RFC3339.match(sent["expires_at"]), "in the acknowledgement")
        tap.equal(bob.wait("new_message")["expires_at"], sent["expires_at"], "in the message")


@tap.case
def a_session_that_runs_out_is_told(w):
    with sockets(w.bob, w.alice, w.eve) as (bob, alice, eve):
        for seconds in (2, 8, 32):  # on a slow machine it may run out before it is joined
            session = w.alice.must(w.alice.post("/api/sessions", {
                "participants": [w.bob.username], "ttl_seconds": seconds}))["id"]
            if bob.call("join_room", room_id=session).get("joined"):
                break
        tap.equal(bob.wait("session_closed", lambda c: c["room_id"] == session),
                  {"room_id": session, "reason": "expired"}, "told")
        tap.equal(alice.wait("session_closed", lambda c: c["room_id"] == session),
                  {"room_id": session, "reason": "expired"}, "who had not joined, too")
        eve.settle()
        tap.equal(eve.all("session_closed"), [], "eve")
        tap.equal(bob.call("join_room", room_id=session)["code"], "GONE", "gone")


@tap.case
def leaving_may_close_a_session(w):
    session = w.alice.must(w.alice.post("/api/sessions", {
        "participants": [w.bob.username], "ends_when": "anyone_leaves"}))["id"]
    with joined(session, w.bob) as (bob,):
        w.alice.must(w.alice.delete(f"/api/sessions/{session}/participants"))
        tap.equal(bob.wait("session_closed"), {"room_id": session, "reason": "closed"}, "told")


@tap.case
def a_closed_session_is_told(w):
    session = w.alice.must(w.alice.post("/api/sessions", {
        "participants": [w.bob.username], "ttl_seconds": 3600}))["id"]
    with joined(session, w.alice) as (alice,), sockets(w.bob, w.eve) as (bob, eve):
        w.bob.must(w.bob.delete(f"/api/sessions/{session}"))
        for who in (alice, bob):
            tap.equal(who.wait("session_closed"), {"room_id": session, "reason": "closed"}, "told")
        tap.equal(alice.call("send_message", room_id=session, encrypted_content="x")["code"],
                  "GONE", "gone")
        tap.equal(alice.call("join_room", room_id=session)["code"], "GONE", "gone")
        eve.settle()
        tap.equal(eve.all("session_closed"), [], "eve")


tap.main(world)
