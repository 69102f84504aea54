"""Transfers without an account, as programs ask agents for them: both parties on one agent, on two
agents through a real tacitd, guessers, and what is left on the disks."""
import contextlib
import hashlib
import os
import re
import subprocess
import sys
import threading
import time

import requests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.agent import Agent, refused  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.server import Server  # noqa: E402

MIB = 1024 * 1024
SECRET = "a password that nobody may find"
WORDS = b"words that nobody may find "
SECONDS = 90


class World:
    pass


@contextlib.contextmanager
def world():
    with Server() as server, Agent(server, "--no-token", MAX_FILE_SIZE="3MiB") as one, \
            Agent(server, "--no-token", MAX_FILE_SIZE="4MiB") as two, \
            Agent(server, "--no-token", JOIN_TIMEOUT=1) as third:
        w = World()
        w.server, w.one, w.two, w.third = server, one, two, third
        yield w


def wait_for(condition, what):
    until = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.02)


class Party:
    """One program, at one agent."""

    def __init__(self, agent, session_id, code):
        self.agent, self.id, self.code = agent, session_id, code

    @classmethod
    def create(cls, agent, password=SECRET):
        answer = agent.post("/api/session/create", {"password": password})
        tap.equal(answer.status_code, 201, answer.text)
        got = answer.json()
        tap.equal(list(got)[:4], ["session_id", "verification_code", "public_key", "status"], "as it is written")
        tap.equal(got["status"], "created", "status")
        tap.check(re.fullmatch(r"[0-9]{6}", got["verification_code"]), got["verification_code"])
        tap.check(re.fullmatch(r"04[0-9a-f]{128}", got["public_key"]), got["public_key"])
        party = cls(agent, got["session_id"], got["verification_code"])
        party.public_key = got["public_key"]
        return party

    def try_join(self, agent, password=SECRET, code=None, **more):
        return agent.post(f"/api/session/{self.id}/join",
                          {"password": password, "verification_code": code or self.code, **more})

    def join(self, agent):
        answer = self.try_join(agent, public_key=self.public_key)
        tap.equal(answer.status_code, 200, answer.text)
        got = answer.json()
        tap.equal((got["role"], got["status"]), ("joiner", "joined"), answer.text)
        return Party(agent, self.id, self.code)

    def post(self, what, **more):
        return self.agent.call("POST", f"/api/session/{self.id}/{what}", **more)

    def get(self, what):
        return self.agent.get(f"/api/session/{self.id}/{what}")

    def try_upload(self, content, name="file.bin", kind="application/octet-stream"):
        return self.post("upload", files={"file": (name, content, kind)})

    def upload(self, content, name="file.bin", **more):
        answer = self.try_upload(content, name, **more)
        tap.equal(answer.status_code, 200, answer.text)
        got = answer.json()
        tap.equal(list(got)[:4], ["file_id", "filename", "size", "sha256"], "as it is written")
        tap.equal(got["size"], len(content), "size")
        tap.equal(got["sha256"], hashlib.sha256(content).hexdigest(), "sha256")
        return got

    def files(self):
        answer = self.get("files")
        tap.equal(answer.status_code, 200, answer.text)
        return answer.json()["files"]

    def download(self, file_id):
        wait_for(lambda: any(f["file_id"] == file_id for f in self.files()), "the file")
        answer = self.get(f"download/{file_id}")
        tap.equal(answer.status_code, 200, answer.content[:200])
        return answer.content

    def status(self):
        return self.get("status").json()


def wrong_code(party):
    return f"{(int(party.code) + 1) % 1000000:06d}"


# --- both on one agent ----------------------------------------------------------------------------

@tap.case
def two_programs_share_one_agent(w):
    creator = Party.create(w.one)
    joiner = creator.join(w.one)
    content = WORDS * 1000
    sent = creator.upload(content, "notes.txt", kind="text/plain")
    tap.equal([(f["file_id"], f["delivered"]) for f in joiner.files()], [(sent["file_id"], True)], "listed")
    tap.equal((creator.status()["attempts_left"], creator.status()["relay_connected"]), (3, False), "status")
    tap.equal(joiner.download(sent["file_id"]), content, "content")
    back = joiner.upload(b"", "empty")
    tap.equal(creator.download(back["file_id"]), b"", "an empty file")
    tap.equal(joiner.post("close").json()["status"], "closed", "close")
    refused(creator.get("files"), 410, "SESSION_CLOSED")
    refused(creator.get(f"download/{sent['file_id']}"), 410, "SESSION_CLOSED")
    refused(creator.try_upload(b"x"), 410, "SESSION_CLOSED")
    refused(creator.try_join(w.one), 410, "SESSION_CLOSED")
    tap.equal(creator.status()["status"], "closed", "status can still be asked")


@tap.case
def a_kind_of_file_that_is_no_text_is_nobodys_trouble(w):
    creator = Party.create(w.one)
    body = (b'--boundary\r\nContent-Disposition: form-data; name="file"; filename="odd"\r\n'
            b"Content-Type: text/\xff\r\n\r\n" + WORDS + b"\r\n--boundary--\r\n")
    answer = creator.post("upload", data=body, headers={"Content-Type": "multipart/form-data; boundary=boundary"})
    tap.equal(answer.status_code, 200, answer.text)
    tap.equal([f["content_type"] for f in creator.files()], ["application/octet-stream"], "listed")


@tap.case
def files_may_wait_for_the_other_party(w):
    creator = Party.create(w.one)
    sent = creator.upload(WORDS, "early.txt")
    refused(creator.try_join(w.one, password="no"), 401, "WRONG_PASSWORD")
    tap.equal(creator.join(w.one).download(sent["file_id"]), WORDS, "it was there before")
    refused(creator.try_join(w.one), 409, "ALREADY_JOINED")


@tap.case
def a_code_may_be_a_number(w):
    creator = Party.create(w.one)
    while not creator.code.startswith("0"):  # what loses a digit as a number
        creator.post("close")
        creator = Party.create(w.one)
    for code in (-1, 1000000, 12.5, True):
        refused(creator.try_join(w.one, code=code), 400, "INVALID_FIELD")
    tap.equal(creator.try_join(w.one, code=int(creator.code)).status_code, 200, "join")


@tap.case
def three_wrong_guesses_end_a_session(w):
    for how in ({"password": "a password"}, {"code": "wrong"}):
        creator = Party.create(w.one)
        creator.upload(WORDS)
        if how.get("code"):
            how = {"code": wrong_code(creator)}
        for left in (2, 1):
            refused(creator.try_join(w.one, **how), 401, "WRONG_PASSWORD")
            tap.equal(creator.status()["attempts_left"], left, "tries left")
        refused(creator.try_join(w.one, **how), 403, "SESSION_LOCKED")
        refused(creator.try_join(w.one), 403, "SESSION_LOCKED")
        refused(creator.get("files"), 403, "SESSION_LOCKED")
        tap.equal(creator.status()["status"], "locked", "status")


@tap.case
def what_a_session_needs_is_checked(w):
    for body in ({}, {"password": ""}, {"password": 7}, {"password": "x" * 1025}):
        refused(w.one.post("/api/session/create", body), 400, "INVALID_FIELD")
    creator = Party.create(w.one)
    for body in ({"password": SECRET}, {"verification_code": creator.code}, {},
                 {"password": SECRET, "verification_code": creator.code, "public_key": "04abcd"},
                 {"password": SECRET, "verification_code": creator.code, "public_key": "04" + "11" * 64}):
        refused(w.one.post(f"/api/session/{creator.id}/join", body), 400, "INVALID_FIELD")
    tap.equal(creator.status()["attempts_left"], 3, "none of that was a guess")
    for path in ("0" * 32, "nonsense", "..", "A" * 32):
        refused(w.one.get(f"/api/session/{path}/status"), 404,
                "NOT_FOUND" if path == ".." else "SESSION_NOT_FOUND")
    refused(creator.get("download/" + "0" * 32), 404, "FILE_NOT_FOUND")
    refused(creator.get("download/..%2f..%2fetc%2fpasswd"), 404, "NOT_FOUND")


@tap.case
def uploads_are_checked(w):
    creator = Party.create(w.one)
    refused(creator.post("upload", json={"file": "x"}), 400, "INVALID_UPLOAD")
    refused(creator.post("upload", files={"other": ("name", b"x")}), 400, "INVALID_UPLOAD")
    refused(creator.try_upload(b"x" * (3 * MIB + 1)), 413, "TOO_LARGE")
    refused(creator.try_upload(b"x" * (4 * MIB)), 413, "TOO_LARGE")
    refused(Party(w.one, "0" * 32, "").try_upload(b"x"), 404, "SESSION_NOT_FOUND")
    cut = requests.Request("POST", f"{w.one.url}/api/session/{creator.id}/upload",
                           files={"file": ("cut.txt", b"x" * 1000)}).prepare()
    cut.body = cut.body[:-30]
    cut.headers["Content-Length"] = str(len(cut.body))
    with requests.Session() as session:
        refused(session.send(cut, timeout=60), 400, "INVALID_UPLOAD")
    tap.equal(creator.files(), [], "nothing of that stays")
    creator.upload(b"x" * (3 * MIB), "just fits")


@tap.case
def names_are_never_paths(w):
    creator = Party.create(w.one)
    for name, safe in (("../../etc/passwd", "passwd"), ("..", "_."), (".profile", "_profile"),
                       ("C:\\temp\\x.exe", "x.exe"), ("na\N{SNOWMAN}me.txt", "na\N{SNOWMAN}me.txt")):
        got = creator.upload(b"x", name)
        tap.check("/" not in got["filename"] and not got["filename"].startswith("."), got["filename"])
        if name != "..":
            tap.equal(got["filename"], safe, name)
    last = creator.get(f"download/{got['file_id']}").headers["Content-Disposition"]
    tap.check("filename*=UTF-8''na%E2%98%83me.txt" in last, last)


# --- two agents -----------------------------------------------------------------------------------

@tap.case
def two_agents_meet_through_the_server(w):
    creator = Party.create(w.one)
    early = creator.upload(WORDS * 3, "early.txt")
    joiner = creator.join(w.two)
    tap.equal(joiner.status()["role"], "joiner", "role")
    wait_for(lambda: len(joiner.files()) == 1, "the file that waited")
    tap.equal(joiner.download(early["file_id"]), WORDS * 3, "what waited")
    for sender, receiver in ((creator, joiner), (joiner, creator)):
        content = os.urandom(777777)
        sent = sender.upload(content, "a b.bin")
        tap.check(sent["delivered"], f"delivered before the answer: {sent}")
        got = [f for f in receiver.files() if f["file_id"] == sent["file_id"]]
        tap.equal([(f["filename"], f["size"], f["sha256"]) for f in got],
                  [("a b.bin", 777777, sent["sha256"])], "as it was announced")
        tap.equal(receiver.download(sent["file_id"]), content, "content")
    tap.equal(creator.post("close").status_code, 200, "close")
    wait_for(lambda: joiner.status()["status"] == "closed", "the end at the other agent")
    refused(joiner.get("files"), 410, "SESSION_CLOSED")


@tap.case
def both_may_send_at_once(w):
    creator = Party.create(w.one)
    joiner = creator.join(w.two)
    contents = {creator: os.urandom(3 * MIB), joiner: os.urandom(3 * MIB)}
    sent = {}

    def send(party):
        sent[party] = party.try_upload(contents[party]).json()
    threads = [threading.Thread(target=send, args=(party,)) for party in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: len(creator.files()) == 2 and len(joiner.files()) == 2, "both files")
    tap.equal(joiner.download(sent[creator]["file_id"]), contents[creator], "one way")
    tap.equal(creator.download(sent[joiner]["file_id"]), contents[joiner], "and the other")


@tap.case
def a_file_that_is_too_large_over_there_is_refused_there(w):
    creator = Party.create(w.two)
    joiner = creator.join(w.one)
    got = creator.try_upload(os.urandom(3 * MIB + 5)).json()
    tap.equal((got.get("delivered"), got.get("refused")), (False, True), f"{got}")
    tap.check(creator.upload(b"small")["delivered"], "the next one goes through")
    tap.equal(len(joiner.files()), 1, "only that")


@tap.case
def guessing_from_another_machine_costs_the_session(w):
    creator = Party.create(w.one)
    wait_for(lambda: creator.status()["relay_connected"], "the relay")
    for left in (2, 1):
        refused(creator.try_join(w.two, code=wrong_code(creator)), 401, "WRONG_PASSWORD")
        wait_for(lambda most=left: creator.status()["attempts_left"] <= most, "the count")
        wait_for(lambda: creator.status()["relay_connected"], "the creator, again")
        tap.equal(creator.status()["attempts_left"], left, "tries left")
    refused(creator.try_join(w.two, password="wrong"), 403, "SESSION_LOCKED")
    wait_for(lambda: creator.status()["status"] == "locked", "the lock")
    refused(creator.try_join(w.two), 403, "SESSION_LOCKED")
    refused(creator.try_join(w.third), 404, "SESSION_NOT_FOUND")
    refused(creator.get("files"), 403, "SESSION_LOCKED")


@tap.case
def one_wrong_guess_costs_nobody_else_a_thing(w):
    creator = Party.create(w.one)
    with Agent(w.server, "--no-token") as guesser:
        refused(creator.try_join(guesser, password="wrong"), 401, "WRONG_PASSWORD")
    joiner = creator.join(w.two)
    sent = creator.upload(b"for the right one")
    tap.equal(joiner.download(sent["file_id"]), b"for the right one", "content")
    refused(creator.try_join(w.third), 404, "SESSION_NOT_FOUND")
    refused(creator.try_join(w.one), 409, "ALREADY_JOINED")
    refused(creator.try_join(w.two), 409, "ALREADY_JOINED")


@tap.case
def a_session_that_is_nowhere_is_not_found(w):
    refused(Party(w.third, "ab" * 16, "123456").try_join(w.third), 404, "SESSION_NOT_FOUND")
    refused(w.third.get(f"/api/session/{'ab' * 16}/status"), 404, "SESSION_NOT_FOUND")


@tap.case
def what_was_interrupted_goes_on(w):
    gate = Gate(w.server.port)
    with contextlib.closing(gate), Agent(gate, "--no-token") as far:
        creator = Party.create(w.one)
        joiner = creator.join(far)
        wait_for(lambda: creator.status()["peer_connected"], "the link")
        content, sent, before = os.urandom(3 * MIB), [], gate.passed
        gate.hold_after(2 * MIB)
        sending = threading.Thread(target=lambda: sent.append(joiner.try_upload(content).json()))
        sending.start()
        wait_for(lambda: gate.budget == 0, "two of three megabytes")
        gate.cut()
        gate.open()
        sending.join()
        wait_for(lambda: len(creator.files()) == 1, "the rest")
        tap.equal(creator.download(sent[0]["file_id"]), content, "content")
        tap.check(gate.passed - before < 5 * MIB, f"it did not begin anew: {gate.passed - before}")


@tap.case
def a_session_ends_by_itself(w):
    with Agent(w.server, "--no-token", SESSION_TIMEOUT=1) as brief:
        creator = Party.create(brief)
        wait_for(lambda: creator.status()["status"] == "closed", "the end")
        refused(creator.get("files"), 410, "SESSION_CLOSED")


@tap.case
def without_a_server_one_agent_is_enough(w):
    with Agent(None, "--no-token", JOIN_TIMEOUT=1) as alone:
        creator = Party.create(alone)
        sent = creator.upload(WORDS)
        tap.equal(creator.join(alone).download(sent["file_id"]), WORDS, "content")
        other = Party(alone, "cd" * 16, "123456")
        refused(other.try_join(alone), 503, "SERVER_UNREACHABLE")


@tap.case
def nothing_of_it_stands_anywhere(w):
    uploads = os.path.join(w.one.home, "uploads")
    os.mkdir(uploads)
    with Agent(w.server, "--no-token", UPLOAD_FOLDER=uploads) as keeper:
        creator = Party.create(keeper)
        joiner = creator.join(w.two)
        sent = creator.upload(WORDS * 30000)
        tap.equal(joiner.download(sent["file_id"]), WORDS * 30000, "content")
        tap.equal(os.listdir(uploads), [], "files have no names")
        held = [f"/proc/{keeper.pid}/fd/{n}" for n in os.listdir(f"/proc/{keeper.pid}/fd")]
        sealed = [path for path in held if os.readlink(path).startswith(uploads)]
        tap.equal(len(sealed), 1, "one file, held open")
        for path in sealed:
            with open(path, "rb") as f:
                content = f.read()
            tap.check(len(content) > len(WORDS) * 30000 and WORDS not in content, "sealed")
        creator.post("close")
        tap.check(not any(os.path.exists(p) and os.readlink(p).startswith(uploads) for p in sealed),
                  "gone with the session")
    for folder in (w.server.data, w.one.home, w.two.home):
        for place, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(place, name), "rb") as f:
                    content = f.read()
                tap.check(WORDS not in content and SECRET.encode() not in content, name)
    tap.check(SECRET not in w.server.log(), "nor in the server's log")


@tap.case
def curl_gets_along(w):
    def curl(*words):
        got = subprocess.run(["curl", "-sS", "-f", *words], capture_output=True, timeout=60, check=True)
        return got.stdout
    creator = Party.create(w.one)
    creator.join(w.two)
    path = os.path.join(w.one.home, "with curl.txt")
    with open(path, "wb") as f:
        f.write(WORDS * 100000)
    curl("-F", f"file=@{path}", f"{w.one.url}/api/session/{creator.id}/upload")
    file_id = Party(w.two, creator.id, "").files()[0]["file_id"]
    out = curl("-OJ", "--output-dir", w.two.home, f"{w.two.url}/api/session/{creator.id}/download/{file_id}")
    tap.equal(out, b"", "silence")
    with open(os.path.join(w.two.home, "with curl.txt"), "rb") as f:
        tap.equal(f.read(), WORDS * 100000, "content")
    late = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-F", f"file=@{path}",
                           f"{w.one.url}/api/session/{'0' * 32}/upload"], capture_output=True, timeout=60)
    tap.equal(late.stdout, b"404", "who asks before sending is told before sending")


tap.main(world)
