"""People make accounts with the real `tacit` and use them: prompts, devices, locking, the prompt."""
import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import PASSWORD, Machine, digits  # noqa: E402
from support.client import totp  # noqa: E402
from support.pty import Terminal  # noqa: E402
from support.server import Server, program  # noqa: E402


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.alice, self.bob = machine.register("alice"), machine.register("bob")


@contextlib.contextmanager
def world():
    with Server(RATE_LOGIN=0) as server, Machine(server) as machine:
        yield World(server, machine)


def has_keyring(w):
    """Does the kernel keep secrets here? In some containers it does not."""
    w.alice.run("unlock")
    return w.machine.run("--profile", "alice", "users").code == 0


# --- making an account ---

@tap.case
def somebody_registers_at_a_terminal(w):
    """Every rule of passwords has its sentence; what is wrong is asked for again."""
    with w.machine.terminal("--profile", "carol", "--server", w.server.url, "register") as t:
        t.expect("Username: ")
        t.line("not a name!")
        t.expect("A username is 1 to 24 letters")
        t.expect("Username: ")
        t.line("carol")
        t.expect("E-mail: ")
        t.line("nonsense")
        t.expect("not an e-mail address")
        t.expect("E-mail: ")
        t.line("carol@example.org")
        for password, problem in (("short1!", "Password must be at least 8 characters long"),
                                  ("12345678!", "letter"), ("abcdefgh!", "digit|number"),
                                  ("abcdefgh1", "special|one of")):
            t.expect("Password: ")
            t.line(password)
            t.expect(problem)
        t.expect("Password: ")
        t.line(PASSWORD)
        t.expect("Password again: ")
        t.line("another 1!")
        t.expect("not the same")
        t.expect("Password: ")
        t.line(PASSWORD)
        t.expect("Password again: ")
        t.line(PASSWORD)
        t.expect("Scan this")
        secret = t.expect(r"secret into it:\s+([A-Z2-7]+)")[1]
        uri = t.expect(r"otpauth://totp/\S+")[0]
        tap.check(f"secret={secret}" in uri, f"the secret is in {uri}")
        t.expect("Code from the app: ")
        step = int(time.time()) // 30
        wrong = f"{(int(totp(secret, step)) + 1) % 1000000:06d}"
        t.line(wrong)
        t.expect("error")
        t.expect("Code from the app: ")
        t.line(totp(secret, int(time.time()) // 30))
        t.expect("Recovery codes")
        t.expect("You are carol")
        t.end(0)
        tap.check(any(c in t.text for c in "█▀▄"), "a QR code is drawn")
        for secret_word in (PASSWORD, "short1!"):
            tap.check(secret_word not in t.text, "no password is echoed")
    tap.check(w.machine.run("--profile", "carol", "--server", w.server.url, "whoami",
                            "--password-file", w.alice.password_file).out.startswith("carol"), "whoami")


@tap.case
def a_profile_has_one_account(w):
    got = w.alice.run("register", "alice2", "--email", "a2@example.org")
    tap.equal(got.code, 1, "exit")
    tap.check("has an account already" in got.err, got.err)
    got = w.machine.person("other", profile="third").run(
        "register", "alice", "--email", "else@example.org", text="000000\n")
    tap.equal(got.code, 1, "a name that is taken")
    tap.check("exist" in got.err or "taken" in got.err, got.err)


@tap.case
def an_interrupted_registration_leaves_nothing(w):
    with w.machine.terminal("--profile", "dave", "--server", w.server.url, "register") as t:
        t.expect("Username: ")
        t.line("dave")
        t.expect("E-mail: ")
        t.control("C")
        tap.check(t.end() != 0, "exit after Ctrl-C")
    dave = w.machine.register("dave")
    tap.equal(dave.json("whoami").of("user")[0]["username"], "dave", "whoami")


@tap.case
def weak_passwords_are_refused_in_scripts_too(w):
    weak = w.machine.person("weak", password="weak")
    got = weak.run("register", "weak", "--email", "w@example.org")
    tap.equal(got.code, 1, "exit")
    tap.check("Password must be at least 8 characters long" in got.err, got.err)
    tap.equal(got.out, "", "nothing on stdout")


@tap.case
def several_accounts_live_on_one_machine(w):
    names = [p.json("whoami").of("user")[0]["username"] for p in (w.alice, w.bob)]
    tap.equal(names, ["alice", "bob"], "whoami")
    for person in (w.alice, w.bob):
        mode = os.stat(person.store).st_mode & 0o777
        tap.equal(mode, 0o700, f"{person.store}")
        for folder, _, files in os.walk(person.store):
            for name in files:
                tap.equal(os.stat(os.path.join(folder, name)).st_mode & 0o077, 0, name)
    for bad in ("../alice", ".hidden", "a/b", "", "x" * 65):
        got = w.machine.run("--profile", bad, "whoami")
        tap.equal(got.code, 1, f"profile {bad!r}")
        tap.check("not a profile's name" in got.err, got.err)


# --- locking ---

@tap.case
def a_wrong_password_opens_nothing(w):
    w.alice.run("lock")
    wrong = os.path.join(w.machine.folder, "wrong")
    with open(wrong, "w", encoding="utf-8") as f:
        f.write("wrong horse 7!\n")
    os.chmod(wrong, 0o600)
    got = w.machine.run("--profile", "alice", "--password-file", wrong, "users")
    tap.equal(got.code, 1, "exit")
    tap.check("password is wrong" in got.err.lower(), got.err)
    tap.equal(got.out, "", "nothing on stdout")
    got = w.machine.run("--profile", "alice", "users")
    tap.equal(got.code, 1, "without a terminal and without a file")
    tap.check("no terminal" in got.err and "--password-file" in got.err, got.err)
    got = w.machine.run("--profile", "alice", "--password-file", "/nowhere", "users")
    tap.equal(got.code, 1, "a file that is not there")
    os.chmod(wrong, 0o644)
    got = w.machine.run("--profile", "alice", "--password-file", wrong, "users")
    tap.check("others can read" in got.err, "a warning about the mode")


@tap.case
def the_password_is_asked_for_at_the_terminal(w):
    w.alice.run("lock")
    with w.machine.terminal("--profile", "alice", "users", "bob") as t:
        t.expect("Password of alice: ")
        t.line(PASSWORD)
        t.expect("bob")
        t.end(0)
        tap.check(PASSWORD not in t.text, "not echoed")
    w.alice.run("lock")
    with w.machine.terminal("--profile", "alice", "users", "bob", stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL) as t:
        t.expect("Password of alice: ")  # on /dev/tty, whatever stdin and stdout are
        t.line(PASSWORD)
        t.end(0)


@tap.case
def the_terminal_is_as_before_after_an_interrupt(w):
    """Ctrl-C at a hidden prompt must not leave the shell without echo."""
    w.alice.run("lock")
    line = " ".join(shlex.quote(x) for x in (program("tacit"), "--profile", "alice", "users"))
    with Terminal(["sh", "-c", f"trap : INT; stty -a | grep -c -- '-echo '; {line}; echo code $?; "
                   "stty -a | grep -o -- '-\\?echo '; echo end"],
                  env=w.machine.environment()) as t:
        t.expect("Password of alice: ")
        t.control("C")
        code = t.expect(r"code (\d+)")[1]
        tap.check(code != "0", f"exit {code}")
        tap.equal(t.expect(r"(-?echo) ")[1], "echo", "echo is on")
        t.expect("end")
        t.end(0)


@tap.case
def locking_and_unlocking(w):
    if not has_keyring(w):
        tap.skip("the kernel keeps no keys here")
    bare = ("--profile", "alice", "users", "bob")
    tap.equal(w.machine.run(*bare).code, 0, "unlocked: no password needed")
    tap.equal(w.machine.run("--profile", "alice", "lock").code, 0, "lock")
    tap.equal(w.machine.run(*bare).code, 1, "locked")
    tap.equal(w.alice.run("unlock").code, 0, "unlock")
    tap.equal(w.machine.run(*bare).code, 0, "unlocked again")
    tap.equal(w.machine.run("--profile", "bob", "lock").code, 0, "another profile")
    tap.equal(w.machine.run(*bare).code, 0, "is not this one")


# --- sessions and devices ---

@tap.case
def after_a_logout_one_logs_in_again(w):
    w.bob.must("logout")
    got = w.bob.run("users")
    tap.equal(got.code, 1, "logged out")
    tap.check("tacit login" in got.err, got.err)
    got = w.bob.run("login", text="000000\n")
    tap.equal(got.code, 1, "a wrong code")
    got = w.bob.run("login", text=w.bob.factor() + "\n")
    tap.equal(got.code, 0, f"login {got!r}")
    tap.equal(w.bob.run("users").code, 0, "logged in")


@tap.case
def a_recovery_code_replaces_the_app_once(w):
    code = w.bob.recovery_codes.pop()
    w.bob.must("logout")
    got = w.bob.run("login", text=code + "\n")
    tap.equal(got.code, 0, f"login {got!r}")
    w.bob.must("logout")
    tap.equal(w.bob.run("login", text=code + "\n").code, 1, "a second time")
    w.bob.must("login", text=w.bob.factor() + "\n")


@tap.case
def a_second_device_reads_and_writes(w):
    with Machine(w.server) as laptop:
        there = w.alice.elsewhere(laptop)
        wrong = laptop.person("alice", profile="wrong", password="wrong horse 7!")
        wrong.secret, wrong.last_step, wrong.recovery_codes = w.alice.secret, w.alice.last_step, []
        got = wrong.run("login", "--username", "alice", "--email", "alice@example.org", text="000000\n")
        tap.equal(got.code, 1, "with a wrong password")
        got = there.login()
        tap.equal(got.code, 0, f"login {got!r}")
        w.alice.last_step = there.last_step
        tap.check("new device" in got.out, got.out)
        devices = w.alice.json("devices").of("device")
        tap.equal((len(devices), sum(d["current"] for d in devices)), (2, 1), f"devices {devices}")
        w.bob.must("send", "alice", "to both devices")
        tap.equal(w.alice.inbox(), [("bob", "to both devices")], "the first device")
        there.must("inbox")  # read already, by the person, on the other one
        tap.equal(there.history("bob"), ["to both devices"], "the second")
        there.must("send", "bob", "from the second")
        tap.equal(w.bob.inbox(), [("alice", "from the second")], "the other person")
        w.alice.must("inbox")
        tap.check("from the second" in w.alice.history("bob"), f"{w.alice.history('bob')}")
        other = [d["id"] for d in devices if not d["current"]][0]
        w.server.stop()
        tap.equal(there.run("send", "bob", "from a device that is removed").code, 1, "it waits")
        w.server.restart()
        w.alice.must("devices", "revoke", other[:8])
        w.bob.must("send", "alice", "after the revocation")
        tap.equal(w.alice.inbox(), [("bob", "after the revocation")], "the first device")
        seen = there.run("--json", "inbox")
        tap.check("after the revocation" not in seen.out, "the revoked device reads nothing new")
        tap.equal(seen.code, 1, f"its login {seen!r}")
        tap.check("NOT_LOGGED_IN" in seen.out + seen.err, f"has ended: {seen!r}")
        there.last_step = w.alice.last_step
        w.alice.must("send", "bob", "without the other device")
        got = there.login()
        w.alice.last_step = there.last_step
        tap.equal(got.code, 1, f"to log in there {got!r}")
        tap.check("This device was removed from your account. Messages that were not sent: 1" in got.err, got.err)
        tap.check("log in as a new device" in got.err, got.err)
        tap.check("from a device that is removed" in there.must("outbox", "list").out, "it can be read, or dropped")
        for words in (["inbox"], ["send", "bob", "from there all the same"]):
            got = there.run(*words)
            tap.equal(got.code, 1, f"{words} there {got!r}")
            tap.check("You are not logged in" in got.err, got.err)
        tap.equal(w.bob.inbox(), [("alice", "without the other device")], "what came of it")
        own = [d["id"] for d in w.alice.json("devices").of("device") if d["current"]][0]
        got = w.alice.run("devices", "revoke", own[:8])
        tap.equal(got.code, 1, f"this very device {got!r}")


@tap.case
def login_at_a_terminal(w):
    with Machine(w.server) as laptop:
        with laptop.terminal("--server", w.server.url, "login") as t:
            t.expect("Username: ")
            t.line("bob")
            t.expect("E-mail: ")
            t.line("bob@example.org")
            t.expect("Password: ")
            t.line(PASSWORD)
            t.expect("TOTP or recovery code: ")
            t.line(w.bob.factor())
            t.expect("You are bob")
            t.expect("new device")
            t.end(0)
        laptop.run("lock")


# --- the prompt ---

@tap.case
def a_session_at_the_prompt(w):
    w.alice.run("unlock")
    with w.alice.terminal() as t:
        t.expect("quit to leave")
        t.expect("alice> ")
        t.line("whoami")
        t.expect("alice <alice@example.org>")
        t.line("send bob 'from the prompt, in quotes'")
        t.expect("alice> ")
        t.line("users bob")
        t.expect("bob")
        t.line("nonsense here")
        t.expect("There is no command nonsense")
        t.line("send")
        t.expect("usage: tacit send")
        t.line("'open quote")
        t.expect("quote is not closed")
        t.line("help send")
        t.expect("usage: tacit send")
        t.line("--profile bob whoami")
        t.expect("quit first")
        t.line("lock")
        t.expect("alice> |tacit> ")
        t.line("quit")
        t.end(0)
    tap.check(("alice", "from the prompt, in quotes") in w.bob.inbox(), "it arrived")


@tap.case
def the_prompt_ends_with_ctrl_d_and_survives_ctrl_c(w):
    with w.alice.terminal() as t:
        t.expect("alice> ")
        t.type("half a line")
        t.expect("half a line")
        t.control("C")
        t.expect("alice> ")
        t.line("whoami")
        t.expect("alice <.*> on ")
        t.expect("alice> ")
        t.control("D")
        t.end(0)


@tap.case
def the_prompt_without_an_account(w):
    with w.machine.terminal("--profile", "nobody-yet", "--server", w.server.url) as t:
        t.expect("Type register")
        t.expect("tacit> ")
        t.line("whoami")
        t.expect("no account in this profile")
        t.line("quit")
        t.end(0)


# --- how it speaks ---

@tap.case
def without_a_terminal_no_command_is_usage(w):
    got = w.machine.run()
    tap.equal((got.code, got.out), (2, ""), "exit and stdout")
    tap.check(got.err.startswith("usage: tacit"), got.err[:100])


@tap.case
def wrong_usage_is_2(w):
    for words in (["nonsense"], ["send"], ["group"], ["group", "nonsense"], ["whoami", "too", "much"],
                  ["send", "--nonsense", "bob", "x"], ["--nonsense"], ["--profile"], ["file", "get"],
                  ["history", "--number", "x", "bob"], ["verify"], ["help", "nonsense"],
                  ["inbox", "--peek=yes"], ["register", "bad name!", "--email", "x@example.org"]):
        got = w.machine.run("--profile", "usage", *words)
        tap.equal((got.code, got.out), (2, ""), f"tacit {' '.join(words)}: {got.err}")
        tap.check(got.err.startswith(("tacit: error: ", "usage:")), got.err)


@tap.case
def help_is_on_stdout(w):
    for words in (["--help"], ["help"], ["send", "--help"], ["help", "send"], ["group", "--help"],
                  ["group", "create", "-h"], ["--version"]):
        got = w.machine.run(*words)
        tap.equal((got.code, got.err), (0, ""), " ".join(words))
        tap.check(got.out != "", " ".join(words))


@tap.case
def failures_are_1_and_on_stderr(w):
    for words, person in ((["send", "nobody-here", "x"], w.alice), (["file", "get", "abc"], w.alice),
                          (["group", "show", "no such group"], w.alice),
                          (["file", "send", "bob", "/nowhere/at/all"], w.alice),
                          (["verify", "nobody-here"], w.alice), (["chat", "nobody-here"], w.alice)):
        got = person.run(*words)
        tap.equal((got.code, got.out), (1, ""), f"tacit {' '.join(words)}: {got!r}")
        tap.check(re.match(r"tacit: error: .+\n", got.err), got.err)
        got = person.run("--json", *words)
        tap.equal((got.code, got.out), (1, ""), f"tacit --json {' '.join(words)}")
        tap.check(got.err.lstrip().startswith('{"type":"error","code":"'), got.err)
    got = w.machine.run("--profile", "nobody-there", "whoami")
    tap.equal(got.code, 1, "no account")
    tap.check("tacit register" in got.err and "tacit login" in got.err, "what to do is said")


@tap.case
def plain_http_to_other_machines_is_refused(w):
    got = w.machine.run("--profile", "plain", "--server", "http://192.0.2.1:5000", "register", "x",
                        "--email", "x@example.org", "--password-file", w.alice.password_file)
    tap.equal(got.code, 1, f"exit {got!r}")
    tap.check("--insecure-http" in got.err, got.err)


@tap.case
def no_terminal_no_colours(w):
    for words in (["users"], ["--help"], ["verify", "bob"], ["history"]):
        got = w.alice.run(*words)
        tap.check("\x1b" not in got.out + got.err, f"{words}: escape sequences in a pipe")


@tap.case
def ended_by_a_signal_is_not_done(w):
    process = w.alice.start("send", "bob", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    tap.check(process.returncode != 0, f"exit {process.returncode}: {err!r}")


@tap.case
def an_invitation_comes_from_a_file(w):
    with Server(REGISTRATION="invite") as server, Machine(server) as machine:
        code = server.invitation()
        got = machine.person("uninvited").run("register", "uninvited", "--email", "u@example.org")
        tap.equal(got.code, 1, "without one")
        path = os.path.join(machine.folder, "invitation")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
            out.write(code + "\n")
        boss = machine.person("boss").register("--invitation-file", path)
        tap.check("boss" in boss.must("whoami").out, "registered")


# --- safety numbers ---

@tap.case
def safety_numbers_are_the_same_on_both_sides(w):
    ours = w.alice.json("verify", "bob").of("safety_number")[0]
    theirs = w.bob.json("verify", "alice").of("safety_number")[0]
    tap.equal(digits(ours["number"]), digits(theirs["number"]), "numbers")
    tap.check(len(digits(ours["number"])) >= 30, "long enough")
    tap.equal(ours["verified"], False, "not yet")
    got = w.alice.run("verify", "bob", "--compare", "1" * 60)
    tap.equal(got.code, 1, "another number")
    tap.check("NOT the same" in got.err, got.err)
    w.alice.must("verify", "bob", "--compare", theirs["number"])
    tap.equal(w.alice.json("verify", "bob").of("safety_number")[0]["verified"], True, "verified")
    tap.check("verified" in w.alice.must("users", "bob").out, "shown in users")


@tap.case
def safety_numbers_in_words(w):
    erin = w.machine.register("erin")
    ours = w.bob.json("verify", "erin").of("safety_number")[0]
    theirs = erin.json("verify", "bob").of("safety_number")[0]
    tap.equal(ours["words"], theirs["words"], "words")
    words = theirs["words"].split()
    tap.equal(len(words), 24, "so many")
    shown = w.bob.must("verify", "erin").out
    tap.check(all(word in shown for word in words), shown)
    for wrong, why in ((words[1:], "no safety number"), (words[:-1], "no safety number"), (words[::-1], "NOT the same"),
                       ([*words, "abacus"], "no safety number"), (["abacux", *words[1:]], "no safety number")):
        got = w.bob.run("verify", "erin", "--compare", " ".join(wrong))
        tap.check(got.code == 1 and why in got.err, got.err)
    tap.equal(w.bob.json("verify", "erin").of("safety_number")[0]["verified"], False, "not by these")
    w.bob.must("verify", "erin", "--compare", ", ".join(words).upper())
    tap.equal(w.bob.json("verify", "erin").of("safety_number")[0]["verified"], True, "verified")


@tap.case
def verifying_at_a_terminal(w):
    w.bob.run("unlock")
    with w.bob.terminal("verify", "alice") as t:
        t.expect("Safety number with alice")
        t.expect("face to face")
        t.expect("yes or no")
        t.line("no")
        t.expect("Not verified")
        t.end(0)
    with w.bob.terminal("verify", "alice") as t:
        t.expect("yes or no")
        t.line("yes")
        t.expect("alice is verified")
        t.end(0)


tap.main(world)
