"""People who talk and listen without a pause while the server, or the way to it, goes and comes back.

Talkers say each message under the same client_id until it is acknowledged; hearers resume where they were.
At the end `check_room` holds what was acknowledged, stored and heard against each other.
"""
import json
import threading
import time
import uuid

from support import tap
from support.client import b64
from support.link import LOST, Link
from support.live import Ended, Live, Refused

AWAY = (OSError, Ended, Refused, ValueError)  # ValueError: half a packet, then the end
PAUSE_SECONDS = 0.003
WINDOW = 4
SETTLE_SECONDS = 120


def refused_for_now(ack):
    return ack.get("code") in ("UNAVAILABLE", "RATE_LIMITED")


def answer_to(live, number):
    """Who waits in vain for long takes the connection for dead, and comes again on another."""
    try:
        return live.finish(number)
    except AssertionError as nothing:
        raise Ended(str(nothing)) from nothing


class Chatter(threading.Thread):
    def __init__(self, person, room, name):
        super().__init__(name=name, daemon=True)
        self.person, self.room = person, room
        self.over = threading.Event()
        self.wrong = []
        self.connections = 0

    def run(self):
        while not self.over.is_set():
            try:
                self.connections += 1
                self.be_connected()
            except AWAY + LOST:
                time.sleep(0.02)
            except Exception as error:  # told by the main thread
                self.wrong.append(repr(error))
                return

    def finish(self):
        self.over.set()
        self.join(SETTLE_SECONDS)
        tap.check(not self.is_alive(), f"{self.name} ends")
        tap.equal(self.wrong[:2], [], f"{self.name}: {len(self.wrong)} wrong things")


class Talker(Chatter):
    """Over a socket, a few under way at a time. said[n] is the id that answered message n."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.said, self.waiting = {}, []  # waiting: (number, client_id), in order
        self.count = 0

    def text(self, number):
        return f"{self.name}:{number}"

    def be_connected(self):
        with Live(self.person) as live:
            under_way = [self.begin(live, *one) for one in self.waiting]
            while not self.over.is_set():
                while len(under_way) < WINDOW:
                    self.waiting.append((self.count, str(uuid.uuid4())))
                    self.count += 1
                    under_way.append(self.begin(live, *self.waiting[-1]))
                self.acknowledged(answer_to(live, under_way.pop(0)))
                time.sleep(PAUSE_SECONDS)

    def begin(self, live, number, client_id):
        return live.begin("send_message", room_id=self.room, encrypted_content=self.text(number),
                          client_id=client_id)

    def acknowledged(self, ack):
        if refused_for_now(ack):
            raise Ended("busy")
        if "id" not in ack:
            raise AssertionError(f"an acknowledgement: {ack!r}")
        number, client_id = self.waiting.pop(0)
        if ack.get("client_id") not in (None, client_id):
            raise AssertionError(f"not the acknowledgement of {client_id}: {ack!r}")
        self.said[number] = ack["id"]


class Poster(Talker):
    """Over HTTP, one at a time."""

    def be_connected(self):
        link = Link(self.person.server, self.person.token)
        while not self.over.is_set():
            if not self.waiting:
                self.waiting.append((self.count, str(uuid.uuid4())))
                self.count += 1
            number, client_id = self.waiting[0]
            status, _, body = link.call("POST", f"/api/rooms/{self.room}/messages",
                                        {"content": b64(self.text(number).encode()),
                                         "client_id": client_id})
            if status in (200, 201):
                self.acknowledged(json.loads(body))
            elif status not in (429, 503):
                raise AssertionError(f"a post: {status} {body[:200]!r}")
            time.sleep(PAUSE_SECONDS)


class Hearer(Chatter):
    """Everything of the room, once and in order, over all its connections."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.heard = []
        self.resumed = 0  # messages that came by history

    def take(self, message):
        if self.heard and message["id"] <= self.heard[-1]:
            raise AssertionError(f"{message['id']} behind {self.heard[-1]}")
        self.heard.append(message["id"])

    def be_connected(self):
        with Live(self.person) as live:
            while not self.over.is_set():
                self.follow(live, self.catch_up(live))

    def catch_up(self, live):
        """Fetches what was missed; gives the place in live.events behind the history."""
        while True:
            before = live.count()
            number = live.begin("join_room", room_id=self.room, limit=200,
                                after=self.heard[-1] if self.heard else 0)
            ack = answer_to(live, number)
            if refused_for_now(ack):
                raise Ended("busy")
            with live.changed:
                at = next(i for i in range(before, len(live.events)) if live.events[i][0] == "room_history")
                page = live.events[at][1]
            for message in page["messages"]:
                self.take(message)
            self.resumed += len(page["messages"])
            if page["joined"]:
                return at + 1

    def follow(self, live, at):
        """From there on, until it falls behind (then it joins again) or the connection ends."""
        while not self.over.is_set():
            with live.changed:
                if at == len(live.events) and live.ended is None:
                    live.changed.wait(0.2)
                news, ended = live.events[at:], live.ended
            for name, body in news:
                at += 1
                if name == "new_message":
                    self.take(body)
                elif name == "error" and body["code"] == "FELL_BEHIND":
                    return
            if ended is not None:
                raise Ended(ended)


def stored(person, room):
    """The room's messages as HTTP gives them, oldest first."""
    found, after = [], 0
    while True:
        page = person.must(person.get(f"/api/rooms/{room}/messages?after={after}&limit=200"))
        found += page["messages"]
        if not page["has_more"]:
            return found
        after = found[-1]["id"]


def text_of(message):
    """What a talker said, whichever way it went."""
    return message.get("encrypted_content") if message.get("encrypted_content") else message["content"]


def check_room(person, room, talkers, hearers, others=0):
    """Ends all; what was acknowledged is there, once and in order, and all have heard all of it. others: so
    many messages were said by somebody else."""
    for talker in talkers:
        talker.finish()
    found = stored(person, room)
    ids = [m["id"] for m in found]
    tap.equal(ids, sorted(set(ids)), "ids ascend")
    keys = [(m["user_id"], m["client_id"]) for m in found]
    tap.equal(len(keys), len(set(keys)), "no message is there twice")
    where = {m["id"]: text_of(m) for m in found}
    acknowledged = 0
    for talker in talkers:
        said = [talker.said[n] for n in sorted(talker.said)]
        acknowledged += len(said)
        lost = [n for n, i in talker.said.items()
                if where.get(i) not in (talker.text(n), b64(talker.text(n).encode()))]
        tap.equal(lost[:5], [], f"{talker.name}: {len(lost)} of {len(said)} acknowledged are not there")
        tap.equal(said, sorted(said), f"{talker.name}: in order")
    under_way = sum(len(t.waiting) for t in talkers)
    tap.check(acknowledged <= len(found) - others <= acknowledged + under_way,
              f"{len(found)} stored, {acknowledged} acknowledged, {under_way} without an answer")
    until = time.monotonic() + SETTLE_SECONDS
    while any(h.is_alive() and h.heard[-1:] != ids[-1:] for h in hearers) and time.monotonic() < until:
        time.sleep(0.05)
    for hearer in hearers:
        hearer.finish()
        tap.check(hearer.heard == ids, f"{hearer.name}: heard {len(hearer.heard)} of {len(ids)}; missing "
                  f"{sorted(set(ids) - set(hearer.heard))[:5]}, too much {sorted(set(hearer.heard) - set(ids))[:5]}")
    print(f"# {len(found)} messages, {acknowledged} acknowledged; heard by history: "
          f"{[h.resumed for h in hearers]}, connections: {[c.connections for c in talkers + hearers]}")
    return len(found)
