"""SIGKILL at random moments while people talk live; they come back by themselves, and all screens are equal.

TACIT_SEED repeats a run's moments, TACIT_LIVE_CRASHES sets how many there are (make soak: 100).
"""
import contextlib
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.chatter import Hearer, Poster, Talker, check_room  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.client import Person  # noqa: E402
from support.screen_of_events import Screen  # noqa: E402
from support.seed import seed  # noqa: E402
from support.server import Server  # noqa: E402

CRASHES = int(os.environ.get("TACIT_LIVE_CRASHES", "5"))
SEED = seed()
PATIENCE = 120


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.people = [Person(server).register() for _ in range(3)]
        self.room = self.people[0].conversation("room", *self.people[1:])
        kinds = ((Talker, "talker"), (Talker, "talker"), (Poster, "poster"), (Poster, "poster"))
        self.talkers = [kind(self.people[n % 3], self.room, f"{name}{n}")
                        for n, (kind, name) in enumerate(kinds)]
        self.hearers = [Hearer(self.people[n], self.room, f"hearer{n}") for n in range(2)]
        self.alice, self.bob = machine.register("alice"), machine.register("bob")


@contextlib.contextmanager
def world():
    print(f"# TACIT_SEED={SEED}", flush=True)
    with Server() as server, Machine(server) as machine:
        yield World(server, machine)


def crash(w, dice):
    w.server.kill()
    if dice.random() < 0.2:  # once more, while it starts
        w.server.start(wait=False)
        time.sleep(dice.uniform(0, 0.05))
        w.server.kill()
    time.sleep(dice.uniform(0, 0.3))
    w.server.start()


def until_more_is_said(w):
    """A crash has something to interrupt: all who talk have been answered since the last."""
    before = [len(t.said) for t in w.talkers]
    until = time.monotonic() + PATIENCE
    while any(len(t.said) <= b for t, b in zip(w.talkers, before)) and time.monotonic() < until:
        time.sleep(0.01)
    for t, b in zip(w.talkers, before):
        tap.check(len(t.said) > b, f"{t.name} goes on after a crash: {t.wrong[:1]}")


@tap.case
def it_is_killed_again_and_again_while_people_talk(w):
    dice = random.Random(SEED)
    texts = []
    with Screen(w.alice) as alice, Screen(w.bob) as bob:
        w.alice.must("send", "bob", "before")
        for chatter in w.talkers + w.hearers:
            chatter.start()
        for number in range(CRASHES):
            until_more_is_said(w)
            who, whom = ((w.alice, "bob"), (w.bob, "alice"))[number % 2]
            texts.append(f"storm {number}")
            sender = threading.Thread(target=who.run, args=("send", whom, texts[-1]))
            sender.start()
            time.sleep(dice.uniform(0.02, 0.4))
            crash(w, dice)
            sender.join()
        until_more_is_said(w)
        check_room(w.people[0], w.room, w.talkers, w.hearers)
        screens_are_equal(w, [alice, bob], texts)


def screens_are_equal(w, screens, texts):
    """Of the real client: what did not go out at once has gone out since, and is shown once."""
    for person in (w.alice, w.bob):
        person.must("inbox", "--peek")  # brings what was kept
    for n, text in enumerate(texts):
        screens[(n + 1) % 2].wait(lambda s=screens[(n + 1) % 2], t=text: t in s.shown, text)
    for name, screen in zip(("alice", "bob"), screens):
        tap.equal(screen.alarms, [], f"{name}: nothing is alarming")
        shown = [t for t in screen.shown if t in texts]
        tap.equal(len(shown), len(set(shown)), f"{name}: nothing is shown twice")
    all_of_it = ("--number", "1000")
    ours, theirs = w.alice.history("bob", *all_of_it), w.bob.history("alice", *all_of_it)
    tap.equal(ours, theirs, "one history")
    tap.equal(sorted(ours), sorted(["before", *texts]), "nothing is lost")


tap.main(world)
