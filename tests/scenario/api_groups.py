"""What an MLS group needs of the server, which sees opaque bytes: key packages, commits, Welcomes."""
import base64
import concurrent.futures
import contextlib
import os
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64, device  # noqa: E402
from support.server import Server  # noqa: E402


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob, self.eve = (Person(server).register() for _ in range(3))


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


def new_device(person):
    device_id = os.urandom(16)
    person.must(person.post("/api/devices", {"device": b64(device(person.key, device_id))}))
    return device_id.hex()


def stock(person, name, count, last_resort=None):
    packages = [os.urandom(40) for _ in range(count)]
    body = {"key_packages": [b64(p) for p in packages]}
    if last_resort:
        body["last_resort"] = b64(last_resort)
    return packages, person.put(f"/api/devices/{name}/key-packages", body)


def claim(person, conversation, *devices):
    got = person.must(person.post(f"/api/conversations/{conversation}/key-packages/claim",
                                  {"devices": list(devices)}))
    return [(p["device"], base64.b64decode(p["key_package"])) for p in got["key_packages"]]


def commit(person, conversation, epoch, content=b"commit", client_id=None, **more):
    body = {"epoch": epoch, "content": b64(content), "group_info": b64(b"info %d" % (epoch + 1)),
            "client_id": client_id or str(uuid.uuid4()), **more}
    return person.post(f"/api/conversations/{conversation}/commits", body)


def group(person, conversation):
    return person.must(person.get(f"/api/conversations/{conversation}/group"))


def counter(w, name):
    text = w.alice.get("/metrics", auth=None).body.decode()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(name + " ")))


@tap.case
def what_clients_could_not_read_is_counted(w):
    names = ("tacit_undecryptable_total", "tacit_missing_total")
    before = [counter(w, name) for name in names]
    w.alice.must(w.alice.post("/api/telemetry", {"undecryptable": 3, "missing": 1}))
    w.bob.must(w.bob.post("/api/telemetry", {"undecryptable": 100}))
    for wrong in ({"undecryptable": 101}, {"undecryptable": -1}, {"missing": 2**53}, {"missing": 1.5}):
        tap.one_of(w.eve.post("/api/telemetry", {"undecryptable": 1, "missing": 1, **wrong}).status,
                   (400, 422), f"{wrong}")
    tap.equal(w.eve.post("/api/telemetry", {"undecryptable": 1}, auth=None).status, 401, "by nobody")
    tap.equal([counter(w, name) for name in names], [before[0] + 103, before[1] + 1], "counted")


@tap.case
def commits_and_their_conflicts_are_counted(w):
    names = ("tacit_group_commits_total", "tacit_group_commits_conflict_total")
    room, before = w.alice.conversation("group", w.bob), [counter(w, name) for name in names]
    again = str(uuid.uuid4())
    tap.equal(commit(w.alice, room, 0, client_id=again).status, 201, "first")
    tap.equal(commit(w.alice, room, 0, client_id=again).status, 200, "the same again")
    tap.equal(commit(w.bob, room, 0).status, 409, "too late")
    tap.equal([counter(w, name) - b for name, b in zip(names, before)], [1, 1], "counted")


@tap.case
def key_packages_are_handed_out_once(w):
    name, room = new_device(w.bob), w.alice.conversation("group", w.bob)
    packages, got = stock(w.bob, name, 3, last_resort=b"the last one")
    tap.equal((got.status, got.json), (200, {"available": 3, "last_resort": True}), "stored")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: claim(w.alice, room, name), range(6)))
    given = [package for one in taken for _, package in one]
    tap.equal(sorted(p for p in given if p != b"the last one"), sorted(packages), "each once")
    tap.equal(given.count(b"the last one"), 3, "then the last resort")
    tap.equal(w.bob.must(w.bob.get(f"/api/devices/{name}/key-packages")),
              {"available": 0, "last_resort": True}, "what is left")


@tap.case
def key_packages_lapse(w):
    name, room = new_device(w.bob), w.alice.conversation("group", w.bob)
    now = int(time.time())

    def put(packages, not_after, **more):
        return w.bob.put(f"/api/devices/{name}/key-packages",
                         {"key_packages": [b64(p) for p in packages], "not_after": not_after, **more})
    tap.equal(put([b"over"], now - 10, last_resort=b64(b"over, too")).json,
              {"available": 0, "last_resort": False}, "over when it comes")
    tap.equal(put([b"good"], now + 3600, last_resort=b64(b"last")).json,
              {"available": 1, "last_resort": True}, "good for an hour")
    tap.equal([p for _ in range(3) for _, p in claim(w.alice, room, name)], [b"good", b"last", b"last"], "no other")
    for wrong in (0, -1, 1.5, "1", 2**60):
        tap.one_of(put([b"x"], wrong).status, (400, 422), f"not_after {wrong!r}")


@tap.case
def key_packages_are_for_those_of_one_conversation(w):
    name, eves = new_device(w.bob), new_device(w.eve)
    room = w.alice.conversation("group", w.bob)
    stock(w.bob, name, 2), stock(w.eve, eves, 2)
    tap.equal(claim(w.alice, room, eves, os.urandom(16).hex()), [], "nobody there")
    tap.equal([d for d, _ in claim(w.alice, room, name, eves)], [name], "the member's")
    got = w.eve.post(f"/api/conversations/{room}/key-packages/claim", {"devices": [name]})
    tap.equal(got.status, 404, "an outsider learns nothing")
    tap.equal(w.alice.get(f"/api/devices/{name}/key-packages").status, 404, "another's stock")
    tap.equal(stock(w.alice, name, 1)[1].status, 404, "into another's stock")


@tap.case
def a_stock_is_bounded(w):
    bob = w.bob.another_session()  # it ends with its device
    name = new_device(bob)
    for body in ({}, {"key_packages": "x"}, {"key_packages": [7]}, {"key_packages": ["!"]},
                 {"key_packages": [""]}, {"key_packages": [b64(b"x" * (16 * 1024 + 1))]},
                 {"key_packages": [b64(b"x")] * 101}):
        got = bob.put(f"/api/devices/{name}/key-packages", body)
        tap.equal((got.status, got.code), (422, "INVALID_VALUE"), f"{str(body)[:40]}")
    tap.equal(stock(bob, name, 100)[1].status, 200, "a full stock")
    got = stock(bob, name, 1)[1]
    tap.equal((got.status, got.code), (422, "TOO_MANY"), "one more")
    w.bob.must(w.bob.delete(f"/api/devices/{name}"))
    tap.equal(w.bob.get(f"/api/devices/{name}/key-packages").status, 404, "gone with its device")


@tap.case
def the_first_commit_of_an_epoch_wins(w):
    room = w.alice.conversation("group", w.bob)
    tap.equal(group(w.bob, room), {"epoch": 0}, "no group yet")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda i: commit((w.alice, w.bob)[i % 2], room, 0, b"commit %d" % i),
                            range(6)))
    tap.equal(sorted(a.status for a in got), [201, 409, 409, 409, 409, 409], "one wins")
    winner = next(a for a in got if a.status == 201)
    tap.equal(winner.json["epoch"], 1, "the epoch that it begins")
    for loser in (a for a in got if a.status == 409):
        tap.equal(loser.code, "EPOCH_PASSED", "why")
        tap.equal([(c["id"], c["epoch"]) for c in loser.json["commits"]], [(winner.json["id"], 0)],
                  "what the others missed")
    tap.equal(group(w.bob, room), {"epoch": 1, "message_id": winner.json["id"],
                                   "group_info": b64(b"info 1")}, "the group")
    tap.equal(commit(w.bob, room, 5).status, 409, "an epoch that is not there yet")
    tap.equal(commit(w.eve, room, 1).status, 404, "an outsider")
    tap.equal(w.eve.get(f"/api/conversations/{room}/group").status, 404, "its group")


@tap.case
def commits_stand_in_the_order_of_messages(w):
    room = w.alice.conversation("group", w.bob)
    w.alice.send(room, b"first")
    again = str(uuid.uuid4())
    first = commit(w.alice, room, 0, b"c0", client_id=again)
    w.alice.send(room, b"second")
    lost = commit(w.alice, room, 0, b"c0", client_id=again)
    tap.equal((first.status, lost.status), (201, 200), "a retry")
    tap.equal((lost.json["id"], lost.json["epoch"]), (first.json["id"], 1), "the same commit")
    tap.equal(commit(w.bob, room, 1, b"c1").status, 201, "the next one")
    page = w.bob.must(w.bob.get(f"/api/conversations/{room}/messages"))["messages"]
    tap.equal([(base64.b64decode(m["content"]), m.get("epoch")) for m in page],
              [(b"first", None), (b"c0", 0), (b"second", None), (b"c1", 1)], "in order")
    seen = w.bob.must(w.bob.get(f"/api/conversations/{room}"))
    tap.equal(seen["unread"], 2, "nobody reads commits")


@tap.case
def welcomes_wait_for_their_devices(w):
    room = w.alice.conversation("group", w.bob)
    phone, tablet, eves = new_device(w.bob), new_device(w.bob), new_device(w.eve)
    got = commit(w.alice, room, 0, welcome=b64(b"welcome"), welcome_devices=[phone, tablet, eves])
    tap.equal(got.status, 201, "committed")
    for name in (phone, tablet):
        waiting = w.bob.must(w.bob.get(f"/api/devices/{name}/welcomes"))["welcomes"]
        tap.equal([(x["conversation_id"], x["epoch"], x["message_id"], base64.b64decode(x["welcome"]))
                   for x in waiting], [(room, 1, got.json["id"], b"welcome")], "waits")
    tap.equal(w.eve.must(w.eve.get(f"/api/devices/{eves}/welcomes")), {"welcomes": []}, "not for eve")
    tap.equal(w.eve.get(f"/api/devices/{phone}/welcomes").status, 404, "another's")
    one = waiting[0]["id"]
    tap.equal(w.eve.delete(f"/api/devices/{phone}/welcomes/{one}").status, 404, "another's to delete")
    w.bob.must(w.bob.delete(f"/api/devices/{phone}/welcomes/{one}"))
    tap.equal(w.bob.delete(f"/api/devices/{phone}/welcomes/{one}").status, 404, "once")
    tap.equal(len(w.bob.must(w.bob.get(f"/api/devices/{tablet}/welcomes"))["welcomes"]), 1, "apart")
    w.bob.must(w.bob.delete(f"/api/conversations/{room}/participants"))
    tap.equal(w.bob.must(w.bob.get(f"/api/devices/{tablet}/welcomes")), {"welcomes": []}, "left")


@tap.case
def a_commit_is_checked(w):
    room = w.alice.conversation("group", w.bob)
    good = {"epoch": 0, "content": b64(b"c"), "group_info": b64(b"i"), "client_id": "c"}
    for change in ({"epoch": -1}, {"epoch": "0"}, {"epoch": None}, {"content": "?"}, {"content": None},
                   {"group_info": 7}, {"client_id": "x" * 65}, {"client_id": None},
                   {"welcome": b64(b"w")}, {"welcome": b64(b"w"), "welcome_devices": []},
                   {"welcome": b64(b"w"), "welcome_devices": ["zz"]}):
        body = {k: v for k, v in {**good, **change}.items() if v is not None}
        got = w.alice.post(f"/api/conversations/{room}/commits", body)
        tap.check(got.status in (400, 422), f"{change}: {got.status}")
    tap.equal(group(w.alice, room), {"epoch": 0}, "nothing was kept")


tap.main(world)
