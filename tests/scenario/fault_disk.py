"""A full disk: the data folder lies on a small tmpfs, in a mount namespace of the test's own."""
import contextlib
import json
import os
import random
import subprocess
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64, multipart  # noqa: E402
from support.link import LOST, Link  # noqa: E402
from support.server import Server, ServerFailed  # noqa: E402

KIB, MIB = 1024, 1024 * 1024
SIZE = 16 * MIB
BALLAST = 6 * MIB  # what the operator can delete
FULL = (503, 507)
RECOVERY_SECONDS = 40
ALONE = "TACIT_TEST_MOUNTS"


def enter_namespace():
    """Starts this program anew where it may mount; skips all of it where nobody may."""
    if os.environ.get(ALONE):
        return
    for how in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        probe = [*how, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
        try:
            if subprocess.run(probe, capture_output=True, timeout=20).returncode == 0:
                os.environ[ALONE] = "1"
                os.execvp(how[0], [*how, sys.executable, *sys.argv])
        except OSError:
            break
    print("1..0 # SKIP nobody may mount a tmpfs here", flush=True)
    sys.exit(0)


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob = (Person(server).register() for _ in range(2))
        self.group = self.alice.conversation("group", self.bob)
        self.link = Link(server, self.alice.token)
        self.messages, self.files = [], {}  # what was acknowledged
        self.ballast_path = os.path.join(server.data, "ballast")

    def fill(self, leave=0, most=SIZE):
        """Somebody else fills the disk, but for some bytes."""
        with open(self.ballast_path, "ab", buffering=0) as ballast:
            room = os.statvfs(self.server.data)
            wanted = min(most, room.f_bavail * room.f_frsize - leave)
            while wanted > 0:
                try:
                    os.write(ballast.fileno(), bytes(min(wanted, 64 * KIB)))
                except OSError:
                    break
                wanted -= 64 * KIB

    def free(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.ballast_path)

    def post(self, size=200, client_id=None):
        content = b64(os.urandom(size))
        body = {"content": content, "client_id": client_id or str(uuid.uuid4())}
        status, headers, whole = self.link.call(
            "POST", f"/api/conversations/{self.group}/messages", body)
        if status in (200, 201):
            self.messages.append((json.loads(whole)["id"], content))
        self.check_refusal(status, headers, whole)
        return status

    def upload(self, size):
        content = os.urandom(size)
        kind, body = multipart(content, conversation_id=self.group)
        try:
            status, headers, whole = self.link.call("POST", "/api/files/upload", body,
                                                    {"Content-Type": kind})
        except LOST:  # refused before all of it was sent: the connection is closed under the rest
            return None
        if status == 201:
            self.files[json.loads(whole)["file_id"]] = content
        self.check_refusal(status, headers, whole)
        return status

    def check_refusal(self, status, headers, whole):
        tap.one_of(status, (200, 201, 204) + FULL, f"{whole[:200]!r}")
        if status == 503:
            tap.check(headers.get("retry-after", "").isdigit(), "Retry-After")

    def until_works(self, what, wanted):
        until = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < until:
            status = what()
            if status in wanted:
                return True
            time.sleep(0.1)
        return tap.fail(f"still {status} {RECOVERY_SECONDS} s after there is room")

    def health(self):
        status, headers, whole = self.link.call("GET", "/health")
        tap.one_of(status, (200, 503), "/health")
        self.check_refusal(status, headers, whole)
        return status

    def check_all(self):
        """Everything acknowledged is there; whatever else is there was not denied twice."""
        tap.equal(self.server.process.poll(), None, "the server lives")
        found, after = {}, 0
        while True:
            status, _, body = self.link.call(
                "GET", f"/api/conversations/{self.group}/messages?after={after}&limit=200")
            tap.equal(status, 200, "a page")
            page = json.loads(body)
            found.update({m["id"]: m["content"] for m in page["messages"]})
            if not page["has_more"]:
                break
            after = page["messages"][-1]["id"]
        lost = [i for i, content in self.messages if found.get(i) != content]
        tap.equal(lost, [], "messages that were acknowledged and are lost")
        for name, content in self.files.items():
            status, _, body = self.link.call("GET", f"/api/files/{name}/download")
            tap.check(status == 200 and body == content, f"{name}: {status}")


@contextlib.contextmanager
def world():
    server = Server(RATE_ADDRESS=0, RATE_ACCOUNT=0, QUOTA_BYTES=2**40)
    try:
        os.mkdir(server.data, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", server.data],
                       check=True)
        server.start()
        w = World(server)
        w.fill(most=BALLAST)
        yield w
        w.free()
        server.stop()
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        subprocess.run(["umount", server.data], check=False)
        server.remove()


@tap.case
def messages_and_files_fill_the_disk(w):
    dice = random.Random(7)
    refused = {"message": 0, "file": 0}
    for _ in range(4000):
        if dice.random() < 0.1:
            refused["file"] += w.upload(dice.choice((100, 100 * KIB, 900 * KIB))) in (*FULL, None)
        else:
            refused["message"] += w.post(dice.choice((10, 3000))) in FULL
        if min(refused.values()) > 5:
            break
    tap.check(min(refused.values()) > 0, f"refused: {refused}")
    print(f"# acknowledged {len(w.messages)} messages, {len(w.files)} files; refused {refused}")
    w.check_all()


@tap.case
def a_store_that_cannot_be_written_is_not_healthy(w):
    w.fill()
    until = time.monotonic() + RECOVERY_SECONDS
    while w.post(3000) not in FULL and time.monotonic() < until:
        pass
    while w.health() != 503 and time.monotonic() < until:
        time.sleep(0.1)
    tap.equal(w.health(), 503, "/health")
    tap.one_of(w.upload(200 * KIB), (*FULL, None), "an upload")
    tap.equal(w.link.call("GET", f"/api/conversations/{w.group}/messages?limit=5")[0], 200,
              "reading goes on")
    tap.equal(w.link.call("GET", "/")[0], 200, "and so does the rest")


@tap.case
def other_writes_are_refused_as_well(w):
    calls = (("POST", "/api/conversations", {"kind": "group", "name": "n" * 200,
                                             "participants": [w.bob.username]}),
             ("POST", "/api/rooms", {"name": "r" * 200}),
             ("PUT", f"/api/conversations/{w.group}/key", {"key": b64(os.urandom(1000))}),
             ("POST", "/api/sessions", {"participants": [w.bob.username], "ttl_seconds": 60}))
    for method, target, body in calls:
        status, headers, whole = w.link.call(method, target, body)
        w.check_refusal(status, headers, whole)
    newcomer = Person(w.server)
    tap.one_of(newcomer.begin().status, (201,) + FULL, "a registration")
    for name in list(w.files)[:2]:
        status, headers, whole = w.link.call("DELETE", f"/api/files/{name}")
        w.check_refusal(status, headers, whole)
        if status == 200:
            del w.files[name]
    w.check_all()


@tap.case
def with_room_again_it_works_again(w):
    w.free()
    if w.until_works(lambda: w.post(100), (201,)):
        tap.check(w.until_works(w.health, (200,)), "/health")
        tap.equal(w.upload(100 * KIB), 201, "an upload")
    w.check_all()


@tap.case
def a_resumable_upload_waits_for_room(w):
    content = os.urandom(2 * MIB)
    tus = {"Tus-Resumable": "1.0.0"}
    status, headers, _ = w.link.call("POST", "/api/files/tus", b"", {
        **tus, "Upload-Length": str(len(content)),
        "Upload-Metadata": f"conversation_id {b64(str(w.group).encode())}"})
    if not tap.equal(status, 201, "created"):
        return
    place = headers["location"]
    place = "/" + place.split("/", 3)[3] if place.startswith("http") else place
    acknowledged, statuses = 0, []
    w.fill(leave=700 * KIB)

    def patch():
        nonlocal acknowledged
        status, got, _ = w.link.call("HEAD", place, None, tus)
        tap.one_of(status, (200, 204), "HEAD")
        offset = int(got["upload-offset"])
        tap.check(acknowledged <= offset <= len(content), f"offset {offset}, acknowledged {acknowledged}")
        if offset == len(content):
            return "whole"
        try:
            status, got, whole = w.link.call(
                "PATCH", place, content[offset:offset + 256 * KIB],
                {**tus, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"})
        except LOST:
            return None
        w.check_refusal(status, got, whole)
        if status == 204:
            acknowledged = int(got["upload-offset"])
        return status

    for _ in range(12):
        statuses.append(patch())
    tap.check(204 in statuses, f"some pieces fit: {statuses}")
    tap.check(any(s in FULL for s in statuses), f"some do not: {statuses}")
    w.free()
    w.until_works(patch, ("whole",))
    got = w.link.call("GET", f"/api/files/{place.split('/')[-1]}/download")
    tap.check(got[0] == 200 and got[2] == content, "the file is whole")


@tap.case
def it_starts_on_a_full_disk_or_says_why_not(w):
    w.fill()
    w.link.close()
    w.server.stop()
    w.fill()
    w.server.start(wait=False)
    until = time.monotonic() + 3
    while w.server.process.poll() is None and time.monotonic() < until:
        try:
            tap.one_of(w.health(), (200,) + FULL, "/health")
            break
        except LOST:
            time.sleep(0.05)
    status = w.server.process.poll()
    tap.one_of(status, (None, 1), "runs, or ends with 1")
    w.free()
    if status is not None:
        tap.check(w.server.log().strip() != "", "it says why")
        w.server.start()
    w.until_works(lambda: w.post(100), (201,))
    w.check_all()


@tap.case
def everything_is_there_after_a_crash_on_a_full_disk(w):
    w.fill(leave=100 * KIB)
    for _ in range(60):
        w.post(3000)
    w.server.kill()
    w.link.close()
    w.free()
    try:
        w.server.start()
    except ServerFailed as problem:
        tap.fail(str(problem))
        return
    w.until_works(lambda: w.post(100), (201,))
    w.check_all()


enter_namespace()
tap.main(world)
