"""`tacit chat` on a whole terminal, seen through a terminal emulator."""
import contextlib
import os
import re
import signal
import sys
import time

import nacl.signing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.door import Door  # noqa: E402
from support.screen import Screen, fresh_modes  # noqa: E402
from support.server import Server, program  # noqa: E402

# What pyte understands; it knows no second screen, which the sequences below belong to.
PLAIN, FULL = {"TERM": "linux"}, {"TERM": "xterm-256color"}
PAGE_UP, PAGE_DOWN, END = "\x1b[5~", "\x1b[6~", "\x1b[4~"
LEFT, BACKSPACE = "\x1b[D", "\x7f"
PASTE_BEGIN, PASTE_END = "\x1b[200~", "\x1b[201~"
LEAVE_SCREEN, PASTE_OFF = b"\x1b[?1049l", b"\x1b[?2004l"
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.alice, self.bob, self.carol = (machine.register(n) for n in ("alice", "bob", "carol"))
        for person in (self.alice, self.bob, self.carol):
            person.run("unlock")
        self.alice.must("send", "bob", "the first words")
        self.bob.must("inbox")


@contextlib.contextmanager
def world():
    with Server(RATE_LOGIN=0) as server, Machine(server) as machine:
        yield World(server, machine)


def screen(person, *words, env=None, **more):
    person.run("unlock")
    machine = person.machine
    return Screen([program("tacit"), *person.options(), "chat", *words], cwd=machine.work,
                  env={**machine.environment(), **(env or PLAIN)}, **more)


def leave(s):
    s.type("\x15")  # what stands in the line
    s.control("D")
    s.end(0)


# --- talking ---

@tap.case
def two_people_talk(w):
    with screen(w.alice, "bob") as a, screen(w.bob, "alice") as b:
        a.wait(r"you\s+the first words")
        b.wait(r"alice\s+the first words")
        for s in (a, b):
            s.wait(r"online")
        a.enter("are you there?")
        b.wait(r"alice\s+are you there\?")
        a.wait(r"are you there\?\s+✓✓ read by bob")
        b.enter("yes, here")
        a.wait(r"bob\s+yes, here")
        a.enter("//slash first")
        b.wait(r"alice\s+/slash first")
        leave(a)
        leave(b)
    tap.equal(w.alice.history("bob")[-3:], ["are you there?", "yes, here", "/slash first"], "history")


@tap.case
def who_types_is_shown_and_who_is_there(w):
    w.carol.must("send", "alice", "so that there is a list")
    with screen(w.alice, "bob") as a, screen(w.bob, "alice") as b:
        a.wait("● bob")
        b.wait("online")
        b.type("I am wri")
        end = time.monotonic() + 60
        while "is typing" not in a.picture and time.monotonic() < end:
            b.type("t" + BACKSPACE)  # the first letters may have come before b has joined; it is said again with later ones
            a.look(0.2)
        a.wait("bob is typing…")
        b.type("ting")
        b.type("\r")
        a.wait(r"bob\s+I am writing")
        a.wait_gone("is typing")
        leave(b)
        a.wait("○ bob")
        leave(a)


@tap.case
def news_elsewhere_are_counted_and_found(w):
    w.carol.must("send", "alice", "one")
    with screen(w.alice, "bob") as a:
        a.wait(r"carol +[0-9]+│")
        w.carol.must("send", "alice", "two")
        a.wait(r"carol.*│")
        a.wait(r"[0-9]+ new elsewhere \(Tab\)")
        a.type("draft for bob")
        a.type("\x1b2")  # Alt-2: completes nothing, changes the conversation
        a.control("N")
        a.control("P")
        a.type("\x1b1")
        leave(a)
    with screen(w.alice, "carol") as a:
        a.wait(r"carol\s+two")
        a.wait_gone("new elsewhere")
        leave(a)


@tap.case
def a_draft_stays_with_its_conversation(w):
    with screen(w.alice, "bob") as a:
        a.wait(r"the first words")
        a.type("draft for bob")
        a.wait("> draft for bob")
        a.control("N")
        a.wait_gone("draft for bob")
        a.type("for carol")
        a.wait("> for carol")
        a.control("P")
        a.wait("> draft for bob")
        leave(a)


@tap.case
def old_pages_come_when_they_are_looked_at(w):
    lines = "".join(f"number {i} of many\n" for i in range(230))
    w.bob.must("chat", "alice", text=lines)
    with screen(w.alice, "bob") as a:
        a.wait("number 229 of many")
        a.wait("new messages|number 229")
        for _ in range(60):  # one that was typed while the next page was not there yet may go nowhere
            if "number 0 of many" in a.picture:
                break
            a.type(PAGE_UP)
            a.look(0.2)
        a.wait("number 0 of many")
        a.wait("below \\(End\\)")
        a.type(END)
        a.wait("number 229 of many")
        a.control("F")
        a.wait("search:")
        a.enter("NUMBER 17 of")
        a.wait("number 17 of many")
        a.type("\x1b")
        a.wait_gone("search:")
        leave(a)


@tap.case
def what_is_written_without_a_server_waits(w):
    with screen(w.alice, "bob") as a:
        a.wait(r"\bonline\b")
        w.server.stop()
        a.wait("OFFLINE")
        a.enter("written in the dark")
        a.wait("written in the dark  … waiting")
        w.server.start()
        a.wait(r"\bonline\b")
        a.wait("written in the dark  ✓")
        tap.equal(a.picture.count("written in the dark"), 1, "it is there once")
        leave(a)
    tap.equal(w.bob.inbox()[-1:], [("alice", "written in the dark")], "bob has it")


@tap.case
def what_was_left_waiting_is_shown_and_dropped(w):
    w.server.stop()
    for text in ("from an earlier run", "better not"):
        tap.equal(w.alice.run("send", "bob", text).code, 1, "it is kept")
    with screen(w.alice, "bob") as a:
        a.wait("OFFLINE")
        a.wait("from an earlier run  … waiting")
        a.wait("better not  … waiting")
        leave(a)
    kept = w.alice.json("outbox", "list").of("outgoing")
    tap.equal([(o["title"], o["text"], o["may_have_arrived"]) for o in kept],
              [("bob", "from an earlier run", False), ("bob", "better not", False)], "the list")
    tap.equal(w.alice.run("outbox", "drop", "zz").code, 1, "no such id")
    w.alice.must("outbox", "drop", kept[1]["id"][:8])
    with screen(w.alice, "bob") as a:
        a.wait("from an earlier run  … waiting")
        w.server.start()
        a.wait("from an earlier run  ✓")
        tap.check("better not" not in a.picture, "what was dropped is not there")
        leave(a)
    tap.equal(w.alice.json("outbox", "list").of("outgoing"), [], "nothing waits")
    texts = [text for _, text in w.bob.inbox()]
    tap.check("from an earlier run" in texts and "better not" not in texts, f"bob has {texts}")


@tap.case
def read_marks_are_known_after_a_restart(w):
    w.alice.must("send", "bob", "read this")
    w.bob.must("inbox")
    w.alice.must("inbox")
    w.server.stop()
    with screen(w.alice, "bob") as a:
        a.wait("OFFLINE")
        a.wait("read this  ✓✓ read by bob")
        leave(a)
    w.server.start()


@tap.case
def files_go_both_ways(w):
    with open(os.path.join(w.machine.work, "plan b.txt"), "w", encoding="utf-8") as f:
        f.write("x" * 5000)
    with screen(w.alice, "bob") as a:
        a.wait("online")
        a.enter("/file plan b.txt")
        a.wait("file plan b.txt, 5.0 kB")
        a.wait("Sent plan b.txt")
        a.enter("/file nowhere.txt")
        a.wait("nowhere.txt: ")
        leave(a)
    os.rename(os.path.join(w.machine.work, "plan b.txt"), os.path.join(w.machine.work, "was"))
    with screen(w.bob, "alice") as b:
        b.wait("file plan b.txt, 5.0 kB")
        b.control("G")
        b.wait(r"Saved \./plan b\.txt")
        leave(b)
    with open(os.path.join(w.machine.work, "plan b.txt"), encoding="utf-8") as f:
        tap.equal(f.read(), "x" * 5000, "the file")


@tap.case
def a_file_keeps_no_message_waiting(w):
    with open(os.path.join(w.machine.work, "slow.txt"), "w", encoding="utf-8") as f:
        f.write("y" * 5000)
    with contextlib.closing(Door(w.server)) as door:
        w.machine.server = door
        try:
            with screen(w.alice, "bob") as a, screen(w.bob, "alice") as b:
                a.wait(r"\bonline\b")
                b.wait(r"\bonline\b")
                door.files.clear()
                a.enter("/file slow.txt")
                a.wait("Sending slow.txt")
                a.enter("meanwhile")
                b.wait(r"alice\s+meanwhile")
                a.wait("meanwhile  ✓")
                b.enter("and the other way")
                a.wait(r"bob\s+and the other way")
                door.files.set()
                b.wait(r"file slow\.txt, 5\.0 kB")
                a.wait("Sent slow.txt")
                a.wait(r"file slow\.txt, 5\.0 kB")
                door.files.clear()
                a.enter("/file slow.txt")
                a.wait("Sending slow.txt")
                a.enter("/file nowhere.txt")
                a.wait("Sending slow.txt: .*, 1 more after it")
                a.control("C")
                a.wait(r"· slow\.txt: ")  # broken off, and so is the one behind it
                a.wait(r"· nowhere\.txt: ")
                leave(a)
                leave(b)
        finally:
            w.machine.server = w.server
    files = [t["name"] for t in w.bob.history("alice") if isinstance(t, dict)]
    tap.equal(files.count("slow.txt"), 1, "it came, once")


@tap.case
def leaving_waits_for_a_file(w):
    with open(os.path.join(w.machine.work, "last.txt"), "w", encoding="utf-8") as f:
        f.write("z" * 5000)
    with contextlib.closing(Door(w.server)) as door:
        w.machine.server = door
        try:
            with screen(w.alice, "bob") as a:
                a.wait(r"\bonline\b")
                door.files.clear()
                a.enter("/file last.txt")
                a.wait("Sending last.txt")
                a.enter("/quit")
                a.wait_gone("> /quit")
                tap.check(a.process.poll() is None, "it waits")
                door.files.set()
                a.end(0)
        finally:
            w.machine.server = w.server
    files = [t["name"] for t in w.alice.history("bob") if isinstance(t, dict)]
    tap.equal(files.count("last.txt"), 1, "it was sent")


@tap.case
def a_number_is_compared(w):
    with screen(w.alice, "bob") as a:
        a.wait(r"bob  not verified")
        a.enter("/verify")
        a.wait("Safety number with bob")
        a.wait(r"(\d{5}\s+){3}\d{5}")
        a.enter("/verify yes")
        a.wait(r"bob  ✓ verified")
        leave(a)
    user = w.alice.json("users", "bob").of("user")[0]
    tap.equal(user["verified"], True, "the profile knows it, too")


@tap.case
def a_session_is_destroyed_before_all_eyes(w):
    with screen(w.alice, "bob") as a, screen(w.bob, "alice", columns=100) as b:
        a.wait("online")
        b.wait("online")
        a.enter("/session 1h bob")
        a.wait("destroys itself in (1h|60m)")
        a.enter("for your eyes")
        a.wait("for your eyes  ✓")
        b.wait(r"~ .* (1h|60m)")
        b.enter("/chat alice, bob")
        b.wait("for your eyes")
        a.enter("/close")
        a.wait("/close yes")
        a.enter("\x15/close yes")
        b.wait_gone("for your eyes")
        b.wait("closed")
        a.wait_gone("for your eyes")
        leave(a)
        leave(b)


@tap.case
def groups_are_made_and_left(w):
    with screen(w.alice, "bob", columns=100) as a:
        a.wait("online")
        a.enter('/group create "Rock climbing" bob')
        a.wait(r"Rock climbing  group of 2: ")
        a.enter("/group add carol")
        a.wait("group of 3")
        a.enter("/leave")
        a.wait("/leave yes")
        a.enter("\x15/leave yes")
        a.wait("You have left")
        leave(a)


@tap.case
def a_changed_key_is_loud(w):
    """The server gives out another key for dave while alice talks with him."""
    w.machine.register("dave")
    w.alice.must("send", "dave", "before")
    with screen(w.alice, "dave") as a:
        a.wait(r"\bonline\b")
        w.server.stop()
        new = bytes(nacl.signing.SigningKey.generate().verify_key)
        w.server.sql("UPDATE users SET public_key = ? WHERE username = 'dave'", new)
        w.server.start()
        a.wait(r"\bonline\b")
        a.enter("not for the middle")
        a.wait(r"!! WARNING: The key of dave HAS CHANGED")
        a.wait(r"!! A KEY HAS CHANGED: /verify")
        tap.check(not re.search("not for the middle  ✓", a.picture), f"nothing is sent: {a.picture}")
        a.enter("/verify")
        a.wait("their NEW key")
        a.enter("/verify yes")  # verifying is not accepting
        a.until(lambda: a.picture.count("their NEW key") == 2, "the number once more")
        tap.check("✓ verified" not in a.picture, "not verified")
        leave(a)


# --- text of every kind ---

@tap.case
def wide_and_combined_characters_keep_their_columns(w):
    with screen(w.alice, "bob") as a:
        a.wait("online")
        a.type("漢字e\u0301x")
        a.until(lambda: a.cursor[0] == 8, "a cursor behind six columns")
        a.type(BACKSPACE + BACKSPACE)  # x, and e with its accent
        a.until(lambda: a.cursor[0] == 6, "a cursor behind two wide ones")
        a.type(LEFT)
        a.until(lambda: a.cursor[0] == 4, "a cursor between them")
        a.type("ü")
        a.type("\r")
        a.wait("漢 *ü字")
        a.enter("family 👩‍👩‍👧‍👦 | flag 🇩🇪 | accent e\u0301 |")
        a.wait("accent")
        column = {line.index("│") for line in a.rows if "│" in line and line.isascii()}
        tap.check(len(column) <= 1, f"the divider is straight: {column}")
        leave(a)
    tap.equal(w.alice.history("bob")[-2:],
              ["漢ü字", "family 👩‍👩‍👧‍👦 | flag 🇩🇪 | accent e\u0301 |"], "what was sent is what was typed")


@tap.case
def nothing_hostile_reaches_the_terminal(w):
    evil = "\x1b[2Jx\x1b]0;owned\x07\x9b31m\x08\x0d\x7f\u202egpj.exe\u2066\x1b[?1049l end-of-evil"
    w.bob.must("send", "alice", text=evil)
    w.bob.run("group", "create", "\u202e\x1b[2Jgroup", "alice")
    name = "\x1b[2Jfile\u202e.txt"
    with open(os.path.join(w.machine.work, name), "w", encoding="utf-8") as f:
        f.write("x")
    w.bob.run("file", "send", "alice", name)
    with screen(w.alice, "bob") as a:
        a.wait("end-of-evil")
        a.wait("file.*file")
        leave(a)
        for bad in (b"\x1b[2Jx", b"\x1b]0;owned", "\x9b".encode(), b"\x07", "\u202e".encode(),
                    "\u2066".encode(), b"\x1b[2Jfile", b"\x1b[2Jgroup"):
            tap.check(bad not in a.raw, f"{bad!r} reached the terminal")
        tap.equal(a.shown.title, "", "the title")


@tap.case
def a_paste_is_not_sent_by_itself(w):
    with screen(w.alice, "bob") as a:
        a.wait("online")
        a.type(PASTE_BEGIN + "one\rtwo\x1b[31m\rthree" + PASTE_END)
        a.wait("three")
        a.type("\x1b\r" + "four")
        a.wait("four")
        a.type("\r")
        a.wait(r"you +one")
        leave(a)
    tap.equal(w.alice.history("bob")[-1], "one\ntwo[31m\nthree\nfour", "one message, in lines")


@tap.case
def names_and_commands_are_completed(w):
    with screen(w.alice, "bob") as a:
        a.wait("online")
        a.type("/ver\t")
        a.wait("> /verify")
        a.type("\x15hello bo\t")
        a.wait("> hello bob")
        a.enter("\x15/nonsense")
        a.wait("There is no such command")
        leave(a)


# --- sizes and terminals ---

@tap.case
def every_size_can_be_used(w):
    w.carol.must("send", "alice", "so that there is a list")
    with screen(w.alice, "bob", columns=100, rows=30) as a:
        a.wait("│")
        a.resize(40, 10)
        a.wait_gone("│")
        a.wait(r"\d/\d bob")
        a.enter("from a small one")
        a.wait("from a small one")
        tap.check(all(len(row) <= 40 for row in a.rows), "rows fit")
        for columns, rows in ((20, 4), (5, 2), (1, 1), (200, 60)):
            a.resize(columns, rows)
            a.look(0.2)
        a.wait("│")
        a.wait("from a small one")
        leave(a)


@tap.case
def without_colours_there_are_none(w):
    with screen(w.alice, "bob", env={**PLAIN, "NO_COLOR": "1"}) as a:
        a.wait("online")
        a.wait("online")
        leave(a)
        colours = re.findall(rb"\x1b\[[0-9;]*\b(?:3[0-7]|4[0-7]|9[0-7]|38|48)(?:;[0-9;]*)?m", a.raw)
        tap.equal(colours, [], "colours")


@tap.case
def a_terminal_that_cannot_draw_gets_lines(w):
    for more, words in (({"TERM": "dumb"}, ()), (PLAIN, ("--lines",))):
        with screen(w.alice, "bob", *words, env=more) as a:
            a.expect("bob> ")
            tap.check(b"\x1b[?1049h" not in a.raw, "no full screen")
            a.line("/quit")
            a.end(0)


# --- the terminal is given back ---

def given_back(a, what):
    tap.equal(a.modes, fresh_modes(), f"modes of the line after {what}")
    for sequence in (LEAVE_SCREEN, PASTE_OFF):
        tap.check(sequence in a.raw, f"{sequence!r} after {what}")
    tap.check(a.raw.rfind(SHOW_CURSOR) >= a.raw.rfind(HIDE_CURSOR), f"a cursor after {what}")


@tap.case
def the_terminal_is_given_back_on_every_way_out(w):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT):
        with screen(w.alice, "bob", env=FULL) as a:
            a.expect("alice")
            a.process.send_signal(number)
            a.end()
            given_back(a, number.name)
    for keys in ("/quit\r", "\x04", "\x03"):
        with screen(w.alice, "bob", env=FULL) as a:
            a.expect("alice")
            a.type(keys)
            a.end(0)
            given_back(a, repr(keys))


@tap.case
def it_is_stopped_and_goes_on(w):
    words = " ".join(f"'{x}'" for x in [program("tacit"), *w.alice.options(), "chat", "bob"])
    environment = {**w.machine.environment(), **PLAIN, "PS1": "shell$ "}
    w.alice.run("unlock")
    with Screen(["/bin/bash", "--norc", "-i"], env=environment, cwd=w.machine.work) as a:
        a.wait(r"shell\$")
        a.type(words + "\n")
        a.wait(" online ")
        a.control("Z")
        a.wait("Stopped")
        a.type("stty -a | tr ' ' '\\n' | grep -x -e icanon -e -icanon; echo is-$((40+2))\n")
        a.wait("is-42")
        tap.check(re.search(r"^icanon$", a.picture, re.M), f"lines as ever: {a.picture}")
        a.shown.reset()
        a.type("fg\n")
        a.wait(" online ")
        a.enter("back again")
        a.wait("back again  ✓")
        a.control("D")
        a.wait(r"shell\$$")
        a.type("exit\n")
        a.end()


tap.main(world)
