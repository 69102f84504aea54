"""Four people at a server, rooms of theirs, and their sockets, for tests of live events.

    room = fresh(w)
    with joined(room, w.alice, w.bob) as (alice, bob):
        alice.must("typing", room_id=room, typing=True)
"""
import contextlib

from support import tap
from support.client import Person, RFC3339
from support.live import Live
from support.server import Server

ERROR = {"error", "code", "timestamp"}
# What is asked about a room, and what belongs to the question.
QUESTIONS = {"join_room": {}, "send_message": {"encrypted_content": "x", "client_id": "same"},
             "typing": {"typing": True}, "read": {"message_id": 1}}


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob, self.carol, self.eve = (Person(server).register() for _ in range(4))
        self.group = self.alice.conversation("group", self.bob)


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


def fresh(w, *others):
    """A room of alice and others (bob, when none is named), without any message."""
    return w.alice.conversation("room", *(others or (w.bob,)))


@contextlib.contextmanager
def sockets(*people):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Live(p)) for p in people]


@contextlib.contextmanager
def joined(room, *people):
    with sockets(*people) as them:
        for one in them:
            one.join(room)
        yield them


def check_error(got, code, what, **members):
    tap.check(ERROR <= set(got), f"{what}: the error object: {got!r}")
    tap.equal(got.get("code"), code, f"{what}: code")
    tap.check(RFC3339.match(got.get("timestamp", "")), f"{what}: timestamp")
    for name, value in members.items():
        tap.equal(got.get(name), value, f"{what}: {name}")
