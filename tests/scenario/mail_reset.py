"""Forgotten passwords: letters that a real tacitd sends to a mail server, and what an agent can do with the
tokens in them, for somebody who is still logged in."""
import contextlib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.agent import PASSWORD, Agent, Person, refused  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.client import Person as Api  # noqa: E402
from support.letters import LetterBox  # noqa: E402
from support.server import Server, program  # noqa: E402

NEW = "another horse 8!"


class World:
    pass


@contextlib.contextmanager
def world():
    with LetterBox(("tacit", "its password")) as box, \
            Server(SMTP_HOST="127.0.0.1", SMTP_PORT=box.port, SMTP_FROM="tacit@example.org",
                   SMTP_USER="tacit", SMTP_PASSWORD="its password") as server, \
            Agent(server, "--no-token") as agent:
        w = World()
        w.box, w.server, w.agent = box, server, agent
        w.alice = agent.person("alice", email="alice@example.org")
        w.bob = agent.person("bob", email="bob@example.org")
        yield w


def forget(w, address):
    """Asks for a letter and gives the token in it."""
    count = len(w.box.letters)
    answer = w.agent.post("/api/forgot-password", {"email": address})
    tap.equal(answer.status_code, 200, answer.text)
    to, _, letter = w.box.wait(count + 1)
    tap.equal(to, [address], "to whom")
    return re.search(r"^ {4}(\S+)\r?$", letter.get_payload(), re.M).group(1)


@tap.case
def a_letter_comes_and_the_token_changes_the_password(w):
    w.bob.send("alice", "before")
    token = forget(w, "alice@example.org")
    letter = w.box.letters[-1][2]
    tap.equal((letter["From"], letter["To"]), ("tacit <tacit@example.org>", "<alice@example.org>"), "headers")
    tap.check(letter["Message-ID"] and letter["Date"] and letter["Subject"], f"{letter.items()}")
    refused(w.agent.post("/api/reset-password", {"token": token, "new_password": "short"}), 400,
            "WEAK_PASSWORD", "Password must be at least 8 characters long")
    answer = w.agent.post("/api/reset-password", {"token": token, "new_password": NEW})
    tap.equal(answer.status_code, 200, answer.text)
    refused(w.alice.get("/api/messages"), 401, "NOT_LOGGED_IN")
    refused(w.alice.try_login(), 401, "INVALID_CREDENTIALS")
    w.alice.password = NEW
    tap.equal(w.alice.try_login().status_code, 200, "the new one")
    tap.check(("bob", "before") in w.alice.texts(), "the keys are the same ones")
    w.bob.send("alice", "after")
    tap.check(("bob", "after") in w.alice.texts(), "and still in use")
    refused(w.agent.post("/api/reset-password", {"token": token, "new_password": PASSWORD}), 400,
            "RESET_TOKEN_EXPIRED", "Reset token has expired")


@tap.case
def what_is_no_token_has_expired(w):
    for token in ("alice." + "A" * 43, "nonsense", "nobody." + "A" * 43, "bob.", "a b.c", "."):
        answer = w.agent.post("/api/reset-password", {"token": token, "new_password": NEW})
        if token.startswith("nobody"):
            refused(answer, 409, "KEYS_ELSEWHERE")
        else:
            refused(answer, 400, "RESET_TOKEN_EXPIRED", "Reset token has expired")


@tap.case
def an_address_that_nobody_has_looks_the_same(w):
    before = len(w.box.letters)
    one = w.agent.post("/api/forgot-password", {"email": "nobody@example.org"})
    forget(w, "bob@example.org")
    tap.equal(one.status_code, 200, one.text)
    tap.equal(len(w.box.letters), before + 1, "and no letter leaves")
    refused(w.agent.post("/api/forgot-password", {"email": "no address"}), 400, "INVALID_FIELD")


@tap.case
def the_token_of_one_is_nothing_for_another(w):
    token = forget(w, "bob@example.org").split(".")[-1]
    answer = w.agent.post("/api/reset-password", {"token": f"alice.{token}", "new_password": PASSWORD})
    refused(answer, 400, "RESET_TOKEN_EXPIRED", "Reset token has expired")
    for person in (w.alice, w.bob):
        tap.equal(person.get("/api/users").status_code, 200, f"nothing has happened to {person.username}")
    answer = w.agent.post("/api/reset-password", {"token": f"bob.{token}", "new_password": NEW})
    tap.equal(answer.status_code, 200, "it was not used up")
    w.bob.password = NEW
    w.bob.login()


@tap.case
def without_the_keys_the_token_is_nothing(w):
    with Agent(w.server, "--no-token") as elsewhere:
        token = forget(w, "bob@example.org")
        refused(elsewhere.post("/api/reset-password", {"token": token, "new_password": NEW}), 409,
                "KEYS_ELSEWHERE")
    w.bob.post("/api/logout")
    answer = w.agent.post("/api/reset-password", {"token": token, "new_password": PASSWORD})
    refused(answer, 409, "KEYS_ELSEWHERE")
    w.bob.login()


@tap.case
def the_server_wants_the_signature(w):
    stranger = Api(w.server)
    stranger.register()
    token = forget(w, "bob@example.org")
    answer = stranger.signed("/api/reset-password", {
        "token": token, "password_hash": "0" * 64, "encrypted_private_key": "a2V5", "encryption_iv": "0" * 24})
    tap.equal((answer.status, answer.code), (401, "BAD_SIGNATURE"), f"{answer!r}")
    for data in ({}, {"token": token}, {"token": token, "password_hash": "x" * 64}):
        answer = stranger.signed("/api/reset-password", data)
        tap.check(answer.status in (400, 401, 422), f"{answer!r}")
    tap.equal(w.bob.get("/api/users").status_code, 200, "bob's sessions live")


@tap.case
def a_token_expires(w):
    token = forget(w, "bob@example.org")
    w.server.stop()
    w.server.sql("UPDATE tokens SET expires_at = 1")
    w.server.start()
    refused(w.agent.post("/api/reset-password", {"token": token, "new_password": PASSWORD}), 400,
            "RESET_TOKEN_EXPIRED", "Reset token has expired")


@tap.case
def a_mail_server_that_is_busy_is_asked_again(w):
    w.box.refusing = 1
    forget(w, "bob@example.org")


@tap.case
def nothing_of_it_is_logged(w):
    log = w.server.log()
    tap.check("bob@example.org" not in log and "its password" not in log, "no address, no password")
    for _, content, _ in w.box.letters:
        token = re.search(rb"^ {4}(\S+)\r$", content, re.M).group(1).decode()
        tap.check(token.split(".")[-1] not in log, "no token")


@tap.case
def settings_are_checked(_):
    for settings in ({"SMTP_HOST": "mail.example.org"}, {"SMTP_HOST": "a b", "SMTP_FROM": "a@example.org"},
                     {"SMTP_HOST": "mail.example.org", "SMTP_FROM": "nobody"},
                     {"SMTP_HOST": "mail.example.org", "SMTP_FROM": "a@example.org", "SMTP_USER": "a"}):
        with Machine(None) as machine:
            got = subprocess.run([program("tacitd"), "--listen", "127.0.0.1:0", "--data", machine.data],
                                 capture_output=True, text=True, timeout=60,
                                 env={**machine.environment(), **settings})
            tap.check(got.returncode != 0 and "smtp-" in got.stderr + got.stdout, f"{settings}: {got}")


tap.main(world)
