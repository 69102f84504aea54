"""Transfers without the relay: the same bytes when both ends can reach each other, and with no server at
all, when one of them listens. What strangers do at an open port costs nothing but the one guess."""
import contextlib
import os
import re
import socket
import struct
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import p256, tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer import KIB, MIB, SECONDS, Ground, Running, digest, part_bytes, wait_for, wrong  # noqa: E402

class World(Ground):
    def __init__(self, server, near, far):
        super().__init__(near, far)
        self.server = server

    def send(self, *words, at=None):
        return Running(self.near, *(["--server", at] if at else []), "send-file", *words)

    def receive(self, *words, at=None):
        return Running(self.far, *(["--server", at] if at else []), "receive", *words)

    def relayed(self):
        """Bytes that the relay has passed on."""
        with urllib.request.urlopen(f"{self.server.url}/metrics", timeout=SECONDS) as answer:
            found = re.search(r"^tacit_transfer_bytes_total (\d+)$", answer.read().decode(), re.MULTILINE)
        return int(found.group(1))


@contextlib.contextmanager
def world():
    with Server() as server, Machine(server) as near, Machine(server) as far:
        yield World(server, near, far)


# --- beside the relay ----------------------------------------------------------------------------


@tap.case
def ends_that_reach_each_other_leave_the_relay(world):
    path, out, before = world.make("a.bin", os.urandom(3 * MIB)), world.out(), world.relayed()
    sender = world.send(path, at=world.server.url)
    receiver = world.receive(sender.code, "--yes", "--out", out, at=world.server.url).finish()
    sender.finish()
    tap.equal(digest(os.path.join(out, "a.bin")), digest(path), "content")
    tap.equal((sender.states, receiver.states), (["met", "direct"], ["met", "direct"]), "directly")
    tap.check(world.relayed() - before < 8 * KIB, "the relay saw the greeting alone")


@tap.case
def who_keeps_addresses_private_stays_with_the_relay(world):
    path = world.make("b.bin", os.urandom(1 * MIB))
    for one, other in (([], ["--relay-only"]), (["--relay-only"], []), (["--relay-only"], ["--relay-only"])):
        out, before = world.out(), world.relayed()
        sender = world.send(*one, path, at=world.server.url)
        receiver = world.receive(sender.code, "--yes", "--out", out, *other, at=world.server.url).finish()
        sender.finish()
        tap.equal(digest(os.path.join(out, "b.bin")), digest(path), "content")
        tap.equal((sender.states, receiver.states), (["met"], ["met"]), "by the relay")
        tap.check(world.relayed() - before > MIB, "which passed all of it on")


@tap.case
def the_one_who_is_asked_may_take_time(world):
    path, out = world.make("slow.txt", b"slow"), world.out()
    sender = world.send(path, at=world.server.url)
    with world.far.terminal("--server", world.server.url, "receive", sender.code, "--out", out) as terminal:
        terminal.expect("Connected directly")
        terminal.expect(r"Receive slow\.txt, 4 B\? \[y/N\] ")
        terminal.line("y")
        terminal.end(0)
    sender.finish()
    tap.equal(os.listdir(out), ["slow.txt"], "it came")


# --- without a server ----------------------------------------------------------------------------


@tap.case
def no_server_is_needed_where_one_listens(world):
    path = world.make("c.bin", os.urandom(700 * KIB))
    out = world.out()
    sender = world.send("--listen", "127.0.0.1:0", path)
    port = sender.port
    receiver = world.receive(sender.code, "--yes", "--out", out, "--direct", f"127.0.0.1:{port}").finish()
    sender.finish()
    tap.equal(digest(os.path.join(out, "c.bin")), digest(path), "the sender listens")
    out = world.out()
    receiver = world.receive("--yes", "--out", out, "--listen", "0")
    port = receiver.port
    sender = world.send("--code", receiver.code, "--direct", f"127.0.0.1:{port}", path).finish()
    receiver.finish()
    tap.equal(digest(os.path.join(out, "c.bin")), digest(path), "the receiver listens")


@tap.case
def a_wrong_code_is_used_up_without_a_server_too(world):
    sender = world.send("--listen", "127.0.0.1:0", world.make("d.txt", b"secret"))
    port, code = sender.port, sender.code
    receiver = world.receive(wrong(code), "--yes", "--out", world.out(), "--direct", f"127.0.0.1:{port}").finish(1)
    sender.finish(1)
    tap.equal((sender.problem()["code"], receiver.problem()["code"]), ("BAD_PASSWORD", "BAD_PASSWORD"), "both know")
    receiver = world.receive(code, "--yes", "--direct", f"127.0.0.1:{port}").finish(1)
    tap.equal(receiver.problem()["code"], "NETWORK", "nobody listens any more")


def say(port, data):
    s = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    s.sendall(data)
    return s


@tap.case
def strangers_at_the_port_cost_nothing(world):
    path, out = world.make("e.bin", os.urandom(100 * KIB)), world.out()
    sender = world.send("--listen", "127.0.0.1:0", path)
    port, code = sender.port, sender.code
    strangers = [say(port, data) for data in
                 (b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\0\0\4junk", b"\xff\xff\xff\xff", b"\0\0\0\0",
                  struct.pack(">I", 68) + b"\x03" + bytes(67), b"\0\0\0\x44\1")]
    strangers += [say(port, b"") for _ in range(60)]
    receiver = world.receive(code, "--yes", "--out", out, "--direct", f"127.0.0.1:{port}").finish()
    sender.finish()
    tap.equal(digest(os.path.join(out, "e.bin")), digest(path), "it came all the same")
    for one in strangers:
        one.close()
    tap.equal(receiver.states, ["met"], "and nobody noticed them")


def frame(message):
    return struct.pack(">I", len(message)) + message


def read_frame(s):
    with s.makefile("rb", buffering=0) as stream:
        return stream.read(struct.unpack(">I", stream.read(4))[0])


def scalar(code):
    plate, secret = code.split("-", 1)
    return next(w for w in (int.from_bytes(p256.hkdf(secret.encode(), plate.encode(),
                                                     b"tacit spake2 w\0" + bytes([n]), 32), "big")
                            for n in range(256)) if 0 < w < p256.N)


@tap.case
def an_end_from_the_document_meets_tacit_without_a_server(world):
    sender = world.send("--listen", "127.0.0.1:0", "--text", "hello")
    port, code = sender.port, sender.code
    spake = p256.Spake2("B", scalar(code))
    with say(port, frame(b"\1\1\1" + spake.message)) as s:
        theirs = read_frame(s)
        tap.equal(theirs[:3], b"\1\1\0", "PAKE")
        plate = code.split("-")[0].encode()
        spake.finish(theirs[3:], b"open " + plate, b"join " + plate, b"tacit parcel 1, opener sends")
        s.sendall(frame(b"\2" + spake.confirmation + bytes(32)))
        theirs = read_frame(s)
        tap.equal((theirs[0], theirs[1:33]), (2, spake.expected), "CONFIRM")
        tap.equal(sender.next("state")["state"], "met", "it agrees")
    sender.kill()


@tap.case
def a_guess_that_vanishes_has_used_the_code_up(world):
    sender = world.send("--listen", "127.0.0.1:0", "--text", "hello")
    port, code = sender.port, sender.code
    spake = p256.Spake2("B", scalar(f"{code.split('-')[0]}-amber-amber"))
    with say(port, frame(b"\1\1\1" + spake.message)) as s:
        tap.equal(read_frame(s)[:3], b"\1\1\0", "it answers one guess")
    sender.finish(1)
    tap.equal(sender.problem()["code"], "GONE", "and no second one")


@tap.case
def what_cannot_be_called_is_told(world):
    for address, code in (("127.0.0.1:1", "NETWORK"), ("[::1", "BAD_NAME"), ("127.0.0.1:70000", "BAD_NAME"),
                          ("127.0.0.1:x", "BAD_NAME"), ("no.such.host.invalid", "NOT_FOUND")):
        got = world.receive("7-amber-falcon", "--yes", "--direct", address).finish(1)
        tap.equal(got.problem()["code"], code, address)
        tap.check("waiting under that code" not in got.err, got.err)
    got = world.far.run("receive", "7-amber-falcon", "--yes", "--direct", "a:1", "--relay-only")
    tap.equal(got.code, 2, "not both")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        got = world.send("--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--text", "x").finish(1)
    tap.check("port is taken" in got.problem()["error"], got.err)


# --- interrupted ---------------------------------------------------------------------------------


@tap.case
def a_cut_connection_goes_on_and_sends_only_what_was_missing(world):
    size = 12 * MIB
    path, out = world.make("cut.bin", os.urandom(size)), world.out()
    receiver = world.receive("--yes", "--out", out, "--listen", "127.0.0.1:0")
    gate = Gate(receiver.port)
    gate.hold_after(size // 2)
    sender = world.send("--code", receiver.code, "--direct", gate.url.removeprefix("http://"), path)
    wait_for(lambda: part_bytes(out) > size * 3 // 8, "a part")
    gate.cut()
    gate.open()
    receiver.finish()
    sender.finish()
    tap.equal(digest(os.path.join(out, "cut.bin")), digest(path), "content")
    tap.check(receiver.resumed_from >= size // 4, f"it went on at {receiver.resumed_from}")
    tap.check(gate.passed < size + 3 * MIB, f"{gate.passed} bytes passed")
    tap.equal(receiver.states, ["met", "lost", "direct", "back"], "what the receiver saw")
    gate.close()


@tap.case
def ends_that_are_killed_go_on(world):
    size = 12 * MIB
    path = world.make("killed.bin", os.urandom(size))
    for victim in ("sender", "receiver"):
        out = world.out()
        receiver = world.receive("--yes", "--out", out, "--listen", "127.0.0.1:0")
        port, code = receiver.port, receiver.code
        gate = Gate(port)
        gate.hold_after(size // 2)
        give = ("--code", code, "--direct", gate.url.removeprefix("http://"), path)
        sender = world.send(*give)
        wait_for(lambda: part_bytes(out) > size * 3 // 8, "a part")
        if victim == "receiver":
            receiver.kill()
            receiver = world.receive(code, "--yes", "--listen", f"127.0.0.1:{port}")
        else:
            sender.kill()
            sender = world.send(*give)
        gate.cut()
        gate.open()
        receiver.finish()
        sender.finish()
        tap.equal(digest(os.path.join(out, "killed.bin")), digest(path), f"the {victim} was killed")
        tap.check(receiver.resumed_from >= size // 4, "it went on")
        tap.check(gate.passed < size + 3 * MIB, f"{gate.passed} bytes passed")
        gate.close()


if __name__ == "__main__":
    tap.main(world)
