"""The network between people and the server is cut and comes back: nothing is lost, nothing is double.

TACIT_PARTITION sets how many seconds it is cut (make soak: 30).
"""
import contextlib
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import apart, server as server_module, tap  # noqa: E402
from support.chatter import Hearer, Poster, Talker, check_room, stored  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.client import Person  # noqa: E402
from support.screen_of_events import Screen  # noqa: E402
from support.server import Server  # noqa: E402

SECONDS = float(os.environ.get("TACIT_PARTITION", "3"))
PATIENCE = 120
IMPOSSIBLE = apart.enter()  # starts this program anew, if it is not
# Beside the server, where nothing is cut: says so many messages, one after another.
BESIDE = """
import json, sys, urllib.request
url, token, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for n in range(count):
    body = json.dumps({"content": "AAAA", "client_id": f"beside-{n}"}).encode()
    urllib.request.urlopen(urllib.request.Request(url, body, {"Authorization": f"Bearer {token}",
                                                              "Content-Type": "application/json"})).read()
"""


class World:
    def __init__(self, wire, server, machine):
        self.wire, self.server, self.machine = wire, server, machine
        self.people = [Person(server).register() for _ in range(3)]
        self.room = self.people[0].conversation("room", *self.people[1:])
        self.talkers = [Talker(self.people[0], self.room, "talker"), Poster(self.people[1], self.room, "poster")]
        self.hearers = [Hearer(self.people[n], self.room, f"hearer{n}") for n in (1, 2)]
        self.alice, self.bob = machine.register("alice"), machine.register("bob")

    def say_beside_the_server(self, count):
        subprocess.run([*self.wire.far, sys.executable, "-c", BESIDE,
                        f"{self.server.url}/api/rooms/{self.room}/messages", self.people[2].token, str(count)],
                       check=True, timeout=PATIENCE)


@contextlib.contextmanager
def world():
    if IMPOSSIBLE:
        yield None
        return
    server_module.free_port = lambda: apart.PORT
    with apart.Wire() as wire, Server(wrapper=wire.far) as server, Machine(server) as machine:
        yield World(wire, server, machine)


def wait_for(ready, what):
    until = time.monotonic() + PATIENCE
    while not ready() and time.monotonic() < until:
        time.sleep(0.02)
    tap.check(ready(), what)


@tap.case
def a_cut_heals_without_loss(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    with Screen(w.alice) as alice, Screen(w.bob) as bob:
        for chatter in w.talkers + w.hearers:
            chatter.start()
        wait_for(lambda: all(len(t.said) > 20 for t in w.talkers), "people talk")
        w.alice.must("send", "bob", "before")
        bob.wait(lambda: "before" in bob.shown, "before")
        w.wire.cut()
        cut_at = time.monotonic()
        sender = threading.Thread(target=w.alice.run, args=("send", "bob", "into the cut"))
        sender.start()
        heard = [len(h.heard) for h in w.hearers]
        w.say_beside_the_server(50)
        time.sleep(max(0, SECONDS - (time.monotonic() - cut_at)))
        tap.check(all(len(h.heard) < n + 50 for h, n in zip(w.hearers, heard)), "it was cut: nobody heard them")
        said = [len(t.said) for t in w.talkers]
        w.wire.mend()
        sender.join()
        wait_for(lambda: all(len(t.said) > n + 20 for t, n in zip(w.talkers, said)), "people talk again")
        w.alice.must("send", "bob", "after")
        for text in ("into the cut", "after"):
            bob.wait(lambda t=text: t in bob.shown, text)
        tap.equal(bob.shown, ["before", "into the cut", "after"], "shown once, in order")
        tap.equal(bob.alarms + alice.alarms, [], "nothing is alarming")
        tap.equal(w.alice.history("bob"), w.bob.history("alice"), "one history")
        check_room(w.people[0], w.room, w.talkers, w.hearers, others=50)
        beside = [m["client_id"] for m in stored(w.people[0], w.room) if m["user_id"] == w.people[2].user["id"]]
        tap.equal(beside, [f"beside-{n}" for n in range(50)], "what was said during the cut")


tap.main(world)
