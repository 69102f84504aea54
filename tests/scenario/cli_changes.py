"""Replies, reactions, edits and deletions with the real `tacit`: commands, chats, live and later."""
import contextlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.listener import Listener  # noqa: E402
from support.screen import Screen  # noqa: E402
from support.server import Server, program  # noqa: E402

THUMB, HEART = "👍", "❤"


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.alice, self.bob, self.carol = (machine.register(n) for n in ("alice", "bob", "carol"))

    def say(self, text="hello"):
        """alice says something to bob, who has it: its number."""
        self.alice.must("inbox")
        sent = self.alice.json("send", "bob", text).of("sent")[0]["id"]
        self.bob.must("inbox")
        return sent


@contextlib.contextmanager
def world():
    with Server(RATE_LOGIN=0) as server, Machine(server) as machine:
        yield World(server, machine)


def entry(person, name, message):
    """What the history has of a message: its object, without what differs from device to device."""
    found = [o for o in person.json("history", name).objects if o.get("id") == message and
             o["type"] in ("message", "deleted")]
    tap.equal(len(found), 1, f"entries of {message} with {person.username}: {found}")
    return {k: v for k, v in found[0].items() if k in ("type", "text", "reply_to", "edited", "reactions")}


def reactions(**of):
    return [{"username": who, "text": text} for who, text in of.items()]


def screen(person, name):
    person.run("unlock")
    return Screen([program("tacit"), *person.options(), "chat", name], cwd=person.machine.work,
                  env={**person.machine.environment(), "TERM": "linux"})


def leave(s):
    s.control("D")
    s.end(0)


def bytes_of(folder):
    """All that is in a folder on the disk."""
    data = b""
    for folder, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                data += f.read()
    return data


# --- commands ---

@tap.case
def both_see_the_same(w):
    message = w.say()
    w.bob.must("react", "alice", "last", THUMB)
    w.alice.must("edit", "bob", "last", "hello", "again")
    answer = w.bob.json("reply", "alice", str(message), "hello yourself").of("sent")[0]["id"]
    w.alice.must("inbox")
    w.alice.must("react", "bob", f"#{answer}", HEART)
    w.bob.must("inbox")
    w.alice.must("inbox")
    for person, other in ((w.alice, "bob"), (w.bob, "alice")):
        tap.equal(entry(person, other, message), {"type": "message", "text": "hello again", "edited": True,
                                                  "reactions": reactions(bob=THUMB)}, "the message")
        tap.equal(entry(person, other, answer), {"type": "message", "text": "hello yourself",
                                                 "reply_to": message, "reactions": reactions(alice=HEART)},
                  "the answer")
    w.alice.must("react", "bob", str(answer))
    w.alice.must("delete", "bob", str(message))
    w.bob.must("inbox")
    for person, other in ((w.alice, "bob"), (w.bob, "alice")):
        tap.equal(entry(person, other, message), {"type": "deleted"}, "deleted")
        tap.equal(entry(person, other, answer), {"type": "message", "text": "hello yourself",
                                                 "reply_to": message}, "without a reaction")


@tap.case
def what_people_read(w):
    message = w.say()
    w.bob.must("reply", "alice", "last", "and to you")
    w.bob.must("react", "alice", "last", THUMB)
    shown = w.alice.must("inbox").out
    tap.check(re.search(r'-- bob: 👍 to "you: hello" --', shown), shown)
    tap.check(re.search(r"bob {2}↳ you: hello\n +and to you", shown), shown)
    w.alice.must("edit", "bob", str(message), "hello there")
    shown = w.bob.must("inbox").out
    tap.check(re.search(r"alice {2}hello there \(edited\)\n +\[bob 👍\]", shown), shown)
    shown = w.alice.must("history", "bob", "--ids").out
    tap.check(re.search(rf"#{message} .* you {{2}}hello there \(edited\)\n +\[bob 👍\]", shown), shown)
    w.alice.must("delete", "bob", str(message))
    tap.check("alice  [deleted]" in w.bob.must("inbox").out, "bob is told")
    shown = w.bob.must("history", "alice").out
    tap.check("alice  [deleted]" in shown and "↳ alice: [deleted]" in shown and "hello there" not in shown,
              shown)
    tap.equal(w.bob.must("inbox").out.strip(), "No new messages.", "nothing is new then")


@tap.case
def who_may_not(w):
    message = w.say()
    for words, why in ((("edit", "alice", str(message), "x"), "Only an own message"),
                       (("delete", "alice", str(message)), "Only an own message"),
                       (("react", "alice", str(message + 999), THUMB), "no such message"),
                       (("reply", "alice", "first", "x"), "no message"),
                       (("react", "alice", str(message), "two words"), "one emoji"),
                       (("react", "alice", str(message), "x" * 33), "one emoji")):
        got = w.bob.run(*words)
        tap.equal(got.code, 1, f"{words}")
        tap.check(why in got.err, got.err)
    got = w.carol.run("edit", "bob", "last", "x")
    tap.check(got.code == 1 and "said nothing there" in got.err, got.err)
    w.alice.must("delete", "bob", str(message))
    got = w.alice.run("edit", "bob", str(message), "x")
    tap.check(got.code == 1 and "was deleted" in got.err, got.err)
    got = w.alice.run("delete", "bob")
    tap.equal(got.code, 2, "without a message")


@tap.case
def a_group_and_an_own_other_device(w):
    w.alice.must("group", "create", "us", "bob", "carol")
    with Machine(w.server) as other:
        laptop = w.alice.elsewhere(other)
        tap.equal(laptop.login().code, 0, "a second device")
        laptop.must("inbox")
        w.alice.must("group", "send", "us", "from the phone")
        for person in (w.bob, w.carol, laptop):
            person.must("inbox")
        w.carol.must("react", "us", "last", HEART)
        laptop.must("inbox")
        message = [m["id"] for m in laptop.json("history", "us").of("message")][-1]
        laptop.must("edit", "us", str(message), "from the laptop")
        for person in (w.alice, w.bob, w.carol, laptop):
            person.must("inbox")
            tap.equal(entry(person, "us", message),
                      {"type": "message", "text": "from the laptop", "edited": True,
                       "reactions": reactions(carol=HEART)}, person.profile)
        w.alice.must("delete", "us", str(message))
        laptop.must("inbox")
        tap.equal(entry(laptop, "us", message), {"type": "deleted"}, "on the laptop, too")


@tap.case
def unread_counts_what_is_to_be_read(w):
    message = w.say()
    for i in range(3):
        w.alice.must("react", "bob", str(message), f"r{i}")
    w.alice.must("send", "bob", "one")
    w.alice.must("send", "bob", "two")
    got = w.bob.json("inbox", "--peek")
    tap.equal([m["text"] for m in got.of("message")], ["one", "two"], "shown")
    tap.equal([m["text"] for m in w.bob.json("inbox", "--peek").of("message")], ["one", "two"], "again")


@tap.case
def without_a_server_it_waits(w):
    message = w.say()
    w.server.stop()
    for words in (("edit", "bob", "last", "later"), ("react", "bob", str(message), THUMB)):
        got = w.alice.run(*words)
        tap.check(got.code == 1 and "kept" in got.err, f"{got!r}")
    waiting = w.alice.json("outbox", "list").of("outgoing")
    tap.equal([(o["about"], o["message"], o["text"]) for o in waiting],
              [("edit", message, "later"), ("reaction", message, THUMB)], "what waits")
    shown = w.alice.must("outbox", "list").out
    tap.check("edit later" in shown and f"reaction {THUMB}" in shown, shown)
    w.server.start()
    w.alice.must("inbox")
    w.bob.must("inbox")
    tap.equal(entry(w.bob, "alice", message), {"type": "message", "text": "later", "edited": True,
                                               "reactions": reactions(alice=THUMB)}, "bob has it")


# --- live ---

@tap.case
def listeners_are_told(w):
    message = w.say()
    with Listener(w.alice) as alice, Listener(w.bob) as bob:
        w.bob.must("react", "alice", str(message), THUMB)
        got = alice.wait(lambda e: e["type"] == "reaction", "the reaction")
        tap.equal({k: got[k] for k in ("id", "username", "own", "text", "reactions")},
                  {"id": message, "username": "bob", "own": False, "text": THUMB,
                   "reactions": reactions(bob=THUMB)}, "a reaction")
        w.alice.must("edit", "bob", str(message), "hello all")
        got = bob.wait(lambda e: e["type"] == "edited", "the edit")
        tap.equal({k: got[k] for k in ("id", "username", "own", "text", "edited", "reactions")},
                  {"id": message, "username": "alice", "own": False, "text": "hello all", "edited": True,
                   "reactions": reactions(bob=THUMB)}, "an edit")
        w.bob.must("react", "alice", str(message))
        got = alice.wait(lambda e: e["type"] == "reaction" and e["text"] == "", "that it was taken back")
        tap.equal(got["reactions"], [], "no reaction is left")
        w.alice.must("delete", "bob", str(message))
        got = bob.wait(lambda e: e["type"] == "deleted", "the deletion")
        tap.equal((got["id"], got["username"], got["own"]), (message, "alice", False), "a deletion")
        tap.equal(bob.texts(), [], "no message came")


@tap.case
def a_listener_hears_of_another_process_of_its_profile(w):
    with Listener(w.bob) as bob:
        w.alice.must("send", "bob", "to be answered")
        message = bob.message("to be answered")["id"]
        w.bob.must("react", "alice", str(message), HEART)
        got = bob.wait(lambda e: e["type"] in ("reaction", "edited") and e["id"] == message, "the reaction")
        tap.equal(got["reactions"], reactions(bob=HEART), "the own reaction")
        w.bob.must("send", "alice", "to be taken back")
        message = bob.message("to be taken back")["id"]
        w.bob.must("delete", "alice", str(message))
        bob.wait(lambda e: e["type"] == "deleted" and e["id"] == message and e["own"], "the own deletion")


@tap.case
def in_a_chat_of_lines(w):
    w.say("how are you?")
    with w.alice.terminal("chat", "--lines", "bob") as a, w.bob.terminal("chat", "--lines", "alice") as b:
        a.expect("bob> ")
        b.expect("alice> ")
        b.line("/reply well, and you?")
        a.expect(r"↳ you: how are you\?")
        a.expect(r"well, and you\?")
        b.expect(r"you {2}↳ alice: how are you\?")  # else the reaction is to a message that b has not shown yet
        a.line(f"/react {THUMB}")
        b.expect(f'-- alice: {THUMB} to "you: well, and you\\?" --')
        b.line("/edit very well, and you?")
        a.expect(r"very well, and you\? \(edited\)")
        b.line("/delete")
        a.expect(r"bob {2}\[deleted\]")
        b.line("/delete #99999")
        b.expect("no such message")
        b.line("/edit")
        b.expect(r"What should it say\?")
        for t in (a, b):
            t.line("/quit")
            t.end(0)


@tap.case
def on_a_screen(w):
    w.say("how are you?")
    with screen(w.alice, "bob") as a, screen(w.bob, "alice") as b:
        for s in (a, b):
            s.wait("how are you")
            s.wait("online")
        b.enter("/reply well, and you?")
        a.wait(r"bob\s+↳ you: how are you\?")
        a.wait(r"well, and you\?")
        b.wait(r"you\s+↳ alice: how are you\?")
        a.enter("/react +1")
        b.wait(r"\[alice \+1\]")
        a.wait(r"\[alice \+1\]")
        b.enter("/edit very well")
        a.wait(r"very well")
        a.wait(r"\(edited\) \[alice \+1\]")
        a.wait_gone("and you")
        b.enter("/delete")
        a.wait(r"\[deleted\]")
        a.wait_gone("very well")
        b.wait_gone("very well")
        b.enter("/delete #99999")
        b.wait("no such message")
        leave(a)
        leave(b)


# --- on the disk ---

@tap.case
def nothing_of_it_goes_out_in_the_clear(w):
    """Sealed on this disk, and unknown to the server's: neither the words nor that they were replaced."""
    message = w.say("first words")
    w.alice.must("edit", "bob", str(message), "second words")
    w.bob.must("react", "alice", "last", "emphatically")
    w.alice.must("inbox")
    for folder in (w.alice.store, w.bob.store, w.server.folder):
        data = bytes_of(folder)
        for word in (b"first words", b"second words", b"emphatically"):
            tap.check(word not in data, f"{word} is there in the clear")


if __name__ == "__main__":
    tap.main(world)
