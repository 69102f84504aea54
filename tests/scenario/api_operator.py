"""What the operator decides: who may register, invitations, disabled people, signed requests only;
and what happens when the time of a thing is over."""
import concurrent.futures
import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person  # noqa: E402
from support.server import Server, program  # noqa: E402


@contextlib.contextmanager
def world():
    yield None


def admin(server, *arguments):
    """`tacitd admin ...` on the server's data folder, as the operator types it."""
    return subprocess.run([program("tacitd"), "admin", "--data", server.data, *arguments],
                          env=server.environment(), capture_output=True, text=True, timeout=60,
                          check=False)


@tap.case
def the_first_start_prints_one_invitation_for_an_administrator(_):
    with Server(REGISTRATION="invite") as server:
        invitation = server.invitation()
        tap.check(invitation, f"an invitation in {server.log()}")
        boss = Person(server).register(invitation=invitation)
        tap.check(boss.user["admin"] is True, "an administrator")
        got = Person(server).begin(invitation=invitation)
        tap.equal((got.status, got.code), (403, "INVITATION_REQUIRED"), "a second time")
        server.restart()
        tap.equal(server.log().count(invitation), 1, "not printed again")


@tap.case
def a_check_leaves_the_invitation_alone(_):
    server = Server()
    try:
        done = subprocess.run([program("tacitd"), "--data", server.data, "--check"],
                              env=server.environment(), capture_output=True, timeout=60, check=False)
        tap.equal(done.returncode, 0, f"--check: {done.stderr}")
        server.start()
        tap.check(server.invitation(), f"an invitation in {server.log()}")
        server.stop()
    finally:
        server.remove()


@tap.case
def behind_a_proxy_its_word_counts(_):
    """The proxy of these tests is on loopback, as this program is."""
    secure = {"X-Forwarded-Proto": "https"}
    with Server("--behind-proxy", "127.0.0.0/8") as server:
        p = Person(server)
        p.tls = True
        got = p.call("POST", "/api/register", p.signed_text(p.registration()), headers=secure)
        tap.equal(got.status, 201, "register")
        for name, (_, attributes) in got.cookies().items():
            tap.check("secure" in attributes, f"{name} is Secure")
        tap.check("max-age=" in got.headers.get("strict-transport-security", ""), "HSTS")
    with Server() as server:
        p = Person(server)
        got = p.get("/health", auth=None, headers=secure)
        tap.check("strict-transport-security" not in got.headers, "without a proxy nobody is believed")


@tap.case
def without_an_invitation_nobody_comes_in(_):
    with Server(REGISTRATION="invite") as server:
        for changes in ({}, {"invitation": "0" * 32}, {"invitation": ""}):
            got = Person(server).begin(**changes)
            tap.equal((got.status, got.code), (403, "INVITATION_REQUIRED"), f"{changes}")


@tap.case
def two_with_one_invitation_are_one(_):
    """Both begin with it; only the first that finishes has it."""
    with Server(REGISTRATION="invite") as server:
        invitation = server.invitation()
        people = [Person(server) for _ in range(2)]
        for p in people:
            tap.equal(p.begin(invitation=invitation).status, 201, "begins")
        tap.equal(people[0].verify().status, 201, "the first")
        got = people[1].verify()
        tap.equal((got.status, got.code), (403, "INVITATION_REQUIRED"), "the second")


@tap.case
def the_operator_invites(_):
    with Server(REGISTRATION="invite") as server:
        made = admin(server, "invite")
        tap.equal(made.returncode, 0, made.stderr)
        p = Person(server).register(invitation=made.stdout.split()[-1])
        tap.check(p.user["admin"] is False, "no administrator")


@tap.case
def closed_is_closed(_):
    with Server(REGISTRATION="off") as server:
        got = Person(server).begin()
        tap.equal((got.status, got.code), (403, "REGISTRATION_CLOSED"), "register")
        boss = Person(server).register(invitation=server.invitation())
        tap.check(boss.user["admin"] is True, "but for the administrator")


@tap.case
def a_disabled_person_is_out_at_once(_):
    with Server() as server:
        a, b = (Person(server).register() for _ in range(2))
        group = a.conversation("group", b)
        done = admin(server, "disable", a.username)
        tap.equal(done.returncode, 0, done.stderr)
        for name, got in {"bearer": a.get("/api/conversations"),
                          "cookie": a.get("/api/conversations", auth="cookie-only"),
                          "signed": a.signed("/api/me", {"n": 1}, username=a.username),
                          "login": a.login(),
                          "refresh": a.post("/api/token/refresh", {"refresh_token": a.refresh},
                                            auth=None)}.items():
            tap.one_of(got.status, (401, 403), name)
        tap.equal(b.get(f"/api/users/{a.username}").status, 404, "in the directory")
        tap.equal(b.get(f"/api/conversations/{group}").status, 200, "others go on")
        done = admin(server, "enable", a.username)
        tap.equal(done.returncode, 0, done.stderr)
        tap.equal(a.login().status, 200, "enabled again")


@tap.case
def a_quota_of_ones_own(_):
    with Server() as server:
        p = Person(server).register()
        done = admin(server, "quota", p.username, "1000")
        tap.equal(done.returncode, 0, done.stderr)
        tap.equal(p.upload(b"x" * 900).status, 201, "within")
        got = p.upload(b"x" * 200)
        tap.equal((got.status, got.code), (413, "QUOTA_EXCEEDED"), "beyond")


@tap.case
def the_operator_sees_people_and_no_secrets(_):
    with Server() as server:
        p = Person(server).register()
        got = admin(server, "users")
        tap.equal(got.returncode, 0, got.stderr)
        tap.check(p.username in got.stdout, "the name")
        for secret in (p.password_hash, p.secret, p.wrapped, p.token):
            tap.check(secret not in got.stdout, "no secret")
        got = admin(server, "disable", "nobody-here")
        tap.check(got.returncode != 0 and got.stderr, "an unknown name")
        tap.equal(admin(server, "nonsense").returncode, 2, "an unknown command")


@tap.case
def a_backup_while_running_is_whole(_):
    with Server() as server:
        a, b = (Person(server).register() for _ in range(2))
        group = a.conversation("group", b)
        ids = [a.send(group, bytes([i]))["id"] for i in range(20)]
        path = os.path.join(server.folder, "backup")
        done = admin(server, "backup", path)
        tap.equal(done.returncode, 0, done.stderr)
        done = admin(server, "verify-backup", path)
        tap.equal(done.returncode, 0, f"verify: {done.stdout} {done.stderr}")
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2)
            f.write(os.urandom(4096))
        tap.check(admin(server, "verify-backup", path).returncode != 0, "a damaged one is told")
        tap.check(a.send(group, b"x")["id"] > ids[-1], "the server goes on")


@tap.case
def signed_requests_only(_):
    with Server(REQUIRE_SIGNED="1") as server:
        p = Person(server).register()
        body = {"kind": "group", "name": "n", "participants": []}
        for auth in ("bearer", "cookie"):
            got = p.post("/api/conversations", body, auth=auth)
            tap.equal((got.status, got.code), (401, "SIGNATURE_REQUIRED"), auth)
            got = p.signed("/api/conversations", {**body, "name": auth}, auth=auth)
            tap.equal(got.status, 201, f"signed with {auth}")
        group = got.json["id"]
        got = p.delete(f"/api/conversations/{group}/participants")
        tap.equal((got.status, got.code), (401, "SIGNATURE_REQUIRED"), "without a body")
        got = p.signed(f"/api/conversations/{group}/participants", {}, method="DELETE", auth="bearer")
        tap.equal(got.status, 200, "signed DELETE")
        tap.equal(p.get("/api/conversations").status, 200, "reading changes nothing")


# --- when the time is over: the store of a stopped server is told that it is later ---

def later(server, statement, *values):
    server.stop()
    changed = server.sql(statement, *values)
    server.start()
    return changed


@tap.case
def a_pending_registration_lapses(_):
    with Server() as server:
        p = Person(server)
        p.begin()
        tap.check(later(server, "UPDATE tokens SET expires_at = ?", int(time.time()) - 1) >= 1, "pending")
        got = p.verify()
        tap.equal((got.status, got.code), (401, "NO_PENDING_REGISTRATION"), "too late")
        tap.equal(p.begin(encryption_iv="0a" * 12).status, 201, "from the start")


@tap.case
def a_registration_lapses_after_ten_minutes(_):
    with Server() as server:
        Person(server).begin()
        server.stop()
        now = int(time.time())
        tap.equal(server.sql("UPDATE tokens SET expires_at = 0 WHERE kind = 'pending' AND "
                             "expires_at BETWEEN ? AND ?", now + 560, now + 600), 1,
                  "lapses in ten minutes")
        server.start()


@tap.case
def a_commit_takes_as_much_as_it_may(_):
    """Of what waits, while another program has the store's write lock: all, or with a batch of one each its own."""
    for batch in ("512", "1"):
        with Server("--commit-batch", batch) as server:
            people = [Person(server).register() for _ in range(6)]
            rooms = [p.conversation("group") for p in people]
            before = committed(people[0])
            with concurrent.futures.ThreadPoolExecutor(len(people)) as pool:
                with contextlib.closing(sqlite3.connect(server.database())) as other:
                    other.execute("BEGIN IMMEDIATE")
                    sent = [pool.submit(p.send, room) for p, room in zip(people, rooms)]
                    until = time.monotonic() + 2  # of the five seconds that the server waits for the lock
                    while waiting(people[0]) < len(people) - 1 and time.monotonic() < until:
                        time.sleep(0.01)
                for message in sent:
                    tap.check(message.result()["id"] > 0, "sent")
            commits, jobs = (now - then for now, then in zip(committed(people[0]), before))
            tap.check(jobs >= len(people), f"{jobs} changes")
            tap.check(commits == jobs if batch == "1" else commits < jobs, f"{commits} commits of {jobs} changes")


def committed(person):
    return metrics(person, "tacit_commits_total", "tacit_committed_jobs_total")


def waiting(person):
    return metrics(person, 'tacit_lane_waiting{lane="write"}')[0]


def metrics(person, *names):
    """Of one moment: a change of the server's own may come between two questions."""
    text = person.get("/metrics", auth=None).body.decode()
    return [int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.M)[1]) for name in names]


@tap.case
def a_ticket_lapses(_):
    with Server() as server:
        p = Person(server).register()
        ticket = p.must(p.post("/api/login/new-device", {
            "username": p.username, "password_hash": p.password_hash, "totp_code": p.code()},
            auth=None))["ticket"]
        tap.check(later(server, "UPDATE tokens SET expires_at = ?", int(time.time()) - 1) >= 1, "ticket")
        got = p.login(ticket=ticket)
        tap.equal((got.status, got.code), (401, "INVALID_TICKET"), "too late")


@tap.case
def a_session_lapses(_):
    with Server() as server:
        p = Person(server).register()
        tap.equal(later(server, "UPDATE sessions SET expires_at = ?", int(time.time()) - 1), 1, "session")
        tap.equal(p.get("/api/conversations").status, 401, "bearer")
        tap.equal(p.get("/api/conversations", auth="cookie-only").status, 401, "cookie")
        got = p.post("/api/token/refresh", {"refresh_token": p.refresh}, auth=None)
        tap.equal(got.status, 401, "refresh token")


@tap.case
def a_session_of_a_conversation_lapses_while_the_server_is_down(_):
    with Server() as server:
        a, b = (Person(server).register() for _ in range(2))
        s = a.must(a.post("/api/sessions", {"participants": [b.username], "ttl_seconds": 600}))["id"]
        tap.equal(later(server, "UPDATE conversations SET expires_at = ? WHERE id = ?",
                        int(time.time()) - 1, s), 1, "conversation")
        tap.equal(b.get(f"/api/sessions/{s}/messages").status, 410, "gone")


tap.main(world)
