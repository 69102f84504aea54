"""One sender and several receivers under one code: each meets the sender anew, the first wrong guess ends it for
all who have not come yet, and nobody else gets the nameplate."""
import contextlib
import hashlib
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.live import Ended, WebSocket  # noqa: E402
from support.server import SANITIZER, Server  # noqa: E402

SECONDS = 90
UNKNOWN = 2


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.count = 0

    def out(self):
        self.count += 1
        path = os.path.join(self.machine.folder, f"out{self.count}")
        os.mkdir(path)
        return path

    def start(self, *words):
        return self.machine.start("--json", "--server", self.server.url, *words, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def send(self, *words):
        """The sender, and its code."""
        sender = self.start("send-file", *words)
        return sender, json.loads(sender.stdout.readline())["code"]

    def finish(self, process, status=0):
        out, err = process.communicate(timeout=SECONDS)
        if SANITIZER.search(err):
            raise AssertionError(err[-8000:])
        tap.equal(process.returncode, status, f"exit: {out!r} {err!r}")
        return [json.loads(line) for line in out.splitlines()], err.decode()

    def receive_when_let_in(self, code, out, *options):
        """Who comes while another is greeted finds nobody, and comes again."""
        while True:
            receiver = self.start("receive", *options, code, "--yes", "--out", out)
            got = receiver.communicate(timeout=SECONDS)
            if receiver.returncode == 0:
                return
            tap.equal(json.loads(got[1].splitlines()[-1])["code"], "NOT_FOUND", "the only reason")

    def make(self, name, size):
        path = os.path.join(self.machine.work, name)
        with open(path, "wb") as f:
            f.write(os.urandom(size))
        return path


@contextlib.contextmanager
def world():
    with Server() as server, Machine(server) as machine:
        yield World(server, machine)


@tap.case
def several_receive_under_one_code(world):
    for options in ([], ["--relay-only"]):
        path = world.make("all.bin", 700_000)
        outs = [world.out() for _ in range(3)]
        sender, code = world.send(*options, "--receivers", "3", path)
        for out in outs:
            world.receive_when_let_in(code, out, *options)
        lines, _ = world.finish(sender)
        tap.equal([digest(os.path.join(out, "all.bin")) for out in outs], [digest(path)] * 3, "content")
        tap.equal(sum(line["type"] == "parcel_sent" for line in lines), 3, "each is confirmed")
        tap.equal(sum(line["type"] == "code" for line in lines), 0, "one code, which was told first")


@tap.case
def the_first_wrong_guess_ends_it(world):
    path, out = world.make("few.bin", 1000), world.out()
    sender, code = world.send("--receivers", "0", path)
    world.receive_when_let_in(code, out)
    plate, first, second = code.split("-")
    wrong = f"{plate}-{second}-{first}" if first != second else f"{plate}-{first}-zebra"
    while True:
        guess = world.start("receive", wrong, "--yes", "--out", out)
        _, err = guess.communicate(timeout=SECONDS)
        reason = json.loads(err.splitlines()[-1])["code"]
        if reason != "NOT_FOUND":
            break
    tap.equal(reason, "BAD_PASSWORD", "a wrong guess")
    _, err = world.finish(sender, 1)
    tap.equal(json.loads(err.splitlines()[-1])["code"], "BAD_PASSWORD", "the sender is told")
    _, err = world.finish(world.start("receive", code, "--yes", "--out", out), 1)
    tap.equal(json.loads(err.splitlines()[-1])["code"], "NOT_FOUND", "and the right code is used up")


@tap.case
def several_need_a_server_and_our_code(world):
    for words in (["--receivers", "2", "--lan", "x"], ["--receivers", "x", "x"], ["--receivers", "1001", "x"],
                  ["--receivers", "2", "--code", "7-amber-falcon", "x"]):
        got = world.machine.run("--server", world.server.url, "send-file", *words)
        tap.equal(got.code, 2, f"{words}: {got!r}")


# --- the relay, by hand ----------------------------------------------------------------------------


class End:
    def __init__(self, world, query):
        self.ws = WebSocket(world.server.port, f"/api/transfer?{query}", {})

    def hear(self):
        got = self.ws.receive()
        return (got[1][0], got[1][1:]) if got else None

    def nameplate(self):
        kind, body = self.hear()
        tap.equal(kind, 1, "NAMEPLATE")
        return struct.unpack(">I", body)[0]

    def over(self, why):
        tap.equal(self.hear(), (3, bytes([why])), "ENDED")
        self.ws.close()

    def close(self):
        self.ws.close()


@tap.case
def only_the_ticket_opens_a_nameplate_again(world):
    ticket, other = os.urandom(16).hex(), os.urandom(16).hex()
    first = End(world, f"open=1&ticket={ticket}")
    number = first.nameplate()
    End(world, f"open=1&nameplate={number}&ticket={ticket}").over(UNKNOWN)  # it waits already
    claimer = End(world, f"claim={number}")
    tap.equal((first.hear()[0], claimer.hear()[0]), (2, 2), "PAIRED")
    for wrong in (other, "00" * 16):
        End(world, f"open=1&nameplate={number}&ticket={wrong}").over(UNKNOWN)
    again = End(world, f"open=1&nameplate={number}&ticket={ticket}")
    tap.equal(again.nameplate(), number, "the same")
    second = End(world, f"claim={number}")
    tap.equal((again.hear()[0], second.hear()[0]), (2, 2), "PAIRED")
    for end in (first, claimer, again, second):
        end.close()
    plain = End(world, "open=1")
    number = plain.nameplate()
    claimer = End(world, f"claim={number}")
    plain.hear()
    End(world, f"open=1&nameplate={number}&ticket={'00' * 16}").over(UNKNOWN)  # nobody's
    plain.close()
    claimer.close()


@tap.case
def what_is_no_ticket_is_refused(world):
    for query in ("open=1&nameplate=7", "open=1&ticket=abc", f"open=1&ticket={'g' * 32}",
                  f"open=1&nameplate=x&ticket={'a' * 32}", f"open=1&ticket={'a' * 34}"):
        try:
            End(world, query)
            tap.fail(f"{query} was taken")
        except Ended as ended:
            tap.check(" 400 " in str(ended), f"{query}: {ended}")


if __name__ == "__main__":
    tap.main(world)
