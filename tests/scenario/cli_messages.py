"""People talk with the real `tacit`: direct, in groups, offline, and with changed keys."""
import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
import time

import nacl.signing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.door import Door  # noqa: E402
from support.server import Server  # noqa: E402


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.alice, self.bob, self.carol = (machine.register(n) for n in ("alice", "bob", "carol"))


@contextlib.contextmanager
def world():
    with Server(RATE_LOGIN=0) as server, Machine(server) as machine:
        yield World(server, machine)


# --- there and back ---

@tap.case
def a_message_there_and_back(w):
    got = w.alice.must("send", "bob", "hello", "bob")
    tap.equal((got.out, got.err), ("", ""), "a sent message is silent")
    tap.equal(w.bob.inbox(), [("alice", "hello bob")], "bob's inbox")
    tap.equal(w.bob.inbox(), [], "it is read now")
    w.bob.must("send", "alice", "hello yourself")
    tap.equal(w.alice.inbox(), [("bob", "hello yourself")], "alice's inbox")
    for person, other in ((w.alice, "bob"), (w.bob, "alice")):
        tap.equal(person.history(other), ["hello bob", "hello yourself"], f"{person.username}'s history")
    shown = w.bob.must("history", "alice").out
    tap.check("alice  hello bob" in shown and "you  hello yourself" in shown, shown)


@tap.case
def texts_of_any_kind_arrive_as_they_are(w):
    texts = ["ünïcödé ✓ 你好 🎈", "two\nlines", "  spaces  ", "x" * 65536, "--not-an-option", "'\"$`\\",
             "a\ttab", "-"]
    for text in texts:
        w.alice.must("send", "bob", text=text)
    tap.equal([t for _, t in w.bob.inbox()], texts, "texts")
    w.alice.must("send", "bob", "--", "--help")
    tap.equal(w.bob.inbox(), [("alice", "--help")], "after --")
    for bad, why in (("x" * 65537, "64 KiB"), (b"\xff\xfe", "UTF-8"), (b"a\0b", "UTF-8"), ("", "nothing")):
        got = w.alice.run("send", "bob", text=bad)
        tap.equal(got.code, 1, why)
        tap.check(why in got.err, got.err)
    tap.equal(w.bob.inbox(), [], "none of these")


@tap.case
def peeking_leaves_unread(w):
    w.alice.must("send", "bob", "peek at me")
    for _ in range(2):
        tap.equal([m["text"] for m in w.bob.json("inbox", "--peek").of("message")], ["peek at me"], "peek")
    tap.equal(w.bob.inbox(), [("alice", "peek at me")], "still unread")


@tap.case
def json_has_the_promised_shape(w):
    sent = w.alice.json("send", "bob", "in json").objects
    tap.equal(len(sent), 1, f"one line: {sent}")
    tap.equal(sorted(sent[0]), ["conversation", "id", "time", "type"], "members of sent")
    tap.equal(sent[0]["type"], "sent", "type")
    got = w.bob.json("inbox").objects
    tap.equal(len(got), 1, f"one line: {got}")
    tap.equal(got[0], {"type": "message", "conversation": sent[0]["conversation"], "id": sent[0]["id"],
                       "username": "alice", "time": sent[0]["time"], "own": False, "text": "in json"},
              "the message")
    user = w.bob.json("users", "ali").objects
    tap.equal(user, [{"type": "user", "username": "alice", "verified": False}], "users")


@tap.case
def escape_sequences_of_others_never_reach_the_terminal(w):
    evil = "\x1b[2J\x1b]0;title\x07\x1b[31mred\x9b31m\x08\x0d\x7f\u202eabc\x1b"
    w.alice.must("send", "bob", text=evil)
    w.bob.run("unlock")
    with w.bob.terminal("inbox", "--peek") as t:
        t.end(0)
        body = t.raw[t.raw.index(b"alice"):]
        for bad in (b"\x1b[2J", b"\x1b]0", b"\x1b[31mred", b"\x9b31m", b"\x08", b"\x7f", b"\x07",
                    "\x9b".encode()):
            tap.check(bad not in body, f"{bad!r} reached the terminal: {body!r}")
        tap.check("red" in t.text and "abc" in t.text, "the rest is shown")
    shown = w.bob.must("inbox", "--peek").out
    tap.check(all(ord(c) >= 32 or c == "\n" for c in shown), f"in a pipe: {shown!r}")
    tap.check("\x9b" not in shown and "\x7f" not in shown, f"in a pipe: {shown!r}")
    got = w.bob.must("--json", "inbox")
    tap.check(all(32 <= ord(c) <= 127 or c == "\n" for c in got.out), "in JSON it is escaped")
    tap.equal(got.of("message")[0]["text"], evil, "and whole")
    for name in ("\x1b[2Jgroup", "a\nb"):
        w.alice.run("group", "create", name, "bob")
    shown = w.bob.must("group", "list").out
    tap.check(all(ord(c) >= 32 or c == "\n" for c in shown), f"group names: {shown!r}")


# --- chat ---

@tap.case
def two_people_chat_at_their_terminals(w):
    for person in (w.alice, w.bob):
        person.run("unlock")
        person.run("inbox")
    with w.alice.terminal("chat", "--lines", "bob") as a, \
            w.bob.terminal("chat", "--lines", "alice") as b:
        a.expect("bob> ")
        b.expect("alice> ")
        a.line("are you there?")
        b.expect("alice.*are you there\\?")
        b.line("yes, here")
        a.expect("bob.*yes, here")
        a.line("//slash first")
        b.expect("alice.*/slash first")
        a.line("/help")
        a.expect("/quit")
        a.line("/quit")
        a.end(0)
        b.control("D")
        b.end(0)
    tap.equal(w.alice.history("bob")[-3:], ["are you there?", "yes, here", "/slash first"], "history")


@tap.case
def chat_by_a_pipe(w):
    w.alice.must("chat", "bob", text="first line\nsecond line\n")
    tap.equal([t for _, t in w.bob.inbox()], ["first line", "second line"], "what came")


# --- groups ---

@tap.case
def a_name_that_nobody_can_have_is_a_conversation(w):
    w.alice.must("group", "create", "Friends of tea", "bob")
    w.alice.must("send", "Friends of tea", "hello", "both")
    tap.check(("alice", "hello both") in w.bob.inbox(), "bob reads it")
    got = w.alice.run("send", "Friends of coffee", "hello")
    tap.equal(got.code, 1, "there is no such conversation")
    tap.check("no conversation of that name" in got.err, got.err)


@tap.case
def the_life_of_a_group(w):
    a, b, c = w.alice, w.bob, w.carol
    a.must("group", "create", "climbing", "bob")
    shown = a.json("group", "list").of("conversation")
    mine = [g for g in shown if g["title"] == "climbing"][0]
    tap.equal((mine["kind"], sorted(mine["members"])), ("group", ["alice", "bob"]), "group")
    a.must("group", "send", "climbing", "who comes?")
    tap.equal(b.inbox(), [("alice", "who comes?")], "bob")
    tap.equal(c.run("group", "show", "climbing").code, 1, "carol is not in it")
    a.must("group", "add", "climbing", "carol")
    first = b.run("group", "send", "climbing", "I do")
    tap.equal(first.code, 1, "bob has not heard of carol: nothing is sealed")
    tap.check("carol is in the conversation now; send again to include them." in first.err, first.err)
    b.must("group", "send", "climbing", "I do")
    tap.check(("bob", "I do") in a.inbox() and ("bob", "I do") in c.inbox(), "all read it")
    tap.check("who comes?" not in c.history("climbing"), "what was said before is not carol's")
    a.must("group", "remove", "climbing", "carol")
    b.run("inbox")
    b.must("group", "send", "climbing", "without carol")
    tap.check(("bob", "without carol") in a.inbox(), "alice")
    tap.check("without carol" not in c.run("--json", "inbox").out, "carol reads no more")
    tap.equal(c.run("group", "send", "climbing", "still here?").code, 1, "nor writes")
    b.must("group", "leave", "climbing")
    tap.equal(b.run("group", "send", "climbing", "gone").code, 1, "who has left cannot write")
    tap.equal(a.json("group", "show", "climbing").of("conversation")[0]["members"], ["alice"], "the rest")


@tap.case
def the_life_of_a_room(w):
    a, b, c = w.alice, w.bob, w.carol
    got = a.run("room", "create", "lobby", "bob")
    tap.equal(got.code, 1, "without a terminal and without --yes")
    tap.check("server can read the name" in got.err, got.err)
    with a.terminal("room", "create", "lobby", "bob") as t:
        t.expect("The server can read the name of a room")
        t.line("no")
        t.expect("was not made")
        t.end(1)
    tap.equal(a.json("room", "list").of("conversation"), [], "none was made")
    a.must("room", "create", "--yes", "lobby", "bob")
    a.must("group", "create", "not a room", "bob")
    shown = [(r["kind"], r["title"], sorted(r["members"])) for r in a.json("room", "list").of("conversation")]
    tap.equal(shown, [("room", "lobby", ["alice", "bob"])], "rooms")
    a.must("room", "send", "lobby", "welcome")
    tap.check(("alice", "welcome") in b.inbox(), "bob")
    tap.equal(c.run("room", "show", "lobby").code, 1, "carol is not in it")
    b.must("room", "add", "lobby", "carol")
    a.run("inbox")
    c.must("room", "send", "lobby", "here I am")
    tap.check(("carol", "here I am") in a.inbox() and ("carol", "here I am") in b.inbox(), "all read it")
    tap.check("welcome" not in c.history("lobby"), "what was said before is not carol's")
    # The server cannot give it another name.
    w.server.stop()
    rename = "UPDATE conversations SET name = ? WHERE name = ?"
    tap.equal(w.server.sql(rename, b"tacit support", b"lobby"), 1, "it has it")
    tap.equal(w.server.sql(rename, b"x", b"not a room"), 0, "a group's it has not")
    w.server.start()
    for person in (a, b, c):
        tap.equal([r["title"] for r in person.json("room", "list").of("conversation")], ["lobby"], "its name")
    c.must("room", "leave", "lobby")
    tap.equal(c.json("room", "list").of("conversation"), [], "carol has left")


@tap.case
def a_group_never_stands_in_a_users_way(w):
    """Carol names a group `bob`: what is for bob does not go there."""
    w.carol.must("group", "create", "bob", "alice")
    w.alice.must("inbox")
    w.alice.must("send", "bob", "for bob alone")
    tap.check("for bob alone" not in w.carol.run("--json", "inbox").out, "not to the group")
    tap.check(("alice", "for bob alone") in w.bob.inbox(), "to bob")


# --- one after another, at once, never twice ---

@tap.case
def two_processes_of_one_profile(w):
    """Nothing is lost or sent twice when several work on a profile at once."""
    w.bob.run("inbox")
    results = []

    def send(number):
        got, until = w.alice.run("send", "bob", f"parallel {number}"), time.monotonic() + 120
        while got.code != 0 and "another tacit" in got.err.lower() and time.monotonic() < until:
            time.sleep(0.1)  # a busy store is said, and the same again is right
            got = w.alice.run("send", "bob", f"parallel {number}")
        results.append(got)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tap.equal([r.code for r in results], [0] * 12, f"{[r.err for r in results if r.code]}")
    w.alice.must("send", "bob", "the last one")
    tap.equal(sorted(t for _, t in w.bob.inbox()),
              sorted([f"parallel {n}" for n in range(12)] + ["the last one"]), "what came")
    tap.equal(w.bob.json("history", "alice").of("missing"), [], "no gap")
    tap.equal(w.bob.json("history", "alice").of("refused"), [], "nothing refused")


@tap.case
def two_readers_of_one_profile(w):
    for n in range(10):
        w.alice.must("send", "bob", f"read {n}")
    results = []
    threads = [threading.Thread(target=lambda: results.append(w.bob.run("--json", "inbox")))
               for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for got in results:
        tap.check(got.code == 0 or "another tacit" in got.err.lower(), f"{got!r}")
    w.bob.must("inbox")
    history = [t for t in w.bob.history("alice") if str(t).startswith("read ")]
    tap.equal(history, [f"read {n}" for n in range(10)], "each once, in order")


@tap.case
def offline_a_message_waits_and_goes_out_once(w):
    w.alice.must("send", "bob", "before")
    w.bob.run("inbox")
    w.server.stop()
    got = w.alice.run("send", "bob", "written offline")
    tap.equal(got.code, 1, "exit")
    tap.check("error:" in got.err and "nobody answers" in got.err, f"a clear word: {got.err}")
    tap.check("written offline" not in got.err + got.out, "not echoed")
    tap.check("kept; it goes out when the server can be reached" in got.err, got.err)
    got = w.alice.run("send", "bob", "and a second one")
    tap.equal(got.code, 1, "exit")
    tap.check("kept; it goes out" in got.err, got.err)
    got = w.alice.run("inbox")
    tap.equal((got.code, got.out), (1, ""), "inbox without a server")
    tap.check("nobody answers" in got.err, got.err)
    tap.check(w.alice.history("bob"), "history works offline")
    w.server.start()
    w.alice.must("send", "bob", "written online")
    tap.equal([t for _, t in w.bob.inbox()], ["written offline", "and a second one", "written online"],
              "all, once, in order")
    w.alice.must("inbox")
    w.alice.must("send", "bob", "afterwards")
    tap.equal([t for _, t in w.bob.inbox()], ["afterwards"], "and not again")
    w.server.stop()
    w.alice.run("send", "bob", "for the next inbox")
    w.server.start()
    w.alice.must("inbox")
    w.alice.must("inbox")
    tap.equal([t for _, t in w.bob.inbox()], ["for the next inbox"], "an inbox takes it along, once")


@tap.case
def an_answer_that_is_lost_doubles_nothing(w):
    """The server has stored the message, the client never hears of it and tries again."""
    gap = Door(w.server)
    gap.losing = True
    got = w.alice.run("send", "bob", "stored once", "--server", gap.url)
    tap.check(gap.lost > 0, "answers were lost")
    tap.equal(got.code, 1, f"exit {got!r}")
    tap.check("kept; it goes out" in got.err, f"it is said that it waits: {got.err}")
    gap.losing = False
    w.alice.must("send", "bob", "after it", "--server", gap.url)
    gap.close()
    tap.equal([t for _, t in w.bob.inbox()], ["stored once", "after it"], "what came")
    history = w.bob.json("history", "alice")
    tap.equal((history.of("missing"), history.of("refused")), ([], []), "no gaps, no replays")


# --- a server that lies ---

def tamper(w, statement, *values):
    w.server.stop()
    with contextlib.closing(sqlite3.connect(w.server.database())) as store:
        count = store.execute(statement, values).rowcount
        store.commit()
    w.server.start()
    return count


@tap.case
def a_changed_message_is_refused_with_a_word(w):
    w.bob.run("inbox")
    sent = w.alice.json("send", "bob", "will be changed").of("sent")[0]["id"]
    w.server.stop()
    with contextlib.closing(sqlite3.connect(w.server.database())) as store:
        content = bytearray(store.execute("SELECT content FROM messages WHERE id = ?", (sent,)).fetchone()[0])
        content[-1] ^= 1
        store.execute("UPDATE messages SET content = ? WHERE id = ?", (bytes(content), sent))
        store.commit()
    w.server.start()
    w.alice.must("send", "bob", "is as it was")
    got = w.bob.json("inbox")
    tap.equal([m["text"] for m in got.of("message")], ["is as it was"], "messages")
    refused = got.of("refused")
    tap.equal(len(refused), 1, f"refused: {got.out}")
    tap.equal(refused[0].get("code"), "BAD_SEAL", f"{refused}")
    tap.check("[not shown: " in w.bob.must("history", "alice").out, "in words")
    w.alice.must("inbox")
    tap.equal([t for _, t in w.bob.inbox()], ["will be changed"], "asked for, and sent again")
    w.alice.must("inbox")
    tap.equal(w.bob.inbox(), [], "once")


@tap.case
def a_message_shown_twice_is_refused(w):
    """The server stores a copy of an old message as a new one."""
    w.alice.must("send", "bob", "only once")
    w.bob.must("inbox")
    tamper(w, "INSERT INTO messages (conversation_id, user_id, created_at, content) "
              "SELECT conversation_id, user_id, created_at, content FROM messages ORDER BY id DESC LIMIT 1")
    tamper(w, "INSERT INTO message_bursts (conversation_id, first_id, length, user_id, expires_at, begins_epoch) "
              "SELECT conversation_id, id, 1, user_id, 0, 0 FROM messages ORDER BY id DESC LIMIT 1")
    got = w.bob.json("inbox")
    tap.equal(got.of("message"), [], "messages")
    tap.check([r for r in got.of("refused") + got.of("warning")
               if r.get("code") in ("REPLAY", "ORDER_CHANGED")], f"a word about it: {got.out}")


@tap.case
def a_message_that_vanishes_is_missed(w):
    w.bob.run("inbox")
    sent = w.alice.json("send", "bob", "will vanish").of("sent")[0]["id"]
    tamper(w, "DELETE FROM messages WHERE id = ?", sent)
    w.alice.must("send", "bob", "after the gap")
    got = w.bob.json("inbox")
    tap.equal([m["text"] for m in got.of("message")], ["after the gap"], "messages")
    tap.equal([m["count"] for m in got.of("missing")], [1], f"{got.out}")
    tap.check("never came" in w.bob.must("history", "alice").out, "in words")


@tap.case
def a_changed_key_is_loud(w):
    """The server gives out another account key for carol."""
    w.alice.must("send", "carol", "before")
    w.carol.must("inbox")
    old = None
    w.server.stop()
    with contextlib.closing(sqlite3.connect(w.server.database())) as store:
        old = store.execute("SELECT public_key FROM users WHERE username = 'carol'").fetchone()[0]
    new = bytes(nacl.signing.SigningKey.generate().verify_key)
    w.server.sql("UPDATE users SET public_key = ? WHERE username = 'carol'", new)
    w.server.start()
    got = w.alice.run("send", "carol", "secret, not for the middle")
    tap.equal(got.code, 1, f"nothing is sent: {got!r}")
    tap.check("CHANGED" in got.err or "key is not the one known before" in got.err, got.err)
    shown = w.alice.run("inbox")
    tap.check("HAS CHANGED" in shown.out + shown.err + got.err, f"loud: {shown!r}")
    got = w.alice.run("verify", "carol")
    tap.equal(got.code, 1, "verify")
    tap.check("NEW key" in got.out and "changed" in got.err, f"{got!r}")
    got = w.alice.json("verify", "carol") if got.code == 0 else w.alice.run("--json", "verify", "carol")
    tap.equal(got.of("safety_number")[0]["key_changed"], True, "in JSON")
    got = w.alice.run("accept-key", "carol")
    tap.equal(got.code, 1, "without a terminal and without --yes")
    got = w.alice.run("send", "carol", "still not")
    tap.equal(got.code, 1, "still nothing is sent")
    tamper(w, "UPDATE users SET public_key = ? WHERE username = 'carol'", old)
    w.alice.must("send", "carol", "with the old key again")
    texts = [t for _, t in w.carol.inbox()]
    tap.check("with the old key again" in texts, f"{texts}")


@tap.case
def a_new_key_can_be_accepted_at_a_terminal(w):
    """Dave has lost his keys and begun anew; his friend compares and accepts. (The store is made to
    look so: dave's row gets the key and the device of another account.)"""
    dave = w.machine.register("dave")
    w.machine.register("dave-anew")
    w.bob.must("send", "dave", "hello dave")
    w.bob.must("verify", "dave", "--compare", dave.json("verify", "bob").of("safety_number")[0]["number"])
    w.server.stop()
    with contextlib.closing(sqlite3.connect(w.server.database())) as store:
        ids = dict(store.execute("SELECT username, id FROM users"))
        key = store.execute("SELECT public_key FROM users WHERE username = 'dave-anew'").fetchone()[0]
        store.execute("UPDATE users SET public_key = zeroblob(32) WHERE username = 'dave-anew'")
        store.execute("UPDATE users SET public_key = ? WHERE username = 'dave'", (key,))
        store.execute("DELETE FROM devices WHERE user_id = ?", (ids["dave"],))
        for table in ("devices", "key_packages"):
            store.execute(f"UPDATE {table} SET user_id = ? WHERE user_id = ?", (ids["dave"], ids["dave-anew"]))
        store.commit()
    w.server.start()
    got = w.bob.run("send", "dave", "hello again")
    tap.equal(got.code, 1, f"refused at first: {got!r}")
    w.bob.run("unlock")
    with w.bob.terminal("accept-key", "dave") as t:
        t.expect("NEW key")
        t.expect("yes or no")
        t.line("no")
        t.expect("not accepted")
        t.end(1)
    with w.bob.terminal("accept-key", "dave") as t:
        t.expect("yes or no")
        t.line("yes")
        t.expect("Accepted, but not verified")
        t.end(0)
    tap.equal(w.bob.json("verify", "dave").of("safety_number")[0]["verified"], False, "not verified any more")
    w.bob.must("send", "dave", "hello new dave")
    tap.equal(w.bob.history("dave"), ["hello dave", "hello new dave"], "what was sent")


@tap.case
def nothing_secret_in_arguments_and_environment(w):
    """What other users of the machine can see of a running tacit."""
    process = w.alice.start("chat", "bob", stdin=subprocess.PIPE)
    until = time.monotonic() + 30
    while os.path.basename(os.path.realpath(f"/proc/{process.pid}/exe")) != "tacit" and time.monotonic() < until:
        time.sleep(0.01)
    for name in ("cmdline", "environ"):
        with contextlib.suppress(PermissionError), open(f"/proc/{process.pid}/{name}", "rb") as f:
            seen = f.read()
            tap.check(w.alice.password.encode() not in seen, f"the password is in {name}")
    process.stdin.close()
    process.wait(30)


tap.main(world)
