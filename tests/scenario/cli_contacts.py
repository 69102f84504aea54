"""People who met by a code keep each other, and link a new device of their own, with the real `tacit`
on both ends."""
import contextlib
import glob
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import PASSWORD, Machine  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer import Ground, Running, digest, wrong  # noqa: E402


class World(Ground):
    def __init__(self, server, near, far):
        super().__init__(near, far)
        self.server = server
        self.path = self.make("report.pdf", os.urandom(100_000))
        # Alice and Bob do not keep each other before the last cases, and Carol nobody before hers.
        self.alice, self.bob, self.carol = near.register("alice"), far.register("bob"), far.register("carol")

    def devices(self):
        return len(self.alice.json("devices").of("device"))

    def arrived(self, out):
        return digest(os.path.join(out, "report.pdf")) == digest(self.path)


@contextlib.contextmanager
def world():
    with Server() as server, Machine(server) as near, Machine(server) as far:
        yield World(server, near, far)


def is_verified(person, other):
    return person.json("verify", other).of("safety_number")[0]["verified"]


def exchange(w, sender, receiver, send=(), receive=(), statuses=(0, 0)):
    """Sends and receives by scripts; both, ended."""
    out = w.out()
    a = Running(sender, "send-file", *send, w.path)
    b = Running(receiver, "receive", a.code, "--yes", "--out", out, *receive)
    b.finish(statuses[1])
    a.finish(statuses[0])
    tap.check(w.arrived(out), "the file has not arrived")
    return a, b


def contact(running):
    found = running.of("contact")
    tap.equal(len(found), 1, "contact lines")
    return found[0]


# --- keeping each other ---

@tap.case
def two_people_keep_each_other(w):
    alice, bob = w.alice, w.carol
    out = w.out()
    with alice.terminal("send-file", "--keep-contact", w.path) as a, contextlib.ExitStack() as stack:
        a.expect("Afterwards you can keep each other as contacts, if the other one gives --keep-contact")
        code = a.expect(r"Code: (\S+)")[1]
        a.expect(f"tacit receive {code} --keep-contact")
        b = stack.enter_context(bob.terminal("receive", code, "--keep-contact", "--out", out))
        b.expect(r"Receive report.pdf, .*\? \[y/N\] ")
        b.line("y")
        b.expect(f"The other one is {alice.username} on {w.server.url}, and has proven it by their key.")
        b.expect(rf"Keep {alice.username} as a verified contact\? \[y/N\] ")
        b.line("y")
        b.expect(f"{alice.username} is a contact now, and verified.")
        b.end(0)
        a.expect(rf"Keep {bob.username} as a verified contact\? \[y/N\] ")
        a.line("y")
        a.expect(f"{bob.username} is a contact now, and verified.")
        a.end(0)
    tap.check(w.arrived(out), "the file has not arrived")
    tap.check(is_verified(alice, bob.username) and is_verified(bob, alice.username), "not verified")
    alice.must("send", bob.username, "hello")
    tap.equal(bob.inbox(), [(alice.username, "hello")], "inbox")


@tap.case
def scripts_keep_each_other(w):
    alice, bob = w.bob, w.carol
    a, b = exchange(w, alice, bob, ("--keep-contact", "--yes"), ("--keep-contact",))
    tap.equal(contact(a), {"type": "contact", "username": bob.username, "server": w.server.url,
                           "kept": True}, "the sender's")
    tap.equal(contact(b)["username"], alice.username, "the receiver's")
    tap.check(is_verified(alice, bob.username) and is_verified(bob, alice.username), "not verified")


@tap.case
def both_must_ask_for_it(w):
    alice, bob = w.alice, w.bob
    a, b = exchange(w, alice, bob, ("--keep-contact", "--yes"))
    tap.equal(contact(a), {"type": "contact", "kept": False,
                           "reason": "the other one has not asked for it (--keep-contact)."}, "alone")
    tap.equal(b.of("contact"), [], "who has not asked hears nothing")
    a, b = exchange(w, alice, bob, (), ("--keep-contact",))
    tap.check(not contact(b)["kept"] and "username" not in contact(b), "kept")
    tap.equal(a.of("contact"), [], "who has not asked hears nothing")
    tap.check(not is_verified(alice, bob.username), "verified")


@tap.case
def who_has_no_account_gets_the_files(w):
    alice = w.alice
    with Machine(w.server) as bare:
        stranger = bare.person("stranger")
        a, b = exchange(w, alice, stranger, ("--keep-contact", "--yes"), ("--keep-contact",))
        tap.equal(contact(a)["reason"], "the other one would, but has no account there.", "there")
        tap.equal(contact(b)["reason"], "the other one would, but this profile has no account.", "here")
        out = w.out()
        with stranger.terminal("receive", "--keep-contact", "--out", out) as t:
            t.expect("This profile has no account, so no contact will be kept. The transfer goes on")
            t.expect("Code: ")
            t.control("c")
            t.end(1)
        tap.equal(bare.run("--profile", "stranger", "whoami").code, 1, "an account was made")


@tap.case
def who_says_no_keeps_nobody(w):
    alice, bob = w.alice, w.bob
    out = w.out()
    a = Running(alice, "send-file", "--keep-contact", "--yes", w.path)
    with bob.terminal("receive", a.code, "--keep-contact", "--out", out) as t:
        t.expect(r"Receive .*\[y/N\] ")
        t.line("y")
        t.expect(r"Keep .*\[y/N\] ")
        t.line("n")
        t.expect("No contact was kept: you did not want to.")
        t.end(0)
    a.finish()
    tap.check(w.arrived(out), "the file has not arrived")
    tap.check(contact(a)["kept"], "the other one's no is not ours")
    tap.check(not is_verified(bob, alice.username), "verified")


@tap.case
def without_a_terminal_nobody_is_kept_unasked(w):
    alice, bob = w.alice, w.bob
    a, b = exchange(w, alice, bob, ("--keep-contact",), ("--keep-contact",))
    tap.equal(contact(a)["reason"], "there is no terminal to ask on; --yes keeps it unasked.", "why")
    tap.check(contact(b)["kept"], "the receiver has said --yes")


@tap.case
def without_a_server_they_keep_each_other_too(w):
    alice, bob = w.alice, w.bob
    out = w.out()
    a = Running(alice, "send-file", "--listen", "127.0.0.1:0", "--keep-contact", "--yes", w.path)
    port = a.port
    b = Running(bob, "receive", a.code, "--direct", f"127.0.0.1:{port}", "--yes",
                "--out", out, "--keep-contact").finish()
    a.finish()
    tap.check(contact(a)["kept"] and contact(b)["kept"], "not kept")
    tap.check(is_verified(alice, bob.username), "not verified")


@tap.case
def a_contact_is_kept_with_one_receiver(w):
    alice = w.alice
    got = alice.run("send-file", "--keep-contact", "--receivers", "2", w.path)
    tap.equal(got.code, 2, "exit")


@tap.case
def ones_own_account_is_no_contact(w):
    alice = w.alice
    a, b = exchange(w, alice, alice, ("--keep-contact", "--yes"), ("--keep-contact",))
    tap.equal(contact(a)["reason"], "that is your own account.", "why")


@tap.case
def a_server_that_gives_out_another_key_is_found(w):
    """Its table has another key for bob: loud at once, and nothing can be sent to it."""
    with Server() as server, Machine(server) as near, Machine(server) as far:
        alice, bob = near.register("alice"), far.register("bob")
        server.stop()
        (path,) = glob.glob(os.path.join(server.data, "**", "*.db"), recursive=True)
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            (key,) = db.execute("SELECT public_key FROM users WHERE username = 'bob'").fetchone()
            db.execute("UPDATE users SET public_key = ? WHERE username = 'bob'", (key[::-1],))
        server.start()
        out = w.out()
        a = Running(alice, "send-file", "--keep-contact", "--yes", w.path)
        b = Running(bob, "receive", a.code, "--yes", "--out", out, "--keep-contact")
        b.end()  # whose session the server spoils, too
        a.finish(1)
        tap.check(w.arrived(out), "the file has not arrived")
        tap.check("another key" in a.err, f"not loud: {a.err}")
        tap.equal(a.of("contact"), [], "kept")
        tap.equal(alice.run("send", "bob", "secret").code, 1, "sent")


# --- linking ---

def link(person, *more):
    """tacit link by a script; the password is in its file, the TOTP code on standard input."""
    return Running(person, "link", *more, text=person.factor() + "\n")


@tap.case
def a_new_device_is_linked(w):
    alice, bob = w.alice, w.bob
    with Machine(w.server) as laptop:
        before = w.devices()
        alice.must("send", bob.username, "before")
        bob.inbox()
        with w.near.terminal("--profile", alice.profile, "--server", w.server.url, "link") as a:
            a.expect("Password: ")
            a.line(PASSWORD)
            a.expect("TOTP or recovery code: ")
            a.line(alice.factor())
            code = a.expect(r"Code: (\S+)")[1]
            a.expect(f"On the new device: tacit --server {w.server.url} login --code {code}")
            with laptop.terminal("--server", w.server.url, "login", "--code", code) as b:
                b.expect("The code is right. Now say yes on the other device.")
                a.expect(rf'Link "[^"]+" to your account {alice.username}\? It will read')
                a.line("y")
                b.expect(f"You are {alice.username}.")
                b.expect("This is a new device")
                b.end(0)
            a.expect("Linked: ")
            a.end(0)
        tap.equal(w.devices(), before + 1, "devices")
        new = alice.elsewhere(laptop, profile="default")
        bob.must("send", alice.username, "to both")
        tap.check((bob.username, "to both") in new.inbox(), "the new device reads")
        alice.inbox()
        tap.check("to both" in alice.history(bob.username), "and the old one")
        new.must("send", bob.username, "from the laptop")
        tap.equal(bob.inbox(), [(alice.username, "from the laptop")], "bob's inbox")
        # The password that nobody has typed there opens it.
        new.must("lock")
        new.must("users", "bob")
        tap.check(PASSWORD not in b.text, "a password was shown")


@tap.case
def scripts_link_a_device(w):
    alice = w.alice
    with Machine(w.server) as laptop:
        new, before = alice.elsewhere(laptop), w.devices()
        a = link(alice, "--yes")
        b = Running(new, "login", "--code", "-", text=a.code + "\n").finish()
        a.finish()
        tap.equal(b.of("logged_in"), [{"type": "logged_in", "username": alice.username,
                                       "new_device": True}], "the new device's")
        tap.equal([o["type"] for o in a.lines], ["code", "asked", "linked"], "the old device's")
        tap.equal(w.devices(), before + 1, "devices")


@tap.case
def a_wrong_code_costs_the_code(w):
    alice = w.alice
    with Machine(w.server) as laptop:
        new, before = alice.elsewhere(laptop), w.devices()
        a = link(alice, "--yes")
        code = a.code
        b = Running(new, "login", "--code", wrong(code)).finish(1)
        tap.check("The code was wrong; it is used up." in b.err, b.err)
        a.finish(1)
        tap.check("used up" in a.err, a.err)
        b = Running(new, "login", "--code", code).finish(1)
        tap.check("Nobody is waiting" in b.err, b.err)
        tap.equal(w.devices(), before, "devices")
        tap.equal(new.run("whoami").code, 1, "an account came")


@tap.case
def who_says_no_links_nothing(w):
    alice = w.alice
    with Machine(w.server) as laptop:
        new, before = alice.elsewhere(laptop), w.devices()
        with alice.terminal("link") as a:
            a.expect("TOTP or recovery code: ")
            a.line(alice.factor())
            code = a.expect(r"Code: (\S+)")[1]
            b = Running(new, "login", "--code", code)
            a.expect(r"\[y/N\] ")
            a.line("")
            a.expect("Not linked.")
            a.end(1)
        b.finish(1)
        tap.check("has not linked" in b.err, b.err)
        tap.equal(w.devices(), before, "devices")
        tap.equal(new.run("whoami").code, 1, "an account came")


@tap.case
def the_code_of_a_link_is_for_nothing_else(w):
    alice, bob = w.alice, w.bob
    with Machine(w.server) as laptop:
        new = alice.elsewhere(laptop)
        a = link(alice, "--yes")
        out = w.out()
        b = Running(bob, "receive", a.code, "--yes", "--out", out).finish(1)
        a.finish(1)
        tap.check("tacit link" in b.err, b.err)
        tap.equal(os.listdir(out), [], "something came")
        a = Running(bob, "send-file", w.path)
        b = Running(new, "login", "--code", a.code).finish(1)
        a.finish(1)
        tap.check("it is for files" in b.err, b.err)
        tap.equal(new.run("whoami").code, 1, "an account came")


@tap.case
def a_wrong_password_makes_no_code(w):
    alice = w.alice
    with alice.machine.terminal("--profile", alice.profile, "--server", w.server.url, "link") as t:
        t.expect("Password: ")
        t.line("wrong horse 7!")
        t.expect("(?i)password")
        t.end(1)
        tap.check("Code: " not in t.text, "a code was made")
    got = alice.run("--json", "link", "--yes", text="000000\n")
    tap.equal((got.code, got.of("code")), (1, []), "a wrong TOTP code")
    got = alice.run("link", text=alice.factor() + "\n")
    tap.equal(got.code, 2, "nobody to ask")


@tap.case
def a_profile_with_an_account_is_not_linked(w):
    alice, bob = w.alice, w.bob
    got = bob.run("login", "--code", "7-amber-falcon")
    tap.equal(got.code, 1, "exit")
    tap.check("has an account already" in got.err, got.err)
    with Machine(w.server) as laptop:
        new = alice.elsewhere(laptop)
        got = new.run("login", "--code", "7-amber-nonsense")
        tap.check(got.code == 1 and "a word that no code has" in got.err, f"{got!r}")


@tap.case
def the_server_has_written_no_code(w):
    log = w.server.log()
    for word in ("falcon", "amber", PASSWORD, "tacit link"):
        tap.check(word not in log, f"{word!r} is in the log")


if __name__ == "__main__":
    tap.main(world)
