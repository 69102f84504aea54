"""A large file without accounts: quick enough, and in flat memory at both ends and in the middle.

TACIT_BIG=1 moves 2 GiB where otherwise 100 MiB must do; the bounds on memory are the same."""
import contextlib
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer import MIB, Running, digest  # noqa: E402

BIG = 2048 * MIB if os.environ.get("TACIT_BIG") else 100 * MIB
CLIENT, SERVER = 40 * MIB, 24 * MIB


@contextlib.contextmanager
def world():
    with Server() as server, Machine(server) as machine:
        yield server, machine


def peak(pid, name="VmHWM"):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))


def fill(path):
    hashed, block = hashlib.sha256(), os.urandom(MIB)
    with open(path, "wb") as f:
        for number in range(BIG // MIB):
            piece = number.to_bytes(8, "big") + block[8:]
            hashed.update(piece)
            f.write(piece)
    return hashed.hexdigest()


def finish(running, what):
    """Its peak of memory, once it is through."""
    process = running.process
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    tap.equal(process.returncode, 0, f"{what}: {out[-500:]!r} {err[-500:]!r}")
    return usage.ru_maxrss * 1024


@tap.case
def a_large_file_needs_no_more_memory_than_a_small_one(world):
    server, machine = world
    path, out = os.path.join(machine.folder, "big"), os.path.join(machine.folder, "out")
    os.mkdir(out)
    wanted = fill(path)
    before = peak(server.pid, "VmRSS")
    sender = Running(machine, "--server", server.url, "send-file", "--relay-only", path)
    receiver = Running(machine, "--server", server.url, "receive", "--relay-only", sender.code, "--yes", "--out", out)
    tap.check(finish(receiver, "receiver") < CLIENT, "the receiver's memory")
    tap.check(finish(sender, "sender") < CLIENT, "the sender's memory")
    tap.check(peak(server.pid) - before < SERVER, f"the relay's memory: {peak(server.pid) - before}")
    tap.equal(digest(os.path.join(out, "big")), wanted, "content")


if __name__ == "__main__":
    tap.main(world)
