"""People are online with the real `tacit listen`: what happens comes at once, once, and in order."""
import contextlib
import os
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.listener import PATIENCE, Listener  # noqa: E402
from support.server import Server  # noqa: E402

class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.alice, self.bob, self.carol = (machine.register(n) for n in ("alice", "bob", "carol"))


@contextlib.contextmanager
def world():
    with Server(RATE_LOGIN=0) as server, Machine(server) as machine:
        yield World(server, machine)


@tap.case
def a_message_comes_live_also_from_someone_new(w):
    with Listener(w.bob) as bob:
        w.alice.must("send", "bob", "first")
        got = bob.message("first")
        tap.equal((got["username"], got["own"]), ("alice", False), "the sender")
        for i in range(5):
            w.alice.must("send", "bob", f"number {i}")
        bob.message("number 4")
        tap.equal(bob.texts(), ["first", *(f"number {i}" for i in range(5))], "once, in order")
        tap.equal(bob.stop(), 0, "Ctrl-C ends it cleanly")
    tap.equal(w.bob.history("alice")[:2], ["first", "number 0"], "the history")


@tap.case
def what_was_missed_comes_first(w):
    w.alice.must("send", "carol", "while away")
    with Listener(w.carol) as carol:
        carol.message("while away")
        w.alice.must("send", "carol", "now")
        carol.message("now")
        tap.equal(carol.texts(), ["while away", "now"], "texts")


@tap.case
def read_marks_and_members_come_live(w):
    with Listener(w.alice) as alice:
        w.alice.must("send", "bob", "read me")
        w.bob.must("inbox")
        alice.wait(lambda e: e["type"] == "read" and e["username"] == "bob", "the read mark")
        w.bob.must("group", "create", "live group", "alice")
        w.bob.must("group", "send", "live group", "to the group")
        group = alice.message("to the group")["conversation"]
        w.bob.must("group", "add", "live group", "carol")
        got = alice.wait(lambda e: e["type"] == "member" and e["username"] == "carol", "the member")
        tap.equal((got["conversation"], got["joined"]), (group, True), "carol has joined")
        w.carol.must("group", "send", "live group", "from carol")
        tap.equal(alice.message("from carol")["username"], "carol", "she can talk at once")


@tap.case
def who_is_taken_in_hears_of_it_before_anything_is_said(w):
    with Listener(w.bob) as bob:
        w.alice.must("session", "create", "bob")
        w.alice.must("group", "create", "a new group", "bob")
        session = bob.wait(lambda e: e["type"] == "conversation" and e["kind"] == "session", "the session")
        tap.equal(session["members"], ["alice", "bob"], "who is in it")
        group = bob.wait(lambda e: e["type"] == "conversation" and e.get("title") == "a new group", "the group")
        w.alice.must("group", "send", "a new group", "welcome")
        bob.message("welcome")
        tap.equal(bob.of("conversation", id=session["id"]), [session], "it is told once")
        tap.equal(bob.of("conversation", id=group["id"]), [group], "so is the group")
        w.alice.must("session", "close", f":{session['id']}")
        bob.wait(lambda e: e["type"] == "closed" and e["conversation"] == session["id"], "its end")


@tap.case
def who_is_there_is_told_once(w):
    for name in ("one of two", "two of two"):
        w.alice.must("group", "create", name, "bob")
    w.bob.must("inbox")
    with Listener(w.bob) as bob:
        for _ in range(2):
            before = len(bob.of("presence"))
            with Listener(w.alice):
                bob.wait(lambda _, n=before: len(bob.of("presence")) > n, "she is there")
                w.alice.must("group", "send", "two of two", "here in both")
            bob.wait(lambda _, n=before: len(bob.of("presence")) > n + 1, "she is not")
        tap.equal([e["state"] for e in bob.of("presence")], ["online", "offline"] * 2, "each change")


@tap.case
def who_is_there_is_told_again_after_an_interruption(w):
    """Nobody knows what became of people meanwhile."""
    w.alice.must("send", "bob", "do you hear me?")
    with Listener(w.bob) as bob, Listener(w.alice) as alice:
        bob.wait(lambda e: e["type"] == "presence" and e["state"] == "online", "she is there")
        before = len(bob.of("presence"))
        w.server.restart()
        alice.online(2)
        bob.online(2)
        bob.wait(lambda _: len(bob.of("presence")) > before, "she is told again")
        tap.equal(bob.of("presence")[-1]["state"], "online", "she is there")


@tap.case
def a_person_sees_where_it_was_said(w):
    w.alice.must("group", "create", "Tea club of listeners", "carol")
    w.alice.must("send", "carol", "between us")
    w.carol.must("inbox")
    w.carol.run("unlock")
    with w.carol.terminal("listen") as carol:
        carol.expect("online")
        w.alice.must("send", "carol", "to you")
        carol.expect("with alice")
        carol.expect("to you")
        w.alice.must("group", "send", "Tea club of listeners", "to the club")
        carol.expect(r"in Tea club of listeners")
        carol.expect("to the club")
        session = w.alice.must("--json", "session", "create", "carol").of("conversation")[0]
        carol.expect(r"You are in the session that destroys itself at [\w: -]+: alice, carol")
        w.alice.must("group", "create", "Cake club of listeners", "carol")
        carol.expect("You are in the group Cake club of listeners: alice, carol")
        w.alice.must("session", "close", f":{session['id']}")
        carol.expect("is over")
        carol.process.send_signal(signal.SIGINT)
        carol.end(0)


@tap.case
def the_server_dies_while_people_talk(w):
    """Everything that was acknowledged or kept is shown once and in the same order on both sides."""
    with Listener(w.alice) as alice, Listener(w.bob) as bob:
        sent = []
        for i in range(12):
            who, whom = ((w.alice, "bob"), (w.bob, "alice"))[i % 2]
            text = f"storm {i}"
            if i == 4:
                w.server.kill()
            if i == 8:
                w.server.start()
            got = who.run("send", whom, text)
            sent.append(text)
            tap.check(got.code in (0, 1), f"{got!r}")
        alice.online(2)
        bob.online(2)
        for person in (w.alice, w.bob):
            person.must("inbox", "--peek")
        for text in sent:
            who = int(text.split()[1]) % 2
            (bob, alice)[who].message(text)
        for name, person, other, listener in (("alice", w.alice, "bob", alice), ("bob", w.bob, "alice", bob)):
            incoming = [t for t in listener.texts() if t in sent]
            tap.equal(len(incoming), len(set(incoming)), f"{name} was shown nothing twice")
        ours = [t for t in w.alice.history("bob") if t in sent]
        theirs = [t for t in w.bob.history("alice") if t in sent]
        tap.equal(ours, theirs, "one order on both sides")
        tap.equal(sorted(ours), sorted(sent), "nothing is lost")
        tap.equal([e for e in alice.events + bob.events if e["type"] in ("warning", "missing", "refused")], [],
                  "nothing is alarming")


def is_stopped(pid):
    states = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii", errors="replace") as f:
            states.add(f.read().rpartition(")")[2].split()[0])
    return states == {"T"}


def stop_between_turns(pid):
    """While it holds the lock of its store, others would wait for it for ever."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        while not is_stopped(pid):
            time.sleep(0.001)
        with open("/proc/locks", encoding="ascii") as locks:
            if not any("FLOCK" in line and line.split()[4] == str(pid) for line in locks if "->" not in line):
                return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.01)


@tap.case
def what_another_process_fetches_is_told_too(w):
    with Listener(w.bob) as bob:
        stop_between_turns(bob.process.pid)
        try:
            w.alice.must("send", "bob", "fetched by the inbox")
            tap.check(("alice", "fetched by the inbox") in w.bob.inbox(), "the inbox has it")
            w.bob.must("send", "alice", "sent elsewhere")
        finally:
            os.kill(bob.process.pid, signal.SIGCONT)
        bob.message("fetched by the inbox")
        tap.equal(bob.message("sent elsewhere")["own"], True, "an own one")
        w.alice.must("send", "bob", "and on")
        bob.message("and on")
        tap.equal(bob.texts(), ["fetched by the inbox", "sent elsewhere", "and on"], "once, in order")


@tap.case
def lines_say_who_types_and_that_all_have_read(w):
    with w.alice.terminal("chat", "--lines", "bob") as a, w.bob.terminal("chat", "--lines", "alice") as b:
        a.expect("bob> ")
        b.expect("alice> ")
        b.type("I am wri")
        a.expect(r"bob \(bob types\)> ")
        b.line("ting")
        a.expect("bob  I am writing")
        a.expect(r"bob> ")
        b.expect("-- read --")
        b.control("d")
        b.end(0)
        a.line("is anybody there?")
        a.expect("you  is anybody there")
        w.bob.must("inbox")
        a.expect("-- read --")
        a.control("d")
        a.end(0)
    with w.alice.terminal("chat", "--lines", "bob") as a:
        a.expect(r"is anybody there.*\n.*-- read --")
        a.expect("bob> ")
        a.control("d")
        a.end(0)
    w.alice.must("group", "create", "Readers", "bob", "carol")
    with w.alice.terminal("chat", "--lines", "Readers") as a:
        a.expect("Readers> ")
        a.line("to all of you")
        a.expect("you  to all of you")
        w.bob.must("inbox")
        w.carol.must("inbox")
        a.expect("-- read by all --")
        a.control("d")
        a.end(0)


@tap.case
def a_server_that_hangs_delays_no_key(w):
    with w.alice.terminal("chat", "--lines", "bob") as a:
        a.expect("bob> ")
        a.line("before it hangs")
        a.expect("you  before it hangs")
        os.kill(w.server.pid, signal.SIGSTOP)
        try:
            a.line("while it hangs")
            a.line("/help")
            a.expect("send a message that begins with a slash")
        finally:
            os.kill(w.server.pid, signal.SIGCONT)
        a.expect("you  while it hangs")
        w.bob.must("send", "alice", "I am here")
        a.expect("bob  I am here")
        a.line("/history")
        a.expect("bob  I am here")
        a.line("the last word")
        a.line("/quit")
        a.end(0)
    w.bob.must("inbox")
    said = w.bob.history("alice")
    tap.equal([said.count(t) for t in ("while it hangs", "the last word")], [1, 1], "once")


@tap.case
def a_session_is_gone_when_it_is_closed(w):
    made = w.alice.json("session", "create", "bob", "--ttl", "1h").of("conversation")[0]
    name = f":{made['id']}"
    tap.equal(made["kind"], "session", "kind")
    with Listener(w.bob) as bob:
        w.alice.must("send", name, "for your eyes only")
        bob.message("for your eyes only")
        tap.equal([o["id"] for o in w.bob.json("session", "list").of("conversation")
                   if o["kind"] == "session"], [made["id"]], "listed")
        tap.equal(w.bob.history(name), ["for your eyes only"], "in the history")
        w.alice.must("session", "close", name)
        got = bob.wait(lambda e: e["type"] == "closed", "the end")
        tap.equal(got["conversation"], made["id"], "closed")
    for person in (w.alice, w.bob):
        tap.equal(person.json("session", "list").of("conversation"), [], "not listed")
        tap.equal(person.run("history", name).code, 1, "no history")
        tap.equal(person.run("send", name, "hello?").code, 1, "nobody listens")


@tap.case
def messages_disappear(w):
    w.alice.must("send", "carol", "stays")
    w.alice.must("expire", "carol", "6s")
    with Listener(w.carol) as carol:
        carol.wait(lambda e: e["type"] == "expiry" and e["seconds"] == 6, "the setting")
        w.alice.must("send", "carol", "passes")
        gone = carol.message("passes")["id"]
        carol.wait(lambda e: e["type"] == "expired" and e["id"] <= gone <= e["last"], "the end")
    tap.check("passes" not in w.carol.history("alice"), "it is gone")
    tap.check("stays" in w.carol.history("alice"), "what was there before stays")
    w.alice.must("expire", "carol", "off")
    w.alice.must("send", "carol", "for good")
    w.carol.must("inbox")
    tap.check("for good" in w.carol.history("alice"), "kept")
    tap.equal(w.alice.run("expire", "carol", "soon").code, 1, "not a time")


@tap.case
def it_ends_when_nobody_reads_or_the_input_ends(w):
    listener = Listener(w.bob, "--until-eof").online()
    listener.process.stdin.close()
    tap.equal(listener.process.wait(PATIENCE), 0, "at the end of the input")
    read, write = os.pipe()
    process = w.bob.start("--json", "listen", stdout=write)
    os.close(write)
    select.select([read], [], [], PATIENCE)
    os.close(read)
    tap.equal(process.wait(PATIENCE), 0, "when the reader has gone")


@tap.case
def logging_out_elsewhere_ends_it(w):
    listener = Listener(w.carol).online()
    w.carol.must("logout")
    tap.equal(listener.process.wait(PATIENCE), 1, "the session is over")
    listener.wait(lambda e: e["type"] == "offline" and e["code"] == "NOT_LOGGED_IN", "why")
    listener.stop()
    w.carol.login()


if __name__ == "__main__":
    tap.main(world)
