"""A cable is pulled in the midst of transfers: through the relay, with both ends cut off from it or the sender
alone, and directly by address. They go on by themselves, and only what was missing moves again.

TACIT_PARTITION sets for how many seconds it is out (make soak: 30). From 30 on it stays out until all have noticed.
"""
import contextlib
import glob
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import apart, server as server_module, tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer import MIB, Running, digest, part_bytes, wait_for  # noqa: E402

SIZE = 48 * MIB
SECONDS = float(os.environ.get("TACIT_PARTITION", "3"))
UNTIL_NOTICED = SECONDS >= 30
PATIENCE = 180
NEAR, FAR = "127.0.0.2", "127.0.0.1"
IMPOSSIBLE = apart.enter()  # starts this program anew, if it is not


class Transfer:
    """A sender here and a receiver; caught when a part has come, and the receiver stopped."""

    def __init__(self, w, name, side, give, take):
        self.name, self.path = name, os.path.join(w.near.work, f"{name}.bin")
        for times in (1, 2, 4, 8):  # one that was faster than we goes its way, and a larger one follows
            self.size, self.out = times * SIZE, os.path.join(w.far.folder, f"{name}{times}")
            if self.is_caught(w, side, give, take):
                return
            self.go_on()
            self.finish()
        raise AssertionError(f"{name} was caught too late each time")

    def is_caught(self, w, side, give, take):
        os.mkdir(self.out)
        with open(self.path, "wb") as f:
            f.write(os.urandom(self.size))
        self.sender = Running(w.near, *give, self.path)
        where = ["--direct", f"{NEAR}:{self.sender.port}"] if "--listen" in give else []
        self.receiver = Running(w.far, *take, self.sender.code, "--yes", "--out", self.out, *where, wrapper=side)
        wait_for(lambda: part_bytes(self.out) > SIZE // 16 or os.listdir(self.out) == [f"{self.name}.bin"],
                 f"a part of {self.name}", PATIENCE)
        self.receiver.process.send_signal(signal.SIGSTOP)
        self.had = part_bytes(self.out)
        return 0 < self.had < self.size - 16 * MIB  # so much may have come, and wait to be read

    def go_on(self):
        self.receiver.process.send_signal(signal.SIGCONT)

    def finish(self):
        self.receiver.finish(seconds=PATIENCE)
        self.sender.finish(seconds=PATIENCE)
        tap.equal(digest(os.path.join(self.out, f"{self.name}.bin")), digest(self.path), f"{self.name}: content")
        tap.equal(glob.glob(os.path.join(self.out, ".*")), [], f"{self.name}: nothing else is left")


class World:
    def __init__(self, wire, server, near, far):
        self.wire, self.server, self.near, self.far = wire, server, near, far

    def transfers(self):
        relay = ["--server", self.server.url]
        give, take = [*relay, "send-file", "--relay-only"], [*relay, "receive", "--relay-only"]
        return {"both": Transfer(self, "both", [], give, take),
                "sender": Transfer(self, "sender", self.wire.far, give, take),
                "direct": Transfer(self, "direct", self.wire.far, ["send-file", "--listen", f"{NEAR}:0"],
                                   ["receive"])}


@contextlib.contextmanager
def world():
    if IMPOSSIBLE:
        yield None
        return
    server_module.free_port = lambda: apart.PORT
    with apart.Wire() as wire, Server(wrapper=wire.far) as server, Machine(server) as near, Machine(server) as far:
        yield World(wire, server, near, far)


def notices(end):
    while end.next("state")["state"] not in ("lost", "away"):
        continue


def moved():
    """Bytes over the wire, both ways."""
    with open("/proc/net/dev", encoding="ascii") as devices:
        fields = next(line.split(":")[1].split() for line in devices if line.strip().startswith("near:"))
    return int(fields[0]) + int(fields[8])


@tap.case
def a_pulled_cable_costs_time_alone(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    all_of_them = w.transfers()
    w.wire.cut()
    for one in all_of_them.values():
        one.go_on()
    if UNTIL_NOTICED:
        for one in all_of_them.values():
            notices(one.sender)
            notices(one.receiver)  # the one of "sender" sits beside the relay: it is told
    else:
        time.sleep(SECONDS)
    before = moved()
    w.wire.mend()
    for one in all_of_them.values():
        one.finish()
    if not UNTIL_NOTICED:
        return
    missing = 0
    for name, one in all_of_them.items():
        tap.check(one.receiver.resumed_from >= one.had, f"{name}: {one.had} were there, and it went on at {one.receiver.resumed_from}")
        missing += (one.size - one.receiver.resumed_from) * (2 if name == "both" else 1)  # up to the relay and down again
    moved_since = moved() - before
    tap.check(moved_since < missing * 1.1 + 2 * MIB, f"{moved_since} bytes for {missing} that were missing")
    print(f"# {moved_since} bytes moved for {missing} that were missing", flush=True)


if __name__ == "__main__":
    tap.main(world)
