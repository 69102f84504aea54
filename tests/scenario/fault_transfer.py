"""Transfers of which one party is killed at a random moment: an end, or the relay. The same commands go on, the
file arrives whole, and nothing that was there is sent again. Killed while they greet each other or say good-bye, it
arrives whole, or they say why not.

TACIT_TRANSFER_KILLS sets how many rounds there are (make soak: 100)."""
import contextlib
import glob
import json
import os
import random
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.seed import seed  # noqa: E402
from support.server import SANITIZER, Server  # noqa: E402
from support.transfer import MIB, SECONDS, Running, digest, journals, part_bytes, wait_for  # noqa: E402

SIZE = 8 * MIB
# Greetings, the offer, frames and seals; and a record that was not whole when the connection broke.
GREETINGS = MIB // 4
ROUNDS = int(os.environ.get("TACIT_TRANSFER_KILLS", "3"))
SEED = seed()
VICTIMS = ("sender", "receiver", "relay")


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.random = random.Random(SEED)

    def start(self, url, *words):
        return self.machine.start("--json", "--server", url, *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)


@contextlib.contextmanager
def world():
    print(f"# TACIT_SEED={SEED}", flush=True)
    with Server() as server, Machine(server) as machine:
        yield World(server, machine)


def one_round(w, number):
    victim = VICTIMS[number % len(VICTIMS)]
    moment = w.random.randrange(GREETINGS, SIZE - MIB)
    path = os.path.join(w.machine.work, f"round{number}.bin")
    out = os.path.join(w.machine.folder, f"out{number}")
    os.mkdir(out)
    with open(path, "wb") as f:
        f.write(os.urandom(SIZE))
    gate = Gate(w.server.port)
    gate.hold_after(moment)
    give = ("--server", gate.url, "send-file", "--relay-only", path)
    sender = Running(w.machine, *give)
    take = ("--server", w.server.url, "receive", "--relay-only", sender.code, "--yes", "--out", out)
    receiver = Running(w.machine, *take)
    # The gate has let so much through; some of it is a frame that is not whole.
    wait_for(lambda: gate.budget == 0 and part_bytes(out) >= moment - GREETINGS, "the moment")
    had = part_bytes(out)
    if victim == "sender":
        sender.kill()
        sender = Running(w.machine, *give)
    elif victim == "receiver":
        receiver.kill()
        receiver = Running(w.machine, *take)
    else:
        w.server.kill()
        w.server.start()
    gate.cut()
    gate.open()
    receiver.finish()
    sender.finish()
    what = f"round {number}, the {victim} was killed at {moment}"
    tap.equal(digest(os.path.join(out, f"round{number}.bin")), digest(path), what)
    from_byte = receiver.resumed_from
    tap.check(from_byte >= had, f"{what}: {had} were there, and it went on at {from_byte}")
    tap.check(gate.passed - moment <= SIZE - from_byte + GREETINGS,
              f"{what}: {gate.passed - moment} bytes for {SIZE - from_byte}")
    tap.equal(glob.glob(os.path.join(out, ".*")), [], f"{what}: nothing else is left")
    gate.close()
    os.unlink(path)


@tap.case
def whoever_is_killed_the_file_arrives_whole(w):
    for number in range(ROUNDS):
        one_round(w, number)
    left = journals(w.machine)
    tap.equal(left, [], "nothing is remembered")


# What may become of one that was killed before a code's use was agreed upon, or after the other end had all it wanted:
# the code is used up, or the other one does not come back.
CLEAR = ("GONE", "NETWORK", "NOT_FOUND")


class Watched:
    """A command of which we see when it tells a code."""

    def __init__(self, process):
        self.process, self.lines = process, []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    @property
    def code(self):
        return next((line["code"] for line in self.lines if line["type"] == "code"), None)

    def ended(self):
        return self.process.poll() is not None

    def verdict(self):
        """Its exit status, and the machine's word for what was wrong."""
        wait_for(self.ended, "the end")
        self.thread.join(SECONDS)
        err = self.process.stderr.read()
        if SANITIZER.search(err):
            raise AssertionError(err[-8000:])
        problems = [json.loads(line)["code"] for line in err.splitlines() if line.startswith(b"{")]
        return self.process.returncode, problems[-1] if problems else None


def at_an_edge(w, number):
    """Was it received?"""
    size = 2 * MIB
    victim = VICTIMS[number % len(VICTIMS)]
    early = number // len(VICTIMS) % 2 == 0
    moment = w.random.randrange(800) if early else w.random.randrange(size - MIB // 4, size + 4096)
    path, out = os.path.join(w.machine.work, f"edge{number}.bin"), os.path.join(w.machine.folder, f"edge{number}")
    os.mkdir(out)
    with open(path, "wb") as f:
        f.write(os.urandom(size))
    gate = Gate(w.server.port)
    give = ("send-file", "--relay-only", "--wait", "5s", path)
    sender = Watched(w.start(gate.url, *give))
    wait_for(lambda: sender.code, "the code")
    gate.hold_after(moment)
    take = ("receive", "--relay-only", "--wait", "5s", sender.code, "--yes", "--out", out)
    receiver = Watched(w.start(w.server.url, *take))
    wait_for(lambda: gate.budget == 0 or receiver.ended(), "the moment")
    if victim == "sender":
        sender.process.kill()
        sender.verdict()
        sender = Watched(w.start(gate.url, *give))
    elif victim == "receiver":
        receiver.process.kill()
        receiver.verdict()
        receiver = Watched(w.start(w.server.url, *take))
    else:
        w.server.kill()
        w.server.start()
    gate.cut()
    gate.open()
    what = f"edge {number}, the {victim} was killed at {moment}"
    status, problem = receiver.verdict()
    if victim == "sender":
        wait_for(lambda: sender.ended() or sender.code, "an end, or a new code")
        if sender.code and not sender.ended():
            sender.process.send_signal(signal.SIGINT)  # nobody comes to the new code
    sent, why = sender.verdict()
    there = [name for name in os.listdir(out) if not name.startswith(".")]
    if there:
        tap.equal(digest(os.path.join(out, there[0])), digest(path), f"{what}: what is there is whole")
    tap.check(status == 0 and there or problem in CLEAR, f"{what}: the receiver: {status} {problem} {there}")
    tap.check(sent == 0 and there or why in CLEAR + ("CANCELLED",), f"{what}: the sender: {sent} {why} {there}")
    gate.close()
    return bool(there)


@tap.case
def killed_at_the_edges_it_arrives_or_is_told_why_not(w):
    arrived = [at_an_edge(w, number) for number in range(2 * ROUNDS)]
    print(f"# {sum(arrived)} of {len(arrived)} arrived", flush=True)


if __name__ == "__main__":
    tap.main(world)
