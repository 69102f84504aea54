"""Two agents on one network without any server: a session's parties find each other by multicast DNS, guesses
cost what they cost elsewhere, and a cable that is pulled costs time alone."""
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import lan, tap  # noqa: E402
from support.agent import Agent  # noqa: E402
from support.server import Server  # noqa: E402

MIB = 1024 * 1024
SECONDS = 120
IMPOSSIBLE = lan.enter()  # starts this program anew, if it is not


def wait_for(condition, what):
    until = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.05)


class World:
    def __init__(self, cable, near, far):
        self.cable, self.near, self.far = cable, near, far

    def ask(self, agent, path, *words, body=None):
        """By curl, in that agent's part of the network: status and what was said."""
        if body is not None:
            words += ("-H", "Content-Type: application/json", "-d", json.dumps(body))
        got = subprocess.run([*agent.wrapper, "curl", "-sS", "-w", "\n%{http_code}", *words, agent.url + path],
                             capture_output=True, timeout=SECONDS, check=True).stdout
        said, _, status = got.rpartition(b"\n")
        return int(status), said

    def tell(self, agent, path, *words, body=None):
        status, said = self.ask(agent, path, *words, body=body)
        return status, json.loads(said)

    def create(self, agent, password="a password"):
        status, made = self.tell(agent, "/api/session/create", body={"password": password})
        tap.equal(status, 201, f"{made}")
        return made

    def join(self, agent, made, password="a password"):
        return self.tell(agent, f"/api/session/{made['session_id']}/join",
                         body={"password": password, "verification_code": made["verification_code"]})

    def upload(self, agent, made, content):
        path = os.path.join(agent.home, "upload.bin")
        with open(path, "wb") as f:
            f.write(content)
        status, got = self.tell(agent, f"/api/session/{made['session_id']}/upload", "-F", f"file=@{path}")
        tap.equal((status, got.get("sha256")), (200, hashlib.sha256(content).hexdigest()), f"{got}")
        return got

    def files(self, agent, made):
        return self.tell(agent, f"/api/session/{made['session_id']}/files")[1]["files"]

    def status(self, agent, made):
        return self.tell(agent, f"/api/session/{made['session_id']}/status")[1]

    def has(self, agent, made, sent, content):
        wait_for(lambda: any(f["file_id"] == sent["file_id"] for f in self.files(agent, made)), "the file")
        status, got = self.ask(agent, f"/api/session/{made['session_id']}/download/{sent['file_id']}")
        tap.equal(status, 200, "download")
        tap.check(got == content, "the same bytes")


@contextlib.contextmanager
def world():
    if IMPOSSIBLE:
        yield None
        return
    settings = {"JOIN_TIMEOUT": 60, "MAX_FILE_SIZE": "100MiB"}
    with lan.Cable() as cable, Agent(None, "--no-token", **settings) as near, \
            Agent(None, "--no-token", wrapper=cable.far, **settings) as far:
        yield World(cable, near, far)


@tap.case
def two_agents_on_one_network_need_no_server(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    made = w.create(w.near)
    status, joined = w.join(w.far, made)
    tap.equal((status, joined.get("status"), joined.get("nearby")), (200, "joined", True), f"{joined}")
    for sender, receiver in ((w.near, w.far), (w.far, w.near)):
        content = os.urandom(3 * MIB)
        w.has(receiver, made, w.upload(sender, made, content), content)
    tap.equal(w.tell(w.far, f"/api/session/{made['session_id']}/close", "-X", "POST")[0], 200, "close")
    wait_for(lambda: w.status(w.near, made)["status"] == "closed", "the end on the other side")


@tap.case
def three_wrong_guesses_end_a_session_there_too(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    made = w.create(w.far)
    for left in (2, 1):
        status, said = w.join(w.near, made, password="wrong")
        tap.equal((status, said["code"]), (401, "WRONG_PASSWORD"), f"{said}")
        wait_for(lambda count=left: w.status(w.far, made)["attempts_left"] == count, "the count")
    status, said = w.join(w.near, made, password="wrong")
    tap.equal((status, said["code"]), (403, "SESSION_LOCKED"), f"{said}")
    wait_for(lambda: w.status(w.far, made)["status"] == "locked", "the lock")


@tap.case
def a_cable_that_is_pulled_costs_time_alone(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    made = w.create(w.near)
    tap.equal(w.join(w.far, made)[0], 200, "join")
    wait_for(lambda: w.status(w.near, made)["peer_connected"], "the link")
    w.cable.pull()
    content, sent = os.urandom(2 * MIB), []
    thread = threading.Thread(target=lambda: sent.append(w.upload(w.near, made, content)))
    thread.start()
    wait_for(lambda: not w.status(w.near, made)["peer_connected"], "the loss")
    w.cable.plug()
    thread.join()
    w.has(w.far, made, sent[0], content)


@tap.case
def one_of_the_two_may_have_a_server(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    with Server() as server, Agent(server, "--no-token", JOIN_TIMEOUT=30) as served:
        made = w.create(w.far)
        status, joined = w.join(served, made)
        tap.equal((status, joined.get("nearby")), (200, True), f"{joined}")
        w.has(served, made, w.upload(w.far, made, b"some words"), b"some words")


@tap.case
def who_switches_it_off_is_silent(w):
    if w is None:
        tap.skip(IMPOSSIBLE)
    with Agent(None, "--no-token", TACIT_LAN="off") as quiet, \
            Agent(None, "--no-token", wrapper=w.cable.far, JOIN_TIMEOUT=3) as asking:
        made = w.create(quiet)
        tap.equal(w.join(asking, made)[1]["code"], "SERVER_UNREACHABLE", "nobody is found")
        listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout.split("\n")
        strange = [line for line in listening if line and "127.0.0.1:" not in line.split()[3]]
        tap.equal(strange, [], "no port but that of loopback")


tap.main(world)
