"""Several windows of one browser: one engine, whichever window it lives in."""
import contextlib
import hashlib
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import Member, button  # noqa: E402
from support.browser import Browser  # noqa: E402
from support.server import Server  # noqa: E402

MIB = 1024 * 1024


class World:
    def __init__(self, server, browser, folder):
        self.folder = folder
        self.alice = Member(browser, server.url, "alice").register()
        self.bob = Member(browser, server.url, "bob").register()
        self.alice.begin("Direct chat", "bob")
        self.alice.say("from the first window")
        self.bob.page.see(".row:has-text('alice')")
        self.bob.talk("alice")
        self.second = self.window("alice-2")

    def window(self, name):
        member = object.__new__(Member)
        member.__dict__.update(self.alice.__dict__, page=self.alice.page.another(name))
        member.page.open(member.url)
        member.page.see(".sidebar")
        return member

    def file(self, name, size):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(os.urandom(size))
        return path


@contextlib.contextmanager
def world():
    with Server() as server, Browser() as browser, tempfile.TemporaryDirectory() as folder:
        yield World(server, browser, folder)


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


@tap.case
def the_second_window_is_in_at_once(w):
    w.second.talk("bob")
    w.second.page.see("article.own:has-text('from the first window')")


@tap.case
def what_one_window_sends_the_other_shows(w):
    w.second.say("from the second window")
    w.second.said("from the second window")
    w.bob.hears("from the second window")
    w.alice.said("from the second window")


@tap.case
def what_comes_both_show(w):
    w.bob.say("to both windows")
    w.alice.hears("to both windows")
    w.second.hears("to both windows")


@tap.case
def files_go_through_the_other_window(w):
    path = w.file("large.bin", 12 * MIB)
    w.second.attach(path)
    w.second.page.press("textarea", "Enter")
    w.bob.page.see("article.other:has-text('large.bin')")
    got = os.path.join(w.folder, "large.got")
    w.bob.save("large.bin", got)
    tap.equal(sha256(got), sha256(path), "hash there")
    again = os.path.join(w.folder, "large.again")
    w.second.save("large.bin", again)
    tap.equal(sha256(again), sha256(path), "hash in the second window")


@tap.case
def locked_and_unlocked_in_one_is_so_in_both(w):
    for here, there in ((w.alice, w.second), (w.second, w.alice)):
        here.from_menu("Lock")
        for one in (here, there):
            one.page.see(button("Unlock"))
        here.unlock()
        there.page.see(".sidebar")
    for one in (w.alice, w.second):
        one.talk("bob")
    w.bob.say("to both, once more")
    for one in (w.alice, w.second):
        one.hears("to both, once more")


@tap.case
def the_other_window_goes_on_when_the_first_is_closed(w):
    w.alice.page.close()
    w.second.say("the first one is gone")
    w.second.said("the first one is gone")
    w.bob.hears("the first one is gone")
    w.bob.say("and still heard")
    w.second.hears("and still heard")
    third = w.window("alice-3")
    third.talk("bob")
    third.hears("and still heard")


@tap.case
def no_window_complained(w):
    for member in (w.second, w.bob):
        tap.equal(member.page.complaints(), [], member.page.name)


if __name__ == "__main__":
    tap.main(world)
