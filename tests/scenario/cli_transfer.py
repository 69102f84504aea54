"""Two machines without accounts and the real `tacit send-file` and `tacit receive` through a real
relay: whole, wrong, interrupted, and with what stands in the way."""
import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer import (KIB, MIB, SECONDS, Ground, Running, digest, journals, part_bytes, parts,  # noqa: E402
                              wait_for, wrong)

CODE = re.compile(r"^[1-9][0-9]*-[a-z]+-[a-z]+$")


class World(Ground):
    def __init__(self, server, near, far):
        super().__init__(near, far)
        self.server = server

    def send(self, *words, url=None, **more):
        return Running(self.near, "--server", url or self.server.url, "send-file", "--relay-only", *words, **more)

    def receive(self, *words, url=None, **more):
        return Running(self.far, "--server", url or self.server.url, "receive", "--relay-only", *words, **more)

    def through(self, *paths, options=()):
        """Sends and receives; the folder."""
        out = self.out()
        sender = self.send(*options, *paths)
        receiver = self.receive(sender.code, "--yes", "--out", out).finish()
        sender.finish()
        self.sender, self.receiver = sender, receiver
        return out

    def journals(self):
        return sorted(journals(self.near) + journals(self.far))


@contextlib.contextmanager
def world():
    with Server() as server, Machine(server) as near, Machine(server) as far:
        yield World(server, near, far)


# --- what is sent ------------------------------------------------------------------------------


@tap.case
def a_file_arrives(world):
    path = world.make("report.pdf", os.urandom(300 * KIB))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    out = world.through(path)
    got = os.path.join(out, "report.pdf")
    tap.equal(digest(got), digest(path), "content")
    tap.equal(int(os.stat(got).st_mtime), 1_600_000_000, "its date")
    tap.equal(stat.S_IMODE(os.stat(got).st_mode) & 0o111, 0, "not executable")
    tap.equal(os.listdir(out), ["report.pdf"], "nothing else is left")
    tap.equal(world.journals(), [], "nothing is remembered")
    tap.equal(world.receiver.of("offer")[0], {"type": "offer", "kind": "file", "name": "report.pdf",
                                              "entries": 1, "size": 300 * KIB}, "the offer")
    tap.equal(world.receiver.of("parcel_received")[0], {"type": "parcel_received", "size": 300 * KIB,
                                                        "resumed_from": 0, "confirmed": True}, "the receiver's end")
    tap.equal(world.sender.of("parcel_sent")[0]["size"], 300 * KIB, "the sender's end")


@tap.case
def several_files_arrive(world):
    paths = [world.make("a.txt", b"a"), world.make("b.sh", b"#!/bin/sh\n"), world.make("empty", b"")]
    os.chmod(paths[1], 0o755)
    out = world.through(*paths)
    tap.equal(sorted(os.listdir(out)), ["a.txt", "b.sh", "empty"], "names")
    tap.check(os.access(os.path.join(out, "b.sh"), os.X_OK), "a program is one again")
    tap.equal(os.path.getsize(os.path.join(out, "empty")), 0, "the empty one")


@tap.case
def a_folder_arrives(world):
    world.make("tree/src/main.c", b"int main;")
    world.make("tree/.hidden/x", b"x" * 200_000)
    world.make("tree/z", b"")
    os.makedirs(os.path.join(world.near.work, "tree", "nothing", "in here"))
    os.symlink("/etc/passwd", os.path.join(world.near.work, "tree", "link"))
    os.mkfifo(os.path.join(world.near.work, "tree", "pipe"))
    out = world.through(os.path.join(world.near.work, "tree") + "/")
    found = sorted(os.path.relpath(os.path.join(folder, name), out)
                   for folder, folders, names in os.walk(out) for name in folders + names)
    tap.equal(found, ["tree", "tree/.hidden", "tree/.hidden/x", "tree/nothing", "tree/nothing/in here",
                      "tree/src", "tree/src/main.c", "tree/z"], "what is there")
    tap.equal(digest(os.path.join(out, "tree/.hidden/x")),
              digest(os.path.join(world.near.work, "tree/.hidden/x")), "content")
    tap.check("link is left out" in world.sender.err and "pipe is left out" in world.sender.err,
              "what cannot be sent is named")


@tap.case
def a_text_arrives(world):
    for words, stdin in ((["--text", "hello", "you"], None), (["--text"], b"hello you")):
        sender = world.send(*words, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL)
        if stdin:
            sender.process.stdin.write(stdin)
            sender.process.stdin.close()
            sender.process.stdin = None
        receiver = world.receive(sender.code, "--yes").finish()
        sender.finish()
        tap.equal(receiver.of("text")[0]["text"], "hello you", "text")


@tap.case
def a_text_that_could_not_be_shown_was_not_delivered(world):
    sender = world.send("--text", "hello you")
    with open("/dev/full", "wb") as full:
        receiver = world.far.start("--server", world.server.url, "receive", sender.code, "--yes", stdout=full)
        tap.check(receiver.wait(60) != 0, "it was not shown")
    sender.finish(1)


@tap.case
def a_text_cannot_play_with_the_terminal(world):
    sender = world.send("--text", "red \x1b[31m and \x07 bell")
    with world.far.terminal("--server", world.server.url, "receive", sender.code) as terminal:
        terminal.expect("red . *\\[31m and . bell")
        terminal.end(0)
        tap.check("\x1b[31m" not in terminal.text, "no escape sequence passes")
    sender.finish()


@tap.case
def standard_input_becomes_standard_output(world):
    content = os.urandom(700 * KIB)
    sender = world.send("-", "--name", "dump.tar", stdin=subprocess.PIPE)
    sender.process.stdin.write(content)
    sender.process.stdin.close()
    sender.process.stdin = None
    got = world.far.start("--server", world.server.url, "receive", sender.code, "-", "--yes",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = got.communicate(timeout=SECONDS)
    tap.equal(got.returncode, 0, f"exit {err!r}")
    tap.check(out == content, "every byte and nothing else")
    sender.finish()


@tap.case
def the_receiver_may_make_the_code(world):
    path, out = world.make("r.txt", b"from the other side"), world.out()
    receiver = world.receive("--yes", "--out", out)
    sender = world.send("--code", receiver.code.upper().replace("-", " "), path).finish()
    receiver.finish()
    tap.equal(digest(os.path.join(out, "r.txt")), digest(path), "content")
    tap.equal(sender.of("code"), [], "it makes no code of its own")


@tap.case
def a_code_may_be_digits(world):
    out = world.through(world.make("d.txt", b"digits"), options=["--digits"])
    tap.equal(os.listdir(out), ["d.txt"], "it arrived")
    tap.check(re.match(r"^[1-9][0-9]*-\d{3}-\d{3}$", world.sender.of("code")[0]["code"]), "digits")


@tap.case
def a_qr_code_is_drawn(world):
    sender = world.near.start("--server", world.server.url, "send-file", "--qr", "--text", "x",
                              stdout=subprocess.PIPE)
    lines = []
    while not lines or not lines[-1].startswith("Code: "):
        lines.append(sender.stdout.readline().decode())
        if not lines[-1]:
            break
    tap.check(any("█" in line or "▀" in line for line in lines), "blocks")
    sender.terminate()
    sender.communicate()


# --- the person ----------------------------------------------------------------------------------


@tap.case
def nothing_is_written_before_the_person_agrees(world):
    path, out = world.make("big name.bin", bytes(5000)), world.out()
    for answer, status in (("n", 1), ("y", 0)):
        sender = world.send(path)
        with world.far.terminal("--server", world.server.url, "receive", sender.code, "--out",
                                out) as terminal:
            terminal.expect(r"Receive big name\.bin, 5\.0 kB\? \[y/N\] ")
            tap.equal(os.listdir(out), [], "nothing yet")
            terminal.line(answer)
            terminal.end(status)
        if status:
            sender.finish(1)
            tap.check("declined" in sender.err, "the sender is told")
            tap.equal(os.listdir(out), [], "nothing at all")
        else:
            sender.finish()
    tap.equal(os.listdir(out), ["big name.bin"], "then it came")


@tap.case
def without_a_terminal_it_takes_a_yes(world):
    got = world.far.run("--server", world.server.url, "receive", "7-amber-falcon")
    tap.equal(got.code, 2, "exit")
    tap.check("--yes" in got.err, "what to do")


@tap.case
def what_is_there_is_never_overwritten(world):
    path, out = world.make("same.tar.gz", b"new"), world.out()
    for name in ("same.tar.gz", "same.tar (2).gz"):
        with open(os.path.join(out, name), "wb") as f:
            f.write(b"old")
    sender = world.send(path)
    receiver = world.receive(sender.code, "--yes", "--out", out).finish()
    sender.finish()
    tap.equal(receiver.of("saved")[0], {"type": "saved", "path": os.path.join(out, "same.tar (3).gz"),
                                        "renamed": True}, "it is told")
    with open(os.path.join(out, "same.tar.gz"), "rb") as f:
        tap.equal(f.read(), b"old", "what was there")


@tap.case
def two_of_one_name_are_not_sent(world):
    got = world.near.run("--server", world.server.url, "send-file", world.make("x/n", b"1"),
                         world.make("y/n", b"2"))
    tap.equal(got.code, 1, "exit")
    tap.check("same name" in got.err, "why")
    got = world.near.run("--server", world.server.url, "send-file", "nowhere")
    tap.check(got.code == 1 and "nowhere is not there" in got.err, f"{got!r}")
    got = world.near.run("--server", world.server.url, "send-file")
    tap.equal(got.code, 2, "nothing to send")


# --- codes ---------------------------------------------------------------------------------------


@tap.case
def a_wrong_code_is_used_up(world):
    path, out = world.make("w.txt", b"secret"), world.out()
    sender = world.send(path)
    code = sender.code
    tap.check(CODE.match(code), code)
    receiver = world.receive(wrong(code), "--yes", "--out", out).finish(1)
    sender.finish(1)
    tap.check("used up" in receiver.err, f"the guesser is told: {receiver.err}")
    tap.check("used up" in sender.err, f"the sender is told: {sender.err}")
    tap.check('"BAD_PASSWORD"' in sender.err, "the machine word")
    again = world.receive(code, "--yes", "--out", out).finish(1)
    tap.check('"NOT_FOUND"' in again.err, "the right one is of no use any more")
    tap.equal(os.listdir(out), [], "nothing came")


@tap.case
def a_mistyped_word_costs_nothing(world):
    path = world.make("m.txt", b"m")
    sender = world.send(path)
    code = sender.code
    receiver = world.receive(code[:-1] + "q", "--yes", "--out", world.out()).finish(1)
    tap.check("not tried" in receiver.err, receiver.err)
    receiver = world.receive("no code", "--yes", "--out", world.out()).finish(1)
    world.receive(code, "--yes", "--out", world.out()).finish()
    sender.finish()


@tap.case
def two_senders_tell_each_other(world):
    path = world.make("s.txt", b"s")
    sender = world.send(path)
    other = world.send("--code", sender.code, path).finish(1)
    sender.finish(1)
    tap.check("Both sides want the same" in other.err or "used up" in other.err, other.err)


@tap.case
def guesses_are_counted(world):
    with Server(RATE_LOGIN=3) as server:
        codes = []
        while "LIMIT" not in codes and len(codes) < 30:  # a slow machine may get one more now and then
            got = world.far.run("--json", "--server", server.url, "receive", f"{len(codes) + 100}-amber-falcon",
                                "--yes")
            codes.append(json.loads(got.err)["code"])
        tap.equal(codes[:6], ["NOT_FOUND"] * 6, "a burst")
        tap.equal(codes[-1], "LIMIT", f"then no more: {codes}")


@tap.case
def nameplates_are_not_hoarded(world):
    senders = [world.send("--text", str(n)) for n in range(16)]
    codes = {sender.code.split("-")[0] for sender in senders}
    tap.equal(len(codes), 16, "each its own")
    more = world.send("--text", "one too many").finish(1)
    tap.check('"LIMIT"' in more.err, more.err)
    for sender in senders:
        sender.process.terminate()
        sender.process.communicate()
    # Who has gone holds nothing.
    until = time.monotonic() + SECONDS
    while True:
        more = world.send("--text", "again")
        line = more.process.stdout.readline()
        more.process.terminate()
        more.process.communicate()
        if line or time.monotonic() > until:
            break
    tap.check(line, "there is room again")


@tap.case
def the_relay_learns_neither_code_nor_name_nor_content(world):
    gate = Gate(world.server.port, record=True)
    path, out = world.make("confidential-name.txt", b"confidential content " * 100), world.out()
    sender = world.send(path, url=gate.url)
    code = sender.code
    world.receive(code, "--yes", "--out", out, url=gate.url).finish()
    sender.finish()
    gate.close()
    plain = bytes(gate.kept)
    tap.check(len(plain) > 3000, "it all passed here")
    # Clients mask what they send; the relay passes it on unmasked, so it is all here in the clear.
    for word in (*code.split("-")[1:], "confidential"):
        tap.check(word.encode() not in plain and word not in world.server.log(), f"no {word}")


# --- interruptions -------------------------------------------------------------------------------


def interrupted(world, name, size=4 * MIB, part=None):
    """A transfer that stands still in the middle: (sender, receiver, code, path, out, gate)."""
    world.remembered = world.journals()
    gate = Gate(world.server.port)
    part = part or size // 2
    gate.hold_after(part)
    path, out = world.make(name, os.urandom(size)), world.out()
    sender = world.send(path, url=gate.url)
    code = sender.code
    receiver = world.receive(code, "--yes", "--out", out)
    wait_for(lambda: part_bytes(out) > part // 2, "half of it")
    tap.check(not os.path.exists(os.path.join(out, name)), "not under its name yet")
    return sender, receiver, code, path, out, gate


def check_resumed(world, name, path, out, gate, receiver):
    tap.equal(digest(os.path.join(out, name)), digest(path), "content")
    tap.equal(os.listdir(out), [name], "nothing else is left")
    tap.check(receiver.resumed_from > os.path.getsize(path) // 4,
              f"what was there was not sent again: {receiver.of('parcel_received')}")
    tap.equal(world.journals(), world.remembered,
              "nothing more is remembered")
    gate.close()


@tap.case
def it_goes_on_after_the_sender_was_killed(world):
    sender, receiver, _, path, out, gate = interrupted(world, "killed-sender.bin")
    sender.kill()
    gate.cut()  # what it had handed to the kernel goes with it
    gate.open()
    again = world.send(path, url=gate.url).finish()
    receiver.finish()
    tap.check({"type": "state", "state": "resuming"} in again.lines, "it says so")
    check_resumed(world, "killed-sender.bin", path, out, gate, receiver)


@tap.case
def it_goes_on_after_the_receiver_was_killed(world):
    sender, receiver, code, path, out, gate = interrupted(world, "killed-receiver.bin")
    receiver.kill()
    gate.open()
    receiver = world.receive(code, "--yes", "--out", out).finish()
    sender.finish()
    check_resumed(world, "killed-receiver.bin", path, out, gate, receiver)


@tap.case
def it_goes_on_after_the_relay_was_killed(world):
    sender, receiver, _, path, out, gate = interrupted(world, "killed-relay.bin")
    world.server.kill()
    gate.cut()
    gate.open()
    world.server.start()
    sender.finish()
    receiver.finish()
    check_resumed(world, "killed-relay.bin", path, out, gate, receiver)


@tap.case
def it_goes_on_after_the_relay_was_restarted(world):
    sender, receiver, _, path, out, gate = interrupted(world, "restarted.bin")
    world.server.terminate()
    gate.open()
    world.server.wait_stopped()
    world.server.start()
    sender.finish()
    receiver.finish()
    tap.equal(digest(os.path.join(out, "restarted.bin")), digest(path), "content")
    gate.close()


@tap.case
def a_receipt_that_was_lost_is_given_again(world):
    """All of it is there, and the receiver cannot say so: on the next connection it does."""
    size = 4 * MIB
    path, out = world.make("receipt.bin", os.urandom(size)), world.out()
    sending, receiving = Gate(world.server.port), Gate(world.server.port)
    sending.hold_after(size // 2)
    sender = world.send(path, url=sending.url)
    receiver = world.receive(sender.code, "--yes", "--out", out, url=receiving.url)
    wait_for(lambda: part_bytes(out) > size // 4, "half of it")
    receiving.hold_after(0)
    before = receiving.held
    sending.open()
    wait_for(lambda: receiving.held > before and part_bytes(out) == size, "the receipt")
    receiving.cut()
    receiving.open()
    sender.finish()
    receiver.finish()
    tap.equal(receiver.of("parcel_received")[0]["confirmed"], True, "the sender has heard it")
    tap.equal(os.listdir(out), ["receipt.bin"], "nothing else is left")
    tap.equal(digest(os.path.join(out, "receipt.bin")), digest(path), "content")
    tap.check(sending.passed < size + MIB // 2, f"nothing was sent twice: {sending.passed}")
    sending.close()
    receiving.close()


@tap.case
def it_goes_on_after_both_were_killed(world):
    sender, receiver, code, path, out, gate = interrupted(world, "killed-both.bin")
    sender.kill()
    receiver.kill()
    gate.cut()
    gate.open()
    receiver = world.receive(code, "--yes", "--out", out)
    world.send(path, url=gate.url).finish()
    receiver.finish()
    check_resumed(world, "killed-both.bin", path, out, gate, receiver)


@tap.case
def a_file_that_changed_is_a_new_transfer(world):
    sender, receiver, _, path, out, gate = interrupted(world, "changed.bin")
    sender.kill()
    with open(path, "r+b") as f:
        f.write(b"other")
    gate.cut()
    gate.open()
    again = world.send(path, url=gate.url)
    tap.check(again.code, "a new code is made")
    again.process.terminate()
    again.process.communicate()
    receiver.process.terminate()
    receiver.finish(1)
    gate.close()


@tap.case
def a_file_that_changes_on_its_way_is_told_on_both_sides(world):
    size = 64 * MIB  # more than may wait anywhere to be sent
    sender, receiver, code, path, out, gate = interrupted(world, "touched.bin", size, size // 32)
    with open(path, "r+b") as f:
        f.write(b"other")
    gate.open()
    receiver.finish(1)
    sender.finish(1)
    tap.check("touched.bin has changed since it was offered" in sender.err, sender.err)
    tap.check("A file has changed at the other end" in receiver.err, receiver.err)
    tap.equal(["goes on where" in end.err for end in (sender, receiver)], [False, False], "no promise")
    tap.equal(os.listdir(out), [], "nothing of the mixture is left")
    tap.equal(world.journals(), world.remembered, "or remembered")
    gate.close()


@tap.case
def a_cancelled_transfer_ends_on_both_sides(world):
    sender, receiver, _, _, out, gate = interrupted(world, "cancelled.bin")
    receiver.process.send_signal(signal.SIGINT)
    receiver.finish(1)
    gate.open()
    sender.finish(1)
    tap.check("gave up" in sender.err, sender.err)
    tap.check(len(parts(out)) <= 1, "what came is kept apart")
    gate.close()


@tap.case
def ctrl_c_while_nobody_comes(world):
    sender = world.send("--text", "x")
    sender.next("code")
    sender.process.send_signal(signal.SIGINT)
    sender.finish(1)
    tap.check('"CANCELLED"' in sender.err, sender.err)


@tap.case
def a_lost_connection_is_found_again(world):
    sender, receiver, _, path, out, gate = interrupted(world, "cut.bin")
    gate.cut()
    gate.open()
    sender.finish()
    receiver.finish()
    check_resumed(world, "cut.bin", path, out, gate, receiver)


@tap.case
def who_does_not_come_back_is_not_waited_for_for_ever(world):
    sender = world.send("--wait", "5s", world.make("alone.bin", bytes(100)))
    with world.far.terminal("--server", world.server.url, "receive", sender.code) as terminal:
        terminal.expect(r"\[y/N\] ")
        terminal.close()
    sender.finish(1)
    tap.check("did not come back" in sender.err, sender.err)


@tap.case
def a_server_without_a_relay_is_told_apart(world):
    got = world.near.run("--server", "http://127.0.0.1:1", "send-file", "--relay-only", "--text", "x")
    tap.equal(got.code, 1, "exit")
    tap.check("server" in got.err, got.err)


if __name__ == "__main__":
    tap.main(world)
