"""A large file from program to program through two agents: whole, and in flat memory everywhere."""
import contextlib
import hashlib
import http.client
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.agent import Agent  # noqa: E402
from support.server import Server  # noqa: E402

MIB = 1024 * 1024
BIG = 200 * MIB
GROWTH = 16 * MIB
BOUNDARY = "a-boundary"


@contextlib.contextmanager
def world():
    with Server() as server, Agent(server, "--no-token", MAX_FILE_SIZE="300MiB") as one, \
            Agent(server, "--no-token", MAX_FILE_SIZE="300MiB") as two:
        yield server, one, two


def peak(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def blocks(digest):
    block = os.urandom(MIB)
    for number in range(BIG // MIB):
        piece = number.to_bytes(8, "big") + block[8:]
        digest.update(piece)
        yield piece


def upload(agent, session_id):
    """As a form, without holding it."""
    head = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big"\r\n\r\n').encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    digest = hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=280)
    connection.putrequest("POST", f"/api/session/{session_id}/upload")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(len(head) + BIG + len(tail)))
    connection.endheaders(head)
    for piece in blocks(digest):
        connection.send(piece)
    connection.send(tail)
    answer = connection.getresponse()
    return answer.status, answer.read(), digest.hexdigest()


@tap.case
def a_large_file_goes_through_two_agents_in_flat_memory(world):
    server, one, two = world
    made = one.post("/api/session/create", {"password": "big"}).json()
    body = {"password": "big", "verification_code": made["verification_code"]}
    session_id = made["session_id"]
    tap.equal(two.post(f"/api/session/{session_id}/join", body).status_code, 200, "join")
    small = one.call("POST", f"/api/session/{session_id}/upload", files={"file": ("small", b"x" * MIB)})
    tap.equal(small.status_code, 200, small.text)
    before = {agent: peak(agent.pid) for agent in (one, two, server)}
    status, text, wanted = upload(one, session_id)
    tap.equal(status, 200, text)
    files = two.get(f"/api/session/{session_id}/files").json()["files"]
    tap.equal([(f["size"], f["sha256"]) for f in files if f["filename"] == "big"], [(BIG, wanted)], "announced")
    file_id = next(f["file_id"] for f in files if f["filename"] == "big")
    connection = http.client.HTTPConnection("127.0.0.1", two.port, timeout=280)
    connection.request("GET", f"/api/session/{session_id}/download/{file_id}")
    answer, digest = connection.getresponse(), hashlib.sha256()
    while piece := answer.read(MIB):
        digest.update(piece)
    tap.equal(digest.hexdigest(), wanted, "what came")
    if server.sanitized():
        return
    for who, agent in (("sender", one), ("receiver", two), ("server", server)):
        grown = peak(agent.pid) - before[agent]
        tap.check(grown < GROWTH, f"the {who}'s memory grew by {grown >> 20} MiB")


tap.main(world)
