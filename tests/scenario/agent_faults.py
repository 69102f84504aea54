"""An agent that is killed, cut off or asked two things at once, at the moments where something could be lost:
what it has told its programs holds, and no account is left that nobody can log in to."""
import contextlib
import os
import signal
import socket
import stat
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.agent import PASSWORD, Agent, Person, refused  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.server import Server  # noqa: E402

SECONDS = 60
VERIFY, DEVICES = "/api/register/verify-2fa", "/api/devices"


class Toll:
    """Between agents and the server: stops at the first request of a path, before it goes on (`request`) or when
    the answer is there (`answer`), until it is lifted or cut."""

    def __init__(self, server):
        self.server, self.path, self.what = server, None, None
        self.reached, self.lifted = threading.Event(), threading.Event()
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop_at(self, path, what):
        self.reached.clear()
        self.lifted.clear()
        self.path, self.what = path, what

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _wait(self):
        self.path = None
        self.reached.set()
        self.lifted.wait()

    def _serve(self, near):
        held = threading.Event()
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.server.port)) as far:
            self.sockets += [near, far]
            threading.Thread(target=self._forth, args=(near, far, held), daemon=True).start()
            while piece := far.recv(65536):
                if held.is_set():
                    held.clear()
                    self._wait()
                near.sendall(piece)
            near.shutdown(socket.SHUT_WR)

    def _forth(self, near, far, held):
        with contextlib.suppress(OSError):
            while piece := near.recv(65536):
                line = piece.split(b"\r\n", 1)[0].decode(errors="replace")
                if self.path is not None and f" {self.path} " in line.replace("?", " "):
                    if self.what == "request":
                        self._wait()
                    else:
                        held.set()
                far.sendall(piece)
            far.shutdown(socket.SHUT_WR)

    def cut(self):
        """Every connection of now breaks; what was held is gone."""
        self.path = None
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.sockets = []
        self.lifted.set()

    def close(self):
        self.cut()
        self.listener.close()


class World:
    pass


@contextlib.contextmanager
def world():
    with Server() as server, contextlib.closing(Toll(server)) as toll, Agent(toll, "--no-token") as agent:
        w = World()
        w.server, w.toll, w.agent = server, toll, agent
        w.bob = agent.person("bob")
        yield w


def kill(agent):
    agent.process.send_signal(signal.SIGKILL)
    agent.process.wait()
    agent.process.stdout.close()
    agent.process = None


def registering(agent):
    folder = os.path.join(agent.home, "data/tacit/agent")
    return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".registering")]


def begin_register(w, name):
    """In a thread; its answer, or None when the agent was killed."""
    got = []

    def run():
        with contextlib.suppress(OSError):
            got.append(w.agent.post("/api/register", {"username": name, "password": PASSWORD}))
    thread = threading.Thread(target=run)
    thread.start()
    return thread, got


def kill_while_registering(w, name, path, what):
    w.toll.stop_at(path, what)
    thread, _ = begin_register(w, name)
    tap.check(w.toll.reached.wait(SECONDS), f"{path} was asked for")
    kill(w.agent)
    w.toll.cut()
    thread.join()
    w.agent.start()
    return Person(w.agent, name)


def is_whole(w, person):
    """Logged in by the password alone, can write, and can log in again after another restart."""
    tap.equal(person.try_login().status_code, 200, f"{person.username} logs in")
    person.send("bob", f"from {person.username}")
    tap.equal(registering(w.agent), [], "nothing is left of the registration")
    tap.equal(person.try_login().status_code, 200, "and again")


# --- registering ----------------------------------------------------------------------------------

@tap.case
def killed_when_the_server_has_the_account_and_nobody_knows(w):
    alice = kill_while_registering(w, "alice", VERIFY, "answer")
    left = registering(w.agent)
    tap.equal(len(left), 1, "what was kept")
    tap.equal(stat.S_IMODE(os.stat(left[0]).st_mode), 0o600, "for nobody else")
    with open(left[0], "rb") as f:
        content = f.read()
    tap.check(b"otpauth" not in content and PASSWORD.encode() not in content, "sealed")
    refused(w.agent.post("/api/register", {"username": "alice", "password": PASSWORD}), 409, "USER_EXISTS")
    refused(w.agent.post("/api/login", {"username": "alice", "password": "wrong horse 7!"}), 401,
            "INVALID_CREDENTIALS")
    tap.equal(registering(w.agent), left, "a wrong password costs nothing")
    is_whole(w, alice)
    w.agent.stop()
    with open(os.open(left[0], os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
        f.write(content)  # as when it was killed right before this was to go
    w.agent.start()
    is_whole(w, alice)


@tap.case
def killed_when_the_profile_has_the_account_and_not_its_secret(w):
    is_whole(w, kill_while_registering(w, "carol", DEVICES, "request"))


@tap.case
def killed_before_the_server_hears_of_it(w):
    dave = kill_while_registering(w, "dave", VERIFY, "request")
    refused(dave.try_login(), 401, "INVALID_CREDENTIALS")
    is_whole(w, dave.register())


@tap.case
def what_is_left_of_one_that_came_to_nothing_is_not_taken_for_another(w):
    oscar = kill_while_registering(w, "oscar", VERIFY, "request")
    tap.equal(len(registering(w.agent)), 1, "it is kept")
    with Machine(w.server) as machine:
        there = machine.register("oscar")
        answer = oscar.try_login(totp=there.factor(), email=there.email)
        tap.equal(answer.status_code, 200, answer.text)
    tap.equal(registering(w.agent), [], "nothing is left of it")
    refused(oscar.try_login(), 401, "TOTP_REQUIRED")


@tap.case
def an_answer_that_is_lost_costs_no_account(w):
    w.toll.stop_at(VERIFY, "answer")
    thread, got = begin_register(w, "erin")
    tap.check(w.toll.reached.wait(SECONDS), "it was asked for")
    w.toll.cut()
    thread.join()
    tap.equal(got[0].status_code, 201, got[0].text)
    is_whole(w, Person(w.agent, "erin"))


@tap.case
def a_server_that_vanishes_costs_no_account(w):
    w.toll.stop_at(VERIFY, "answer")
    thread, got = begin_register(w, "vera")
    tap.check(w.toll.reached.wait(SECONDS), "it was asked for")
    w.server.kill()
    w.toll.cut()
    thread.join()
    refused(got[0], 503, "SERVER_UNREACHABLE")
    w.server.start()
    is_whole(w, Person(w.agent, "vera"))


@tap.case
def killed_at_any_moment(w):
    started = time.monotonic()
    w.agent.person("measure")
    whole = time.monotonic() - started
    for number in range(4):
        name = f"frank{number}"
        thread, got = begin_register(w, name)
        time.sleep(whole * (number + 0.5) / 5)
        kill(w.agent)
        thread.join()
        w.agent.start()
        person = Person(w.agent, name)
        if person.try_login().status_code != 200:
            tap.equal(got, [], "what was told holds")
            person.register()
        is_whole(w, person)


# --- sessions -------------------------------------------------------------------------------------

@tap.case
def a_session_that_ended_with_the_process_is_told_from_one_that_never_was(w):
    made = w.agent.post("/api/session/create", {"password": "x"}).json()
    path = f"/api/session/{made['session_id']}"
    sent = w.agent.call("POST", path + "/upload", files={"file": ("a", b"some words")}).json()
    with Agent(w.server, "--no-token") as other:
        body = {"password": "x", "verification_code": made["verification_code"]}
        tap.equal(other.post(path + "/join", body).status_code, 200, "join")
        for agent, role in ((w.agent, "creator"), (other, "joiner")):
            kill(agent)
            agent.start()
            status = agent.get(path + "/status").json()
            tap.equal((status["status"], status["role"]), ("closed", role), "it was")
            for answer in (agent.get(path + "/files"), agent.get(f"{path}/download/{sent['file_id']}"),
                           agent.post(path + "/join", body), agent.post(path + "/close")):
                refused(answer, 410, "SESSION_CLOSED", "The session is closed: the agent has been started anew since.")
    refused(w.agent.get(f"/api/session/{'0' * 32}/status"), 404, "SESSION_NOT_FOUND")
    kept = os.path.join(w.agent.home, "data/tacit/agent/sessions")
    tap.equal(stat.S_IMODE(os.stat(kept).st_mode), 0o600, "for nobody else")
    with open(kept, "a", encoding="ascii") as f:
        f.write("no id at all\n" * 500)
    with Agent(w.server, "--no-token", home=w.agent.home) as second:
        refused(second.get(path + "/status"), 404, "SESSION_NOT_FOUND")
    w.agent.stop()
    w.agent.start()
    tap.equal(w.agent.get("/health").status_code, 200, "what is torn is no obstacle")


def join_before_the_creator(toll, creator, joiner, seconds):
    """The creator reaches the relay so much later; the joiner's answer."""
    toll.stop_at("/api/transfer", "request")
    made = creator.post("/api/session/create", {"password": "x"}).json()
    tap.check(toll.reached.wait(SECONDS), "the creator is on its way")
    body = {"password": "x", "verification_code": made["verification_code"]}
    got = []
    thread = threading.Thread(
        target=lambda: got.append(joiner.post(f"/api/session/{made['session_id']}/join", body)))
    thread.start()
    time.sleep(seconds)
    toll.lifted.set()
    thread.join()
    return got[0]


@tap.case
def a_creator_that_comes_while_the_joiner_looks_elsewhere_is_met(w):
    with contextlib.closing(Toll(w.server)) as toll, Agent(toll, "--no-token", TACIT_LAN="off") as creator, \
            Agent(w.server, "--no-token", JOIN_TIMEOUT=12) as joiner:
        for _ in range(5):  # the last four seconds are for this network; a machine that is too slow tries again
            answer = join_before_the_creator(toll, creator, joiner, 8.5)
            if answer.status_code == 200:
                break
        tap.equal(answer.status_code, 200, answer.text)


# --- what is told of the disk and of the server ---------------------------------------------------

@tap.case
def a_disk_that_takes_nothing_is_not_healthy(w):
    folder = os.path.join(w.agent.home, "uploads")
    os.mkdir(folder)
    with Agent(w.server, "--no-token", UPLOAD_FOLDER=folder) as agent:
        tap.equal(agent.get("/health").json()["status"], "healthy", "with its folder")
        os.rmdir(folder)
        refused(agent.get("/health"), 503, "STORE_UNAVAILABLE")
        made = agent.post("/api/session/create", {"password": "x"}).json()
        answer = agent.call("POST", f"/api/session/{made['session_id']}/upload", files={"file": ("a", b"x")})
        refused(answer, 503, "STORE_UNAVAILABLE")
        os.mkdir(folder)
        tap.equal(agent.get("/api/health").status_code, 200, "and again")


@tap.case
def a_server_that_is_away_is_told_of_and_comes_back(w):
    heidi = w.agent.person("heidi")
    w.server.stop()
    for method, path, body in (("GET", "/api/users", None), ("GET", "/api/messages", None),
                               ("POST", "/api/group-messages", {"recipients": ["bob", "alice"], "message": "x"}),
                               ("POST", "/api/forgot-password", {"email": "a@example.org"}),
                               ("POST", "/api/register", {"username": "ivan", "password": PASSWORD})):
        refused(w.agent.call(method, path, session=heidi.session, json=body), 503, "SERVER_UNREACHABLE")
    tap.equal(w.agent.get("/health").status_code, 200, "the agent itself is well")
    w.server.start()
    tap.equal(heidi.get("/api/users").status_code, 200, "no restart, no login")
    heidi.send("bob", "back")


tap.main(world)
