"""People in browsers and one at the command line, in the same conversations."""
import contextlib
import hashlib
import os
import sqlite3
import sys

import nacl.signing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import Member, button, field  # noqa: E402
from support.browser import Browser  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.server import Server  # noqa: E402


class World:
    def __init__(self, server, browser, machine):
        self.server, self.browser, self.machine = server, browser, machine
        self.carol = machine.register("carol")
        self.alice = Member(browser, server.url, "alice").register()
        self.bob = Member(browser, server.url, "bob").register()
        self.pages = [self.alice.page, self.bob.page]

    def path(self, name):
        return os.path.join(self.machine.work, name)


@contextlib.contextmanager
def world():
    with Server(TTL_MIN=1) as server, Browser() as browser, Machine(server) as machine:
        yield World(server, browser, machine)


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def heard_at_the_command_line(person, name, wanted):
    """Reads until the text has come."""
    return any(wanted in person.history(name) for _ in range(60) if person.run("inbox"))


@tap.case
def two_browsers_talk_both_ways(w):
    w.alice.begin("Direct chat", "bob")
    w.alice.say("hello, Bob")
    w.alice.said("hello, Bob")
    w.bob.talk("alice")
    w.bob.hears("hello, Bob")
    w.bob.say("hello, Alice")
    w.alice.hears("hello, Alice")
    w.alice.page.see("article.own .was-read")
    tap.equal(w.alice.texts(), ["hello, Bob", "hello, Alice"], "what Alice sees")
    tap.equal(w.bob.texts(), w.alice.texts(), "what Bob sees")


@tap.case
def a_browser_and_the_command_line_talk(w):
    w.alice.begin("Direct chat", "carol")
    w.alice.say("from a browser")
    w.alice.said("from a browser")
    tap.equal(w.carol.inbox(), [("alice", "from a browser")], "at the command line")
    w.carol.must("send", "alice", "from a terminal")
    w.alice.hears("from a terminal")


@tap.case
def messages_are_answered_reacted_to_changed_and_deleted(w):
    w.alice.talk("bob")
    w.bob.talk("alice")
    w.alice.say("the first draught")
    w.bob.hears("the first draught")
    w.bob.react("the first draught", "\N{PARTY POPPER}")
    w.alice.page.see("article:has-text('the first draught') .reactions")
    w.bob.act("the first draught", "Reply")
    w.bob.say("an answer")
    w.alice.page.see("article:has-text('an answer') .quote:has-text('the first draught')")
    w.alice.act("the first draught", "Edit")
    w.alice.say("the second draught")
    w.bob.page.see("article.other:has-text('the second draught'):has-text('edited')")
    w.alice.act("the second draught", "Delete for everyone")
    w.alice.page.click("role=alertdialog >> " + button("Delete"))
    w.bob.page.see("article.other:has-text('This message was deleted.')")
    tap.check("the second draught" not in "".join(w.bob.texts()), "the text is gone")


@tap.case
def a_group_and_who_is_removed_from_it(w):
    w.alice.begin("Group", "bob", "carol", name="Three")
    w.alice.say("to all three")
    w.bob.talk("Three")
    w.bob.hears("to all three")
    tap.check(heard_at_the_command_line(w.carol, "Three", "to all three"), "at the command line")
    w.carol.must("group", "send", "Three", "carol is here")
    w.alice.hears("carol is here")
    w.bob.hears("carol is here")
    w.alice.remove("bob")
    w.bob.page.see("text=You are no longer in this conversation.")
    w.alice.say("without Bob")
    w.alice.said("without Bob")
    tap.check(heard_at_the_command_line(w.carol, "Three", "without Bob"), "who is left hears it")
    tap.check("without Bob" not in w.bob.page.inner_text("body"), "who was removed does not")


@tap.case
def a_room_whose_name_the_server_knows(w):
    w.alice.page.click(button("New conversation") + " >> nth=0")
    w.alice.page.click("dialog .choice label:has-text('Room')")
    w.alice.page.see("dialog .note:has-text('whose name the server can read')")
    w.alice.calm()
    w.alice.begin("Room", "bob", name="Lobby")
    w.alice.say("welcome to the lobby")
    w.bob.talk("Lobby")
    w.bob.hears("welcome to the lobby")
    room = w.carol.json("room", "create", "--yes", "Kitchen", "alice").of("conversation")[0]
    tap.equal(room["kind"], "room", "made at the command line")
    w.alice.talk("Kitchen")
    w.alice.say("what is for dinner?")
    tap.check(heard_at_the_command_line(w.carol, "Kitchen", "what is for dinner?"), "and read there")
    w.alice.details()
    w.alice.page.see(".details-who:has-text('Room')")
    # Who is put out keeps what was read, also over a reload; the list is theirs to tidy.
    w.carol.must("room", "remove", "Kitchen", "alice")
    w.alice.page.see("p.mute:has-text('You are no longer in this conversation.')")
    w.alice.reload()
    w.alice.calm()
    w.alice.page.click(".row:has(.row-title:text-is('Kitchen'))")
    w.alice.page.see("article.own:has-text('what is for dinner?')")
    w.alice.page.see("p.mute:has-text('You are no longer in this conversation.')")
    w.alice.details()
    w.alice.page.click(button("Take off the list"))
    w.alice.page.miss(".row:has(.row-title:text-is('Kitchen'))")


@tap.case
def files_go_both_ways(w):
    """To the command line, back from it, and from browser to browser: the same bytes."""
    there, back = w.path("there.bin"), w.path("back.bin")
    for path, size in ((there, 3 * 1024 * 1024 + 17), (back, 1024 * 1024 + 1)):
        with open(path, "wb") as f:
            f.write(os.urandom(size))
    w.alice.talk("carol")
    w.alice.attach(there)
    w.alice.say("a file for you")
    w.alice.page.see("article.own.with-file:has-text('there.bin')")
    w.carol.must("inbox")
    file = [m["file"] for m in w.carol.json("history", "alice").of("message") if "file" in m][-1]
    w.carol.must("file", "get", file["id"], "-o", w.path("there.got"))
    tap.equal(sha256(w.path("there.got")), sha256(there), "to the command line")
    w.carol.must("file", "send", "alice", back)
    w.alice.page.see("article.other:has-text('back.bin')")
    w.alice.save("back.bin", w.path("back.got"))
    tap.equal(sha256(w.path("back.got")), sha256(back), "from the command line")
    w.alice.talk("bob")
    w.alice.attach(there)
    w.alice.say("")
    w.bob.talk("alice")
    w.bob.page.see("article.other:has-text('there.bin')")
    w.bob.save("there.bin", w.path("there.bob"))
    tap.equal(sha256(w.path("there.bob")), sha256(there), "between browsers")


@tap.case
def offline_and_back(w):
    w.alice.talk("bob")
    w.bob.talk("alice")
    w.bob.page.offline(True)
    w.bob.say("written in a tunnel")
    w.bob.page.see(".on-its-way:has-text('written in a tunnel')")
    w.alice.say("are you there?")
    w.alice.said("are you there?")
    w.bob.reload()
    w.bob.talk("alice")
    w.bob.page.see(".on-its-way:has-text('written in a tunnel')")
    w.bob.page.offline(False)
    w.bob.hears("are you there?")
    w.bob.said("written in a tunnel")
    w.alice.hears("written in a tunnel")
    tap.equal([t for t in w.alice.texts() if "tunnel" in t], ["written in a tunnel"], "once")


@tap.case
def a_server_that_comes_back(w):
    w.server.restart()
    w.alice.say("after the restart")
    w.bob.hears("after the restart")


@tap.case
def a_lock_shows_nothing(w):
    w.bob.from_menu("Lock")
    w.bob.page.see(button("Unlock"))
    tap.check("tunnel" not in w.bob.page.content(), "a message in the page of a locked profile")
    w.bob.page.fill("input[type=password]", "not the password 7!")
    w.bob.page.click(button("Unlock"))
    w.bob.page.see("text=The password is wrong.")
    w.bob.unlock()
    w.bob.talk("alice")
    w.bob.hears("after the restart")


@tap.case
def a_short_tunnel(w):
    """The page stays, and so does its live connection, as far as the browser says: what waits goes out
    all the same."""
    w.alice.talk("bob")
    w.bob.talk("alice")
    w.bob.page.offline(True)
    w.bob.say("written on the platform")
    w.bob.page.see(".on-its-way:has-text('written on the platform')")
    w.bob.page.see(".talk-head:has-text('No connection')")
    w.bob.page.offline(False)
    w.bob.said("written on the platform")
    w.alice.hears("written on the platform")
    w.bob.page.see(".talk-head:has-text('online')")


@tap.case
def a_second_device(w):
    other = w.alice.elsewhere(w.browser, "alice-2").login()
    w.pages.append(other.page)
    w.alice.talk("bob")
    w.bob.talk("alice")
    w.alice.from_menu("Devices")
    w.alice.page.wait("document.querySelectorAll('.devices li').length === 2")
    w.alice.page.click("dialog >> " + button("Close"))
    w.bob.say("to both of your devices")
    w.alice.hears("to both of your devices")
    other.talk("bob")
    other.hears("to both of your devices")
    other.say("from the second one")
    w.alice.page.see("article.own:has-text('from the second one')")
    w.bob.hears("from the second one")
    other.page.offline(True)
    other.say("from what was revoked")
    other.page.see(".on-its-way:has-text('from what was revoked')")
    w.alice.from_menu("Devices")
    w.alice.page.click(".devices button:has-text('Revoke')")
    w.alice.page.click("role=alertdialog >> " + button("Revoke"))
    w.alice.page.wait("document.querySelectorAll('.devices li').length === 1")
    w.alice.page.click("dialog >> " + button("Close"))
    w.alice.say("not for what was revoked")
    w.bob.hears("not for what was revoked")
    other.page.offline(False)
    other.page.see(".connection:has-text('Your login has ended')")
    other.page.click(button("Log in again"))
    other.last_step = max(other.last_step, w.alice.last_step)
    other.page.fill(field("Password"), other.password)
    other.page.fill(field("Code"), other.factor())
    other.page.click(button("Log in"))
    other.page.see(".connection:has-text('This device was removed from your account')")
    w.alice.last_step = other.last_step
    tap.check("not for what was revoked" not in other.page.inner_text("body"), "a revoked device hears it")
    tap.check("from what was revoked" not in w.bob.page.inner_text("body"), "it is heard by nobody")
    what_was_not_sent_is_the_persons(w, other)
    other.page.click(button("Begin anew as a new device"))
    other.page.click("role=alertdialog >> " + button("Remove everything"))
    other.page.see(button("Log in"))
    other.login()
    w.alice.last_step = other.last_step
    w.bob.say("to a device that is new")
    other.talk("bob")
    other.hears("to a device that is new")


def what_was_not_sent_is_the_persons(w, member):
    page = member.page
    page.see(".connection:has-text('1 message was not sent')")
    page.see(".waits:has-text('Not sent')")
    tap.check(not page.is_visible("role=alertdialog"), "nobody did what they should not do")
    page.run("globalThis.copied = ''; navigator.clipboard.writeText = async (text) => { globalThis.copied = text; }")
    page.click(button("Copy text"))
    page.wait("globalThis.copied === 'from what was revoked'")
    page.click(button("Do not send"))
    page.miss(".waits")
    page.miss(".connection:has-text('1 message was not sent')")


@tap.case
def out_and_in_by_one_password(w):
    bob = w.bob
    page = bob.page
    bob.log_out()
    tap.check("to a device" not in page.content(), "nothing of a conversation is on the page")
    page.reload()
    page.see(field("Code"))
    page.fill(field("Password"), "not the password 7!")
    page.fill(field("Code"), "000000")
    page.click(button("Log in"))
    page.see("text=The password is wrong.")
    page.fill(field("Password"), bob.password)
    page.fill(field("Code"), bob.factor())
    page.click(button("Log in"))
    page.see(".sidebar")
    bob.talk("alice")
    bob.say("in again")
    bob.said("in again")
    bob.log_out()
    page.fill(field("Password"), bob.password)
    page.click(button("Read what is on this device"))
    bob.talk("alice")
    page.see("article.own:has-text('in again')")
    page.see(".connection:has-text('Your login has ended')")
    page.click(button("Log in again"))
    page.fill(field("Password"), bob.password)
    page.fill(field("Code"), bob.factor())
    page.click(button("Log in"))
    page.miss(".connection:has-text('Your login has ended')")
    page.see(".sidebar")
    bob.from_menu("Lock")
    page.see(button("Unlock"))
    tap.check(not page.is_visible(field("Code")), "who is logged in needs no code")
    bob.unlock()


@tap.case
def a_session_that_destroys_itself(w):
    w.alice.begin("Session", "bob")
    w.alice.page.see("[role=timer]")
    w.bob.calm()
    its_row = ".row:has(.row-title:text-is('Session · alice')):has([role=timer])"  # it has no name of its own
    w.bob.page.see(its_row)  # before anything is said: its time runs
    w.alice.say("burn after reading")
    w.bob.page.click(its_row)
    w.bob.hears("burn after reading")
    w.alice.details()
    w.alice.page.click(button("Destroy now"))
    w.alice.page.click("role=alertdialog >> " + button("Destroy"))
    for one in (w.alice, w.bob):
        one.page.see("text=This session has destroyed itself.")
        one.page.wait("!document.body.textContent.includes('burn after reading')")


@tap.case
def a_session_whose_time_is_up(w):
    w.bob.calm()
    made = w.carol.json("session", "create", "-t", "25s", "bob").of("conversation")[0]
    w.carol.must("send", f":{made['id']}", "for a little while")
    w.bob.page.click(".row:has([role=timer])")
    w.bob.hears("for a little while")
    w.bob.page.see("text=This session has destroyed itself.")


@tap.case
def a_safety_number_compared(w):
    w.alice.talk("carol")
    w.alice.details()
    w.alice.page.click(".details button:has-text('Safety number')")
    w.alice.page.see(".digits li")
    number = "".join(w.alice.page.run("return [...document.querySelectorAll('.digits li')].map((d) => d.textContent)"))
    shown = w.carol.json("verify", "alice").of("safety_number")[0]
    theirs, words = shown["number"], shown["words"]
    tap.equal(w.alice.page.text_content(".in-words p"), words, "in words, too")
    tap.equal(number, "".join(c for c in theirs if c.isdigit()), "the same on both sides")
    w.alice.page.click(button("Enter theirs"))
    w.alice.page.fill("dialog input", ("54321 " if theirs.startswith("12345") else "12345 ") + theirs[6:])
    w.alice.page.click("dialog >> " + button("Compare"))
    w.alice.page.see("text=The numbers are NOT the same.")
    w.alice.page.click(button("Enter theirs"))
    first, *rest = words.split()
    w.alice.page.fill("dialog input", " ".join(["falcon" if first == "abacus" else "abacus", *rest]))
    w.alice.page.click("dialog >> " + button("Compare"))
    w.alice.page.see("text=The numbers are NOT the same.")
    w.alice.page.click(button("Enter theirs"))
    w.alice.page.fill("dialog input", words.upper())
    w.alice.page.click("dialog >> " + button("Compare"))
    w.alice.page.miss("dialog")
    w.alice.page.see(".details:has-text('Verified')")


@tap.case
def a_changed_key_is_loud(w):
    """The server gives out another account key for carol."""
    w.server.stop()
    with contextlib.closing(sqlite3.connect(w.server.database())) as store:
        old = store.execute("SELECT public_key FROM users WHERE username = 'carol'").fetchone()[0]
    new = bytes(nacl.signing.SigningKey.generate().verify_key)
    w.server.sql("UPDATE users SET public_key = ? WHERE username = 'carol'", new)
    w.server.start()
    w.alice.page.fill("textarea", "")
    w.alice.say("secret, not for the middle")
    w.alice.page.see("dialog[open]")  # in front of everything
    w.alice.page.see(".loud-card:has-text('The key of carol has changed')")
    w.alice.calm()
    w.alice.page.see(".banner.loud")
    tap.check("secret, not for the middle" not in "".join(map(str, w.carol.history("alice"))), "nothing is sent")
    w.server.stop()
    w.server.sql("UPDATE users SET public_key = ? WHERE username = 'carol'", old)
    w.server.start()


@tap.case
def no_page_complained(w):
    for page in w.pages:
        said = [s for s in page.complaints() if "net::ERR_" not in s["text"] and "WebSocket" not in s["text"]
                and "Failed to load resource" not in s["text"]]
        tap.equal(said, [], page.name)


tap.main(world)
