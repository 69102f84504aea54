"""One sender and several receivers under one code: each meets the sender anew, the first wrong guess ends it for
all who have not come yet, and nobody else gets the nameplate."""
import contextlib
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.live import Ended, WebSocket  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer import MIB, Ground, Running, digest, journals, part_bytes, wait_for, wrong  # noqa: E402

SIZE = 4 * MIB
UNKNOWN = 2


class World(Ground):
    def __init__(self, server, machine):
        super().__init__(machine, machine)
        self.server = server

    def send(self, *words, url=None):
        return Running(self.near, "--server", url or self.server.url, "send-file", *words)

    def receive(self, code, out, *options):
        return Running(self.far, "--server", self.server.url, "receive", *options, code, "--yes", "--out", out)

    def receive_when_let_in(self, code, out, *options, until=None):
        """Who comes while another is greeted finds nobody, and comes again. Until it has ended, or until()."""
        while True:
            receiver = self.receive(code, out, *options)
            if until is not None:
                wait_for(lambda: receiver.process.poll() is not None or until(), "a part")
                if receiver.process.poll() is None:
                    return receiver
            receiver.end()
            if receiver.process.returncode == 0:
                return receiver
            tap.equal(receiver.problem()["code"], "NOT_FOUND", "the only reason")


@contextlib.contextmanager
def world():
    with Server() as server, Machine(server) as machine:
        yield World(server, machine)


@tap.case
def several_receive_under_one_code(world):
    for options in ([], ["--relay-only"]):
        path = world.make("all.bin", os.urandom(700_000))
        outs = [world.out() for _ in range(3)]
        sender = world.send(*options, "--receivers", "3", path)
        code = sender.code
        for out in outs:
            world.receive_when_let_in(code, out, *options)
        sender.finish()
        tap.equal([digest(os.path.join(out, "all.bin")) for out in outs], [digest(path)] * 3, "content")
        tap.equal(len(sender.of("parcel_sent")), 3, "each is confirmed")
        tap.equal(len(sender.of("code")), 1, "one code")
        tap.equal(journals(world.near), [], "nothing is remembered")


@tap.case
def the_first_wrong_guess_ends_it(world):
    path, out = world.make("few.bin", bytes(1000)), world.out()
    sender = world.send("--receivers", "0", path)
    code = sender.code
    world.receive_when_let_in(code, out)
    while True:
        guess = world.receive(wrong(code), out).finish(1)
        if guess.problem()["code"] != "NOT_FOUND":
            break
    tap.equal(guess.problem()["code"], "BAD_PASSWORD", "a wrong guess")
    tap.equal(sender.finish(1).problem()["code"], "BAD_PASSWORD", "the sender is told")
    late = world.receive(code, out).finish(1)
    tap.equal(late.problem()["code"], "NOT_FOUND", "and the right code is used up")


# --- interrupted -----------------------------------------------------------------------------------


def one_has_all_and_one_a_part(world, name, receivers):
    """A sender behind a gate, with the receiver who has got a half, what is sent, to where, and the code."""
    path, gate = world.make(name, os.urandom(SIZE)), Gate(world.server.port)
    sender = world.send("--relay-only", "--receivers", receivers, path, url=gate.url)
    code, first, second = sender.code, world.out(), world.out()
    world.receive_when_let_in(code, first, "--relay-only")
    tap.equal(digest(os.path.join(first, name)), digest(path), "the first one has it")
    gate.hold_after(SIZE // 2)
    receiver = world.receive_when_let_in(code, second, "--relay-only",
                                         until=lambda: part_bytes(second) > SIZE // 4)
    return sender, gate, receiver, path, second, code


def sent_again(world, gate, sender, *words):
    """The sender is killed, and the same is sent by another."""
    sender.kill()
    gate.cut()
    gate.open()
    return world.send("--relay-only", "--receivers", "3", *words, url=gate.url)


@tap.case
def one_of_several_who_was_killed_goes_on(world):
    sender, gate, receiver, path, out, code = one_has_all_and_one_a_part(world, "r.bin", "2")
    receiver.kill()
    gate.open()
    receiver = world.receive(code, out, "--relay-only").finish()
    tap.check(receiver.resumed_from > SIZE // 4, f"it went on at {receiver.resumed_from}")
    sender.finish()
    tap.equal(digest(os.path.join(out, "r.bin")), digest(path), "content")
    tap.equal(journals(world.near), [], "nothing is remembered")
    gate.close()


@tap.case
def a_sender_to_several_that_was_killed_goes_on(world):
    sender, gate, receiver, path, out, code = one_has_all_and_one_a_part(world, "s.bin", "3")
    again = sent_again(world, gate, sender, path)
    told = again.next("receivers")
    tap.equal(told, {"type": "receivers", "done": 1, "begun": 1}, "who has what")
    fresh = next(got for got in iter(lambda: again.code, None) if got != code)
    receiver.finish()
    tap.check(receiver.resumed_from > SIZE // 4, f"it went on at {receiver.resumed_from}")
    tap.equal(digest(os.path.join(out, "s.bin")), digest(path), "content")
    third = world.out()
    late = world.receive(code, third, "--relay-only").finish(1)
    tap.equal(late.problem()["code"], "NOT_FOUND", "the old code lets nobody in")
    world.receive_when_let_in(fresh, third, "--relay-only")
    again.finish()
    tap.equal(digest(os.path.join(third, "s.bin")), digest(path), "the third one has it")
    tap.equal(journals(world.near), [], "nothing is remembered")
    gate.close()


@tap.case
def who_begins_anew_counts_nobody(world):
    sender, gate, receiver, path, _, code = one_has_all_and_one_a_part(world, "n.bin", "3")
    again = sent_again(world, gate, sender, "--new", path)
    tap.check(again.code != code and not again.of("receivers"), f"a new code at once: {again.lines}")
    again.kill()
    receiver.kill()
    gate.close()


@tap.case
def several_need_a_server_and_our_code(world):
    for words in (["--receivers", "2", "--lan", "x"], ["--receivers", "x", "x"], ["--receivers", "1001", "x"],
                  ["--receivers", "2", "--code", "7-amber-falcon", "x"]):
        got = world.near.run("--server", world.server.url, "send-file", *words)
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
