"""Programs that speak with a real `tacit agent` about accounts and messages, as people write them with
Python's requests: two agents on two machines, one server that must learn nothing."""
import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

import requests
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.agent import PASSWORD, Agent, Person, refused  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.client import totp  # noqa: E402
from support.server import Server, program, source_folder  # noqa: E402


class World:
    pass


@contextlib.contextmanager
def world():
    with Server() as server, Agent(server, "--no-token") as here, Agent(server) as there:
        w = World()
        w.server, w.here, w.there = server, here, there
        w.alice = here.person("alice")
        w.bob = there.person("bob", email="bob@example.org")
        w.carol = here.person("carol")
        yield w


# --- accounts ------------------------------------------------------------------------------------

@tap.case
def each_rule_of_passwords_has_its_sentence(w):
    special = "!@#$%^&*()_+-=[]{}|;:,.<>?"
    for password, sentence in (("Sh0rt!", "Password must be at least 8 characters long"),
                               ("\N{SNOWMAN}\N{SNOWMAN}\N{SNOWMAN}a1!",
                                "Password must be at least 8 characters long"),
                               *((f"abcdefg1{sign}", "Password must contain at least one special character")
                                 for sign in "~`'\"/\\ \N{SECTION SIGN}"),
                               *((f"1234567{sign}", "Password must contain at least one letter") for sign in special),
                               ("12345678!", "Password must contain at least one letter"),
                               ("abcdefgh!", "Password must contain at least one digit"),
                               ("abcdefgh1", "Password must contain at least one special character")):
        answer = w.here.post("/api/register", {"username": "weak", "password": password})
        refused(answer, 400, "WEAK_PASSWORD", sentence)


@tap.case
def a_name_is_given_once(w):
    for agent in (w.here, w.there):
        answer = agent.post("/api/register", {"username": "alice", "password": PASSWORD},
                            headers=agent.bearer if agent.token_file else {})
        refused(answer, 409, "USER_EXISTS", "User already exists")
    answer = w.here.post("/api/register", {"username": "ALICE", "password": PASSWORD})
    refused(answer, 409, "USER_EXISTS", "User already exists")


@tap.case
def registering_needs_what_it_needs(w):
    for body, code in (({}, "INVALID_FIELD"), ({"username": "dora"}, "INVALID_FIELD"),
                       ({"username": "no spaces", "password": PASSWORD}, "INVALID_FIELD"),
                       ({"username": "x" * 25, "password": PASSWORD}, "INVALID_FIELD"),
                       ({"username": 7, "password": PASSWORD}, "INVALID_FIELD"),
                       ({"username": "dora", "password": ["a"]}, "INVALID_FIELD"),
                       ({"username": "dora", "password": PASSWORD, "email": "nowhere"}, "INVALID_FIELD")):
        refused(w.here.post("/api/register", body), 400, code)
    profiles = os.listdir(os.path.join(w.here.home, "data/tacit/profiles"))
    tap.check(not any("dora" in name or "weak" in name for name in profiles), f"nothing stays: {profiles}")


@tap.case
def wrong_names_and_passwords_look_alike(w):
    for username in ("alice", "nobody", "bob"):
        answer = w.here.post("/api/login", {"username": username, "password": "wrong horse 7!"})
        refused(answer, 401, "INVALID_CREDENTIALS", "Invalid username or password")
        tap.check("Set-Cookie" not in answer.headers, "no cookie")
    profiles = os.listdir(os.path.join(w.here.home, "data/tacit/profiles"))
    tap.equal(len(profiles), 2, f"no profile for a name that failed: {profiles}")


@tap.case
def a_login_gives_a_cookie_that_no_script_reads(w):
    answer = w.alice.try_login()
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        tap.check(part in cookie, f"{part} in {cookie}")
    token = answer.json()["token"]
    by_header = w.here.get("/api/users", headers={"Authorization": f"Bearer {token}"})
    tap.equal(by_header.status_code, 200, "the same word as a bearer token")
    tap.equal(answer.json()["user"]["username"], "alice", "user")


@tap.case
def logging_out_ends_that_login_alone(w):
    other = Person(w.here, "alice").login()
    tap.equal(other.post("/api/logout").status_code, 200, "logout")
    refused(w.here.get("/api/users", cookies={"tacit_agent": "0" * 64}), 401, "NOT_LOGGED_IN")
    refused(other.get("/api/messages"), 401, "NOT_LOGGED_IN")
    tap.equal(w.alice.get("/api/users").status_code, 200, "the first login lives")


@tap.case
def the_second_factor_is_asked_for_once_the_user_has_it(w):
    dave = w.here.person("dave")
    refused(w.here.post("/api/totp/setup"), 401, "NOT_LOGGED_IN")
    setup = dave.post("/api/totp/setup")
    tap.equal(setup.status_code, 200, setup.text)
    got = setup.json()
    tap.equal(list(got)[:2], ["secret", "qr_code"], "as it is written")
    tap.check(got["qr_code"].startswith("data:image/"), "a picture")
    tap.check(got["secret"] in got["otpauth_uri"], "the URI has the secret")
    refused(dave.try_login(), 401, "TOTP_REQUIRED")
    refused(dave.try_login(totp="000000"), 401, "INVALID_TOTP", "Invalid TOTP token")
    refused(dave.try_login(totp="nonsense"), 401, "INVALID_TOTP", "Invalid TOTP token")
    code = totp(got["secret"], int(time.time()) // 30 + 1)
    tap.equal(dave.try_login(totp=code).status_code, 200, "with a code")
    refused(dave.try_login(totp=code), 401, "INVALID_TOTP", "Invalid TOTP token")
    refused(dave.try_login(totp=int(code)), 401, "INVALID_TOTP", "Invalid TOTP token")
    tap.equal(dave.try_login(totp=dave.recovery_codes[-1]).status_code, 200, "with a recovery code")
    tap.equal(dave.post("/api/totp/disable").status_code, 200, "disable")
    tap.equal(dave.try_login().status_code, 200, "without one again")


@tap.case
def a_forgotten_password_is_told_of_honestly(w):
    refused(w.here.post("/api/forgot-password", {"email": "bob@example.org"}), 503, "MAIL_UNAVAILABLE")
    refused(w.here.post("/api/forgot-password", {}), 400, "INVALID_FIELD")
    refused(w.here.post("/api/reset-password", {"token": "x", "new_password": "short"}), 400,
            "WEAK_PASSWORD", "Password must be at least 8 characters long")
    refused(w.here.post("/api/reset-password", {"token": "x", "new_password": PASSWORD}), 400,
            "RESET_TOKEN_EXPIRED", "Reset token has expired")


@tap.case
def guessing_at_a_name_has_a_limit(w):
    erin = w.here.person("erin")
    for number in range(100):
        answer = w.here.post("/api/login", {"username": "erin", "password": f"wrong {number} horse!"})
        if answer.status_code == 429:
            break
        refused(answer, 401, "INVALID_CREDENTIALS")
    refused(answer, 429, "RATE_LIMITED")
    if int(answer.headers["Retry-After"]) > 20:  # else this machine is too slow for the limit
        refused(erin.try_login(), 429, "RATE_LIMITED")
    tap.equal(erin.get("/api/users").status_code, 200, "who is in stays in")


# --- messages ------------------------------------------------------------------------------------

@tap.case
def messages_arrive_and_are_read_once(w):
    sent = w.alice.send("bob", "hello bob \N{SNOWMAN}")
    tap.check(sent["id"] > 0 and sent["status"] == "sent", f"{sent}")
    peeked = w.bob.inbox("?peek=1")
    got = w.bob.inbox()
    tap.equal(peeked, got, "peeking leaves it unread")
    tap.equal([(m["sender"], m["recipient"], m["message"], m["is_read"]) for m in got],
              [("alice", "bob", "hello bob \N{SNOWMAN}", False)], "the message")
    tap.equal([m["is_read"] for m in w.bob.inbox()], [True], "read the second time")
    w.bob.send("alice", "hello alice")
    tap.equal(w.alice.texts(), [("bob", "hello alice")], "and back")
    tap.equal(w.alice.texts("?all=1"), [("alice", "hello bob \N{SNOWMAN}"), ("bob", "hello alice")],
              "both ways")
    tap.equal(w.bob.inbox("?unread=1"), [], "nothing new")


@tap.case
def groups_are_kept(w):
    first = w.alice.post("/api/group-messages", {"recipients": ["bob", "carol"], "message": "all of you"})
    tap.equal(first.status_code, 201, first.text)
    again = w.alice.post("/api/group-messages", {"recipients": ["carol", "bob", "bob", "alice"],
                                                 "message": "and again"})
    tap.equal(again.json().get("conversation_id"), first.json()["conversation_id"], "the same group")
    for person in (w.bob, w.carol):
        got = [(m["sender"], m["message"], m["is_group"]) for m in person.inbox() if m["is_group"]]
        tap.equal(got, [("alice", "all of you", True), ("alice", "and again", True)], person.username)
    members = w.carol.inbox("?all=1&limit=1")[0]["recipients"]
    tap.equal(sorted(members), ["bob", "carol"], "who got it")


@tap.case
def what_cannot_be_sent_is_refused(w):
    long = "x" * (64 * 1024 + 1)
    for body, status, code in (({"recipient": "nobody-here", "message": "x"}, 404, "USER_NOT_FOUND"),
                               ({"recipient": "no such name", "message": "x"}, 404, "USER_NOT_FOUND"),
                               ({"recipient": "bob"}, 400, "INVALID_FIELD"),
                               ({"recipient": "bob", "message": ""}, 400, "INVALID_FIELD"),
                               ({"recipient": ["bob"], "message": "x"}, 400, "INVALID_FIELD"),
                               ({"recipient": "bob", "message": long}, 413, "TOO_LARGE"),
                               ({"message": "x"}, 400, "INVALID_FIELD")):
        refused(w.alice.post("/api/messages", body), status, code)
    for body, status, code in (({"recipients": [], "message": "x"}, 400, "INVALID_FIELD"),
                               ({"recipients": "bob", "message": "x"}, 400, "INVALID_FIELD"),
                               ({"recipients": [7], "message": "x"}, 400, "INVALID_FIELD"),
                               ({"recipients": ["alice"], "message": "x"}, 400, "INVALID_FIELD"),
                               ({"recipients": ["bob", "nobody-here"], "message": "x"}, 404,
                                "USER_NOT_FOUND"),
                               ({"recipients": [f"u{n}" for n in range(300)], "message": "x"}, 422,
                                "TOO_MANY")):
        refused(w.alice.post("/api/group-messages", body), status, code)
    for query in ("?limit=0", "?limit=x", "?limit=100000"):
        refused(w.alice.get("/api/messages" + query), 400, "INVALID_QUERY")


@tap.case
def many_programs_at_once_lose_nothing(w):
    def talk(number):
        person, other = ((w.alice, "carol"), (w.carol, "alice"))[number % 2]
        for turn in range(3):
            answer = w.here.call("POST", "/api/messages", json={"recipient": other, "message": f"{number}.{turn}"},
                                 cookies=person.session.cookies)
            statuses.append(answer.status_code)
            w.here.call("GET", "/api/messages?peek=1&limit=5", cookies=person.session.cookies)
    statuses = []
    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.equal(statuses, [201] * 24, "all were sent")
    for person, other, mine in ((w.alice, "carol", 1), (w.carol, "alice", 0)):
        got = [m["message"] for m in person.inbox(f"?from={other}") if "." in m["message"]]
        wanted = [f"{n}.{t}" for n in range(8) if n % 2 == mine for t in range(3)]
        tap.equal(sorted(got), sorted(wanted), f"what {person.username} got")
        for number in range(mine, 8, 2):
            mine_only = [text for text in got if text.startswith(f"{number}.")]
            tap.equal(mine_only, sorted(mine_only), "each program's in order")


@tap.case
def the_directory_knows_who_there_is(w):
    names = [u["username"] for u in w.alice.get("/api/users").json()["users"]]
    tap.check({"alice", "bob", "carol"} <= set(names), f"{names}")
    tap.equal([u["username"] for u in w.alice.get("/api/users?q=car").json()["users"]], ["carol"], "by prefix")


@tap.case
def bodies_are_checked(w):
    url = w.here.url + "/api/login"
    for body, kind, status, code in ((b"{", "application/json", 400, "INVALID_JSON"),
                                     (b"[]", "application/json", 400, "INVALID_JSON"),
                                     (b'{"username":"a","username":"b"}', "application/json", 400,
                                      "INVALID_JSON"),
                                     (b'{"username":"a"}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
                                     (b"x" * (600 * 1024), "application/json", 413, "TOO_LARGE")):
        refused(requests.post(url, data=body, headers={"Content-Type": kind}, timeout=60), status, code)
    refused(w.here.get("/api/login"), 405, "METHOD_NOT_ALLOWED")
    refused(w.here.get("/nothing"), 404, "NOT_FOUND")
    tap.equal(w.here.get("/api/login").headers["Allow"], "POST", "what is allowed")


# --- the door -------------------------------------------------------------------------------------

@tap.case
def pages_of_the_web_are_kept_out(w):
    tap.equal(list(w.here.get("/").json())[:3], ["name", "version", "status"], "what it is")
    for headers, code in (({"Host": "evil.example"}, "FOREIGN_HOST"),
                          ({"Host": f"evil.example:{w.here.port}"}, "FOREIGN_HOST"),
                          ({"Host": f"127.0.0.1.evil.example:{w.here.port}"}, "FOREIGN_HOST"),
                          ({"Host": f"127.0.0.1:{w.here.port + 1}"}, "FOREIGN_HOST"),
                          ({"Host": "127.0.0.1"}, "FOREIGN_HOST"),
                          ({"Origin": "https://evil.example"}, "FOREIGN_ORIGIN"),
                          ({"Origin": "null"}, "FOREIGN_ORIGIN"),
                          ({"Origin": "http://localhost:3000"}, "FOREIGN_ORIGIN"),
                          ({"Sec-Fetch-Site": "cross-site"}, "FOREIGN_ORIGIN"),
                          ({"Sec-Fetch-Site": "same-site"}, "FOREIGN_ORIGIN")):
        for method, path in (("GET", "/health"), ("POST", "/api/login"), ("OPTIONS", "/api/login")):
            refused(w.here.call(method, path, headers=headers), 403, code)
    for name in ("localhost", "127.0.0.1", "127.0.0.2", "[::1]"):
        answer = w.here.get("/health", headers={"Host": f"{name}:{w.here.port}"})
        tap.equal(answer.status_code, 200, name)


@tap.case
def programs_show_the_token_or_a_login(w):
    mode = stat.S_IMODE(os.stat(w.there.token_file).st_mode)
    tap.equal(mode, 0o600, "who may read the token")
    body = {"password": "x"}
    refused(w.there.post("/api/session/create", body), 401, "TOKEN_REQUIRED")
    refused(w.there.post("/api/register", {"username": "eve", "password": PASSWORD}), 401, "TOKEN_REQUIRED")
    wrong = {"Authorization": "Bearer " + "0" * 64}
    refused(w.there.post("/api/session/create", body, headers=wrong), 401, "TOKEN_REQUIRED")
    tap.equal(w.there.post("/api/session/create", body, headers=w.there.bearer).status_code, 201, "token")
    tap.equal(w.there.post("/api/session/create", body, session=w.bob.session).status_code, 201, "cookie")
    refused(w.there.get("/api/messages", headers=w.there.bearer), 401, "NOT_LOGGED_IN")
    tap.equal(w.there.get("/health").json()["status"], "healthy", "health needs nothing")


@tap.case
def only_loopback_is_listened_on(w):
    for listen in ("0.0.0.0:0", "192.0.2.1:80", "[::]:0", "example.org:80", "8080", "127.0.0.1:99999"):
        got = subprocess.run([program("tacit"), "agent", "--listen", listen], capture_output=True,
                             text=True, env=w.here.environment(), timeout=60)
        tap.equal(got.returncode, 1, f"{listen}: {got.stderr}")
        tap.check("loopback" in got.stderr or "ADDR:PORT" in got.stderr, got.stderr)
    taken = subprocess.run([program("tacit"), "agent", "--listen", f"127.0.0.1:{w.here.port}"],
                           capture_output=True, text=True, env=w.here.environment(), timeout=60)
    tap.check(taken.returncode == 1 and "Cannot listen" in taken.stderr, taken.stderr)


# --- time and trouble -----------------------------------------------------------------------------

@tap.case
def an_agent_that_was_away_needs_only_the_password(w):
    with Agent(w.server, "--no-token", home=w.here.home) as again:
        tap.equal(Person(again, "carol").try_login().status_code, 200, "carol is back")


@tap.case
def an_account_of_the_command_line_is_the_same_account(w):
    with Machine(w.server) as machine:
        frank = machine.register("frank")
        with Agent(w.server, "--no-token", home=machine.folder) as agent:
            person = Person(agent, "frank")
            refused(person.try_login(), 401, "TOTP_REQUIRED")
            tap.equal(person.try_login(totp=frank.factor()).status_code, 200, "by his own factor")
            person.send("bob", "from the agent")
            refused(person.post("/api/totp/setup"), 409, "TOTP_ELSEWHERE")
            tap.equal(len(frank.json("devices").of("device")), 1, "one device")
        tap.check(("frank", "from the agent") in w.bob.texts(), "it came")


@tap.case
def an_account_of_another_machine_is_a_new_device(w):
    with Machine(w.server) as machine:
        grace = machine.register("grace")
        person = Person(w.here, "grace")
        refused(person.try_login(), 401, "INVALID_CREDENTIALS")
        answer = person.try_login(totp=grace.factor(), email=grace.email)
        tap.equal(answer.status_code, 200, answer.text)
        person.send("bob", "from two machines")
        tap.equal(len(grace.json("devices").of("device")), 2, "two devices")


@tap.case
def messages_wait_while_the_server_is_away(w):
    w.alice.send("bob", "before")
    w.server.stop()
    queued = w.alice.post("/api/messages", {"recipient": "bob", "message": "meanwhile"})
    tap.equal((queued.status_code, queued.json()["status"]), (202, "queued"), queued.text)
    refused(w.alice.get("/api/messages"), 503, "SERVER_UNREACHABLE")
    refused(w.here.post("/api/register", {"username": "hank", "password": PASSWORD}), 503,
            "SERVER_UNREACHABLE")
    tap.equal(Person(w.here, "carol").try_login().status_code, 200, "what is here can be read")
    w.server.start()
    w.alice.send("bob", "after")
    tap.equal([t for _, t in w.bob.texts("?from=alice")][-3:], ["before", "meanwhile", "after"], "in order")


@tap.case
def the_server_learns_no_word_and_no_password(w):
    w.alice.send("bob", "a word that must not be found: xylophone")
    for folder in (w.server.data, w.here.home, w.there.home):
        for place, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(place, name), "rb") as f:
                    content = f.read()
                tap.check(b"xylophone" not in content, f"plaintext in {name}")
                tap.check(PASSWORD.encode() not in content, f"password in {name}")
    tap.check("xylophone" not in w.server.log() and PASSWORD not in w.here.log(), "nor in a log")


@tap.case
def the_description_has_the_same_routes(w):
    with open(os.path.join(source_folder(), "agent", "routes.c"), encoding="utf-8") as f:
        table = re.findall(r"\{(GET|POST), (\"[^\"]+\"), AGENT_(OPEN|TOKEN|LOGIN), AGENT_(\w+)", f.read())
    with open(os.path.join(source_folder(), "docs", "agent-openapi.yaml"), encoding="utf-8") as f:
        described = yaml.safe_load(f)
    there = {(method, path.strip('"')) for method, path, _, _ in table}
    told = {(method.upper(), path) for path, item in described["paths"].items() for method in item}
    tap.equal(told, there, "routes")
    for method, path, need, body in table:
        item = described["paths"][path.strip('"')][method.lower()]
        schemes = {name for one in item["security"] for name in one}
        wanted = {"OPEN": set(), "TOKEN": {"token", "cookie"}, "LOGIN": {"cookie", "login"}}[need]
        tap.equal(schemes, wanted, f"who may call {path}")
        tap.equal("requestBody" in item, body != "NO_BODY", f"a body of {path}")
        real = path.strip('"').replace("{id}", "0" * 32).replace("{file}", "0" * 32)
        answer = w.there.call(method, real)
        tap.check(answer.status_code != 405 and answer.json().get("code") != "NOT_FOUND", f"{path} is there")
        if need != "OPEN":
            tap.equal(answer.status_code, 401, f"{path} needs something")


@tap.case
def it_ends_when_it_is_told_to(w):
    for signo in (signal.SIGINT, signal.SIGTERM):
        agent = Agent(w.server, "--no-token").start()
        agent.post("/api/session/create", {"password": "x"})
        agent.stop(signo)
        agent.remove()


@tap.case
def a_unit_is_written(w):
    bin_folder = os.path.join(w.here.home, "bin")
    os.makedirs(bin_folder, exist_ok=True)
    said = os.path.join(w.here.home, "said")
    with open(os.open(os.path.join(bin_folder, "systemctl"), os.O_CREAT | os.O_WRONLY, 0o755), "w",
              encoding="utf-8") as f:
        f.write(f'#!/bin/sh\necho "$@" >>{said}\n')
    env = {**w.here.environment(), "PATH": bin_folder + ":" + os.environ["PATH"]}
    got = subprocess.run([program("tacit"), "--server", w.server.url, "agent", "--listen", "127.0.0.1:8181",
                          "--install"], capture_output=True, text=True, env=env, timeout=60)
    tap.equal(got.returncode, 0, got.stderr)
    path = os.path.join(w.here.home, ".config/systemd/user/tacit-agent.service")
    with open(path, encoding="utf-8") as f:
        unit = f.read()
    if shutil.which("systemd-analyze"):
        judged = subprocess.run(["systemd-analyze", "--user", "--man=no", "verify", path], capture_output=True,
                                text=True, env={**env, "XDG_RUNTIME_DIR": w.here.home}, timeout=60)
        tap.equal((judged.returncode, judged.stderr), (0, ""), "what systemd says of it")
    tap.check(f'ExecStart="{program("tacit")}" --server "{w.server.url}" agent --listen "127.0.0.1:8181"'
              in unit, unit)
    with open(said, encoding="utf-8") as f:
        tap.equal(f.read().splitlines(), ["--user daemon-reload",
                                          "--user enable --now tacit-agent.service"], "systemctl")
    refused_unit = subprocess.run([program("tacit"), "agent", "--listen", "0.0.0.0:80", "--install"],
                                  capture_output=True, text=True, env=env, timeout=60)
    tap.equal(refused_unit.returncode, 1, "not for the world")


tap.main(world)
