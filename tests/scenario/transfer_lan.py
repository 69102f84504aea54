"""Two machines on a network without any server: they find each other by multicast DNS, what is announced says
nothing, and a cable that is pulled costs time alone."""
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import lan, tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.transfer import MIB, Ground, Running, digest, part_bytes, wait_for  # noqa: E402

IMPOSSIBLE = lan.enter()  # starts this program anew, if it is not


class World(Ground):
    def __init__(self, cable, near, far):
        super().__init__(near, far)
        self.cable = cable

    def send(self, *words):
        return Running(self.near, *words)

    def receive(self, *words):
        return Running(self.far, *words, wrapper=self.cable.far)


@contextlib.contextmanager
def world():
    if IMPOSSIBLE:
        yield None
        return
    with lan.Cable() as cable, Machine(None) as near, Machine(None) as far:
        yield World(cable, near, far)


@tap.case
def two_on_one_network_need_no_server(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    path = w.make("a.bin", os.urandom(3 * MIB))
    for send_words, receive_words in ((["--lan"], ["--lan"]), ([], [])):
        out = w.out()
        sender = w.send("send-file", *send_words, path)
        code = sender.next("code")["code"]
        receiver = w.receive("receive", *receive_words, code, "--yes", "--out", out).finish()
        sender.finish()
        tap.equal(digest(os.path.join(out, "a.bin")), digest(path), "content")
        local = [] if send_words else ["local"]
        tap.equal((sender.states, receiver.states), (local + ["met"], local + ["met"]), "what they saw")


class Ear(threading.Thread):
    """Everything that is said by multicast DNS on the far side."""

    SCRIPT = """
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("", 5353))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("224.0.0.251") + socket.inet_aton(sys.argv[1]))
print("ready", flush=True)
while True:
    sys.stdout.write(s.recv(9000).hex() + "\\n")
    sys.stdout.flush()
"""

    def __init__(self, wrapper, address):
        super().__init__(daemon=True)
        self.process = subprocess.Popen([*wrapper, sys.executable, "-c", self.SCRIPT, address], stdout=subprocess.PIPE,
                                        text=True)
        self.process.stdout.readline()
        self.heard = b""
        self.start()

    def run(self):
        for line in self.process.stdout:
            self.heard += bytes.fromhex(line.strip())

    def stop(self):
        self.process.kill()
        self.process.wait()


@tap.case
def what_is_announced_says_nothing(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    ear = Ear(w.cable.far, lan.FAR)
    path = w.make("telling-name.txt", b"x")
    sender = w.send("send-file", "--lan", path)
    code = sender.next("code")["code"]
    plate, *words = code.split("-")
    name = hashlib.sha256(f"tacit nameplate {plate}".encode()).hexdigest()[:16]
    wait_for(lambda: name.encode() in ear.heard, "the announcement")
    sender.kill()
    ear.stop()
    host = socket.gethostname().encode()
    for word in [*(word.encode() for word in words), b"telling-name", host, os.environ.get("USER", "root").encode()]:
        tap.check(word not in ear.heard, f"{word} was said")


@tap.case
def nobody_there_is_told(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    receiver = w.receive("receive", "--lan", "7-amber-falcon", "--yes").finish(1)
    tap.check("Nobody on this network" in receiver.err, receiver.err)


def caught_under_way(w, size):
    """Sender and receiver of a file of that size, the receiver stopped in the midst of it; None: it was faster."""
    path, out = w.make(f"cable{size}.bin", os.urandom(size)), w.out()
    sender = w.send("send-file", "--lan", path)
    receiver = w.receive("receive", "--lan", sender.next("code")["code"], "--yes", "--out", out)

    wait_for(lambda: part_bytes(out) > size // 16 or os.listdir(out) == [os.path.basename(path)], "a part")
    receiver.process.send_signal(signal.SIGSTOP)
    had = part_bytes(out)
    if 0 < had < size - 16 * MIB:  # so much may have come, and wait to be read
        return sender, receiver, path, out, had
    receiver.process.send_signal(signal.SIGCONT)
    receiver.finish()
    sender.finish()
    return None


@tap.case
def a_pulled_cable_costs_time_alone(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    caught = next((c for c in (caught_under_way(w, size * MIB) for size in (64, 128, 256, 512)) if c), None)
    sender, receiver, path, out, had = caught
    w.cable.pull()
    receiver.process.send_signal(signal.SIGCONT)
    sender.next("state")
    # DIRECT_DEAD_S: both notice by themselves.
    tap.equal(sender.next("state")["state"], "lost", "the sender noticed")
    tap.equal([receiver.next("state")["state"] for _ in range(2)], ["met", "lost"], "and the receiver")
    w.cable.plug()
    receiver.finish()
    sender.finish()
    tap.equal(digest(os.path.join(out, os.path.basename(path))), digest(path), "content")
    tap.check(receiver.resumed_from >= had, f"it went on at {receiver.resumed_from} of {had}")


if __name__ == "__main__":
    tap.main(world)
