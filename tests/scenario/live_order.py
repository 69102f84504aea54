"""Order and completeness of live messages: many senders, joining under load, a restarted server."""
import contextlib
import os
import sys
import threading
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person  # noqa: E402
from support.live import Ended, Live  # noqa: E402
from support.server import Server  # noqa: E402

SENDERS, EACH = 6, 40


class World:
    def __init__(self, server):
        self.server = server
        self.people = [Person(server).register() for _ in range(3)]
        self.alice, self.bob, self.carol = self.people


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


def stored(person, room):
    """All ids of the room in the order of the store."""
    ids, after = [], 0
    while True:
        page = person.must(person.get(f"/api/rooms/{room}/messages?after={after}&limit=200"))
        ids += [m["id"] for m in page["messages"]]
        if not page["has_more"]:
            return ids
        after = ids[-1]


def in_threads(*functions):
    """Runs them side by side; what one of them raises is raised here."""
    troubles = []

    def guard(function):
        try:
            function()
        except Exception as trouble:  # it is told below, with the others ended
            troubles.append(trouble)
    threads = [threading.Thread(target=guard, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if troubles:
        raise troubles[0]


def say_much(live, room, count=EACH):
    """With several under way at a time."""
    under_way = []
    for i in range(count):
        under_way.append(live.begin("send_message", room_id=room, encrypted_content=f"m {i}"))
        if len(under_way) == 8:
            assert "error" not in live.finish(under_way.pop(0))
    for number in under_way:
        assert "error" not in live.finish(number)


def post_much(person, room, count=EACH):
    for i in range(count):
        person.send(room, b"p %d" % i)


@tap.case
def all_see_the_order_of_the_store(w):
    room = w.alice.conversation("room", w.bob, w.carol)
    with contextlib.ExitStack() as stack:
        lives = [stack.enter_context(Live(w.people[i % 3])) for i in range(SENDERS)]
        for live in lives:
            live.join(room)
        in_threads(*(lambda l=l: say_much(l, room) for l in lives),
                   lambda: post_much(w.alice, room), lambda: post_much(w.bob, room))
        want = stored(w.alice, room)
        tap.equal(len(want), (SENDERS + 2) * EACH, "all are stored")
        for live in lives:
            got = [m["id"] for m in live.wait_count("new_message", len(want))]
            tap.check(got == want, f"another order or number: {len(got)} for {len(want)}")


@tap.case
def joining_under_load_has_no_gap_and_no_double(w):
    room = w.alice.conversation("room", w.bob)
    done = threading.Event()
    seen = []

    def join_again_and_again():
        while not done.is_set() or len(seen) < 5:
            with Live(w.bob) as live:
                known = [m["id"] for m in live.join(room, limit=20)["messages"]]
                live.wait_count("new_message", 1 if not done.is_set() else 0)
                live.settle()
                seen.append((known, [m["id"] for m in live.all("new_message")]))

    def talk():
        try:
            with Live(w.alice) as live:
                for _ in range(6):
                    say_much(live, room)
                while len(seen) < 5:  # whoever waits for a message gets one
                    say_much(live, room, 1)
        finally:
            done.set()
            with Live(w.alice) as live:
                say_much(live, room, 1)
    in_threads(talk, join_again_and_again)
    want = stored(w.alice, room)
    for known, lived in seen:
        got = known + lived
        start = want.index(got[0]) if got else 0
        tap.check(got == want[start:start + len(got)], f"a gap or a double: {known[-3:]} {lived[:3]}")


@tap.case
def resuming_gives_what_was_missed(w):
    room = w.alice.conversation("room", w.bob)
    got = []
    with Live(w.alice) as alice:
        for _ in range(4):
            with Live(w.bob) as bob:
                page = bob.join(room, after=got[-1] if got else 0)
                while page["more"]:
                    got += [m["id"] for m in page["messages"]]
                    page = bob.join(room, after=got[-1])
                got += [m["id"] for m in page["messages"]]
                say_much(alice, room, 10)
                got += [m["id"] for m in bob.wait_count("new_message", 10)]
            say_much(alice, room, 70)  # nobody is there
        with Live(w.bob) as bob:
            page = bob.join(room, after=got[-1], limit=200)
            got += [m["id"] for m in page["messages"]]
    tap.equal(got, stored(w.alice, room), "nothing is missing, nothing is double")


@tap.case
def senders_race_with_one_client_id(w):
    room = w.alice.conversation("room", w.bob)
    client_id = uuid.uuid4().hex
    answers = []
    with Live(w.bob) as bob, Live(w.alice) as one, Live(w.alice) as two:
        bob.join(room)

        def say(live):
            answers.append(live.send(room, "eA==", client_id=client_id)["id"])

        def post():
            answers.append(w.alice.send(room, b"x", client_id=client_id)["id"])
        in_threads(lambda: say(one), lambda: say(two), post, lambda: say(one))
        tap.equal(len(set(answers)), 1, "one message")
        bob.wait("new_message")
        bob.settle()
        tap.equal([m["id"] for m in bob.all("new_message")], answers[:1], "told once")
    tap.equal(stored(w.alice, room), answers[:1], "stored once")


@tap.case
def a_killed_server_keeps_what_it_acknowledged(w):
    room = w.alice.conversation("room", w.bob)
    acknowledged, told = [], []
    with Live(w.bob) as bob, Live(w.alice) as alice:
        bob.join(room)
        enough = threading.Event()

        def talk():
            try:
                while True:
                    client_id = uuid.uuid4().hex
                    acknowledged.append(
                        (alice.send(room, "eA==", client_id=client_id)["id"], client_id))
                    if len(acknowledged) == 30:
                        enough.set()
            except (Ended, OSError):
                enough.set()
        talker = threading.Thread(target=talk)
        talker.start()
        enough.wait(60)
        w.server.kill()
        talker.join()
        bob.wait_end()
        told += [m["id"] for m in bob.all("new_message")]
    w.server.start()
    ids = stored(w.alice, room)
    tap.check(len(acknowledged) >= 30, "much was said")
    tap.equal([i for i, _ in acknowledged if i not in ids], [], "acknowledged, so stored")
    tap.equal([i for i in told if i not in ids], [], "told, so stored")
    tap.equal(told, ids[:len(told)], "in order, once")
    with Live(w.bob) as bob, Live(w.alice) as alice:
        missed = [m["id"] for m in bob.join(room, after=told[-1], limit=200)["messages"]]
        tap.equal(told + missed, ids, "resumed")
        last, client_id = acknowledged[-1]
        tap.equal(alice.send(room, "eA==", client_id=client_id)["id"], last, "a retry is known")
        fresh = alice.send(room, "eQ==")["id"]
        bob.wait("new_message", lambda m: m["id"] == fresh)
        tap.equal([m["id"] for m in bob.all("new_message")], [fresh], "and on")


@tap.case
def who_names_a_message_to_come_misses_nothing(w):
    """As a client of a server that was restored from a backup does."""
    room = w.alice.conversation("room", w.bob)
    with Live(w.bob) as bob, Live(w.alice) as alice:
        alice.join(room)
        first = alice.send(room, "eA==")["id"]
        page = bob.join(room, after=first + 1000000)
        tap.equal((page["messages"], page["joined"]), ([], True), "nothing is after it")
        second = alice.send(room, "eQ==")["id"]
        bob.wait("new_message", lambda m: m["id"] == second)
        tap.equal([m["id"] for m in bob.all("new_message")], [second], "what is said from now on comes")


tap.main(world)
