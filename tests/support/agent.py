"""A real `tacit agent` on a free port, with a home folder of its own, ended by its pid.

    with Server() as server, Agent(server, "--no-token") as agent:
        requests.post(agent.url + "/api/login", json={...})
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile

import requests

from support import tap
from support.client import ERROR_STATUSES, RFC3339, SECURITY_HEADERS
from support.server import SANITIZER, ServerFailed, program

STOP_SECONDS = 40
PASSWORD = "correct horse 7!"


class Agent:
    """server may be None: nobody is there. Keyword arguments become environment variables."""

    def __init__(self, server, *arguments, home=None, wrapper=(), **settings):
        self.server_url = server.url if server else "http://127.0.0.1:9"
        self.arguments = list(arguments)
        self.wrapper = list(wrapper)
        self.settings = {k: str(v) for k, v in settings.items()}
        self.own_home = home is None
        self.home = home or tempfile.mkdtemp(prefix="tacit-agent-")
        self.log_path = os.path.join(self.home, "agent.log")
        self.process = self.url = self.token_file = None

    def environment(self):
        kept = {k: v for k, v in os.environ.items()
                if k in ("PATH", "TMPDIR") or k.endswith("SAN_OPTIONS")}
        return {**kept, "HOME": self.home, "XDG_DATA_HOME": os.path.join(self.home, "data"),
                "LC_ALL": "C.UTF-8", **self.settings}

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    @property
    def token(self):
        with open(self.token_file, encoding="ascii") as f:
            return f.read().strip()

    @property
    def bearer(self):
        return {"Authorization": f"Bearer {self.token}"}

    def start(self):
        words = [*self.wrapper, program("tacit"), "--json", "--server", self.server_url, "agent", *self.arguments]
        if not any(word.startswith("--listen") for word in self.arguments):
            words += ["--listen", "127.0.0.1:0"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=log, env=self.environment(), cwd=self.home)
        line = self.process.stdout.readline()
        if not line:
            raise ServerFailed(f"the agent ended at start: {self.log()}")
        told = json.loads(line)
        self.url, self.token_file = told["url"], told.get("token_file")
        return self

    def log(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode(errors="replace")

    def stop(self, signo=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(signo)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise ServerFailed(f"the agent did not end: {self.log()[-4000:]}") from None
        finally:
            self.process.stdout.close()
            self.process = None
        if status != 0 or SANITIZER.search(self.log().encode()):
            raise ServerFailed(f"the agent ended with {status}: {self.log()[-8000:]}")

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *what):
        try:
            self.stop()
        finally:
            self.remove()

    def remove(self):
        if self.own_home and not os.environ.get("TACIT_KEEP"):
            shutil.rmtree(self.home, ignore_errors=True)

    # --- requests whose answers are checked for what must hold for all of them ---
    def call(self, method, path, session=None, **more):
        answer = (session or requests).request(method, self.url + path, timeout=120, **more)
        check(answer)
        return answer

    def post(self, path, body=None, **more):
        return self.call("POST", path, json=body, **more)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def person(self, username, **more):
        return Person(self, username).register(**more).login()


class Person:
    """An account in the hands of a program with a cookie jar."""

    def __init__(self, agent, username, password=PASSWORD):
        self.agent, self.username, self.password = agent, username, password
        self.session = requests.Session()

    def headers(self):
        return self.agent.bearer if self.agent.token_file else {}

    def register(self, **more):
        answer = self.post("/api/register", {"username": self.username, "password": self.password,
                                             **more})
        tap.equal(answer.status_code, 201, f"register: {answer.text}")
        self.recovery_codes = answer.json()["recovery_codes"]
        return self

    def login(self, **more):
        answer = self.try_login(**more)
        tap.equal(answer.status_code, 200, f"login: {answer.text}")
        return self

    def try_login(self, **more):
        return self.post("/api/login", {"username": self.username, "password": self.password, **more})

    def post(self, path, body=None, **more):
        return self.agent.post(path, body, session=self.session, headers=self.headers(), **more)

    def get(self, path, **more):
        return self.agent.get(path, session=self.session, **more)

    def send(self, recipient, text):
        answer = self.post("/api/messages", {"recipient": recipient, "message": text})
        tap.equal(answer.status_code, 201, f"send: {answer.text}")
        return answer.json()

    def inbox(self, query=""):
        answer = self.get("/api/messages" + query)
        tap.equal(answer.status_code, 200, f"inbox: {answer.text}")
        return answer.json()["messages"]

    def texts(self, query=""):
        return [(m["sender"], m["message"]) for m in self.inbox(query)]


def check(answer):
    """What holds for every answer of the agent."""
    what = f"{answer.request.method} {answer.request.path_url} -> {answer.status_code} {answer.content[:200]!r}"
    for name, good in SECURITY_HEADERS.items():
        value = answer.headers.get(name)
        tap.check(value is not None and good(value), f"{what}: {name} is {value!r}")
    tap.check("Access-Control-Allow-Origin" not in answer.headers, f"{what}: no CORS")
    if answer.status_code < 400:
        return
    tap.check(answer.status_code in ERROR_STATUSES and answer.status_code != 500, what)
    error = answer.json()
    tap.check(isinstance(error["error"], str) and error["code"].isupper()
              and RFC3339.match(error["timestamp"]), f"{what}: the error object")
    if answer.status_code in (429, 503):
        tap.check(int(answer.headers.get("Retry-After", "0")) >= 1, f"{what}: Retry-After")


def refused(answer, status, code, sentence=None):
    tap.equal((answer.status_code, answer.json().get("code")), (status, code), answer.text)
    if sentence is not None:
        tap.equal(answer.json()["error"], sentence, "sentence")
