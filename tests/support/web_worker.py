"""The web client's worker in Node: browsers without pages (tests/web/core/peer.mjs), each with a
database and cookies of its own.

    with WebWorkers(server) as web:
        alice = web.browser("alice").register()
        alice.run("send", username="bob", content={"kind": "text", "text": "hello"})
"""
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request

from support.client import fresh_step, totp
from support.server import program, source_folder

SECONDS = 120
PASSWORD = "correct horse 7!"


class Problem(Exception):
    def __init__(self, problem):
        super().__init__(f"{problem['code']}: {problem['text']}")
        self.code, self.sink = problem["code"], problem.get("sink")


def missing():
    """What is not installed or built, as a sentence, or None."""
    root = source_folder()
    for package in ("web/node_modules/esbuild", "tests/web/node_modules/fake-indexeddb"):
        if not os.path.isdir(os.path.join(root, package)):
            return f"{package} is not there: tools/bootstrap test fetches it"
    if subprocess.run([program("tacitd"), "--print-web-hash"], capture_output=True, check=False,
                      timeout=SECONDS).returncode != 0:
        return "tacitd was built without the web app"
    return None


def bundle(test, folder):
    """A test of tests/web/core with the sources that it tests, as one script for Node."""
    core = os.path.join(source_folder(), "tests", "web", "core")
    out = os.path.join(folder, test)
    subprocess.run(["node", os.path.join(core, "run.mjs"), test, out], check=True, timeout=SECONDS)
    return out


def module_of(server, folder):
    """The WebAssembly module that a server hands out."""
    with urllib.request.urlopen(f"{server.url}/.well-known/tacit-web.json", timeout=30) as answer:
        files = json.load(answer)["files"]
    path = next(f["path"] for f in files if f["path"].startswith("/assets/tacit-") and f["path"].endswith(".wasm"))
    with urllib.request.urlopen(server.url + path, timeout=30) as answer:
        module = os.path.join(folder, "tacit.wasm")
        with open(module, "wb") as out:
            out.write(answer.read())
    return module


class WebWorkers:
    """One Node for any number of browsers."""

    def __init__(self, server, module):
        self.folder = tempfile.mkdtemp(prefix="tacit-web-")
        script = bundle("peer.mjs", self.folder)
        self.process = subprocess.Popen(["node", "--expose-gc", script, module, server.url], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.answers, self.came, self.count = {}, threading.Condition(), 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            with self.came:
                self.answers[answer["id"]] = answer
                self.came.notify_all()
        with self.came:
            self.answers[None] = {"problem": {"code": "GONE", "text": "node has ended"}}
            self.came.notify_all()

    def begin(self, browser, deed, **more):
        """Without waiting; `end` gives the answer."""
        with self.came:
            self.count += 1
            number = self.count
        self.process.stdin.write(json.dumps({"id": number, "browser": browser, "deed": deed, **more}) + "\n")
        self.process.stdin.flush()
        return number

    def end(self, number):
        until = time.monotonic() + SECONDS
        with self.came:
            while number not in self.answers:
                if None in self.answers:
                    raise Problem(self.answers[None]["problem"])
                if not self.came.wait(max(0, until - time.monotonic())):
                    raise TimeoutError(f"no answer to call {number}")
            answer = self.answers.pop(number)
        if "problem" in answer:
            raise Problem(answer["problem"])
        return answer["result"]

    def browser(self, username, name=None, password=PASSWORD):
        return Browser(self, name or username, username, password)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Browser:
    """One person at one browser."""

    def __init__(self, web, name, username, password):
        self.web, self.name, self.username, self.password = web, name, username, password
        self.email = f"{username}@example.org"
        self.secret, self.last_step, self.recovery_codes = None, 0, []

    def do(self, deed, **more):
        return self.web.end(self.web.begin(self.name, deed, **more))

    def run(self, kind, **fields):
        """To DONE: that notice."""
        return self.do("run", command={"kind": kind, **fields})["done"]

    def told(self, kind, notice, **fields):
        """The notices of one kind that a command told."""
        told = self.do("run", command={"kind": kind, **fields})["told"]
        return [n for n in told if n["kind"] == notice]

    def code(self):
        """A code that was not used before."""
        self.last_step = fresh_step(self.last_step)
        return totp(self.secret, self.last_step)

    def register(self):
        setup = self.told("register", "totp_setup", username=self.username, email=self.email,
                          password=self.password, text="")
        self.secret = setup[0]["detail"]
        codes = self.told("verify_totp", "recovery_codes", code=self.code())
        self.recovery_codes = codes[0]["text"].split()
        return self

    def login(self):
        """With a recovery code, which needs no waiting for the next half minute."""
        self.run("login", username=self.username, email=self.email, password=self.password,
                 code=self.recovery_codes.pop())
        return self

    def elsewhere(self, name):
        """The same person at another browser, not logged in there."""
        other = Browser(self.web, name, self.username, self.password)
        other.secret, other.recovery_codes = self.secret, self.recovery_codes
        return other

    def say(self, text, **where):
        return self.run("send", content={"kind": "text", "text": text}, **where)

    def heard(self, kind, **fields):
        """Waits for a notice of its own accord."""
        return self.do("heard", notice={"kind": kind, **fields})

    def history(self, conversation, before=None, limit=50):
        return self.do("history", conversation=conversation, before=before, limit=limit)

    def texts(self, conversation):
        return [e["notice"]["content"]["text"] for e in self.history(conversation)
                if e["notice"]["kind"] == "message"]

    def conversation(self, title):
        for notice in self.do("conversations"):
            if notice["kind"] == "conversation" and notice["title"] == title:
                return notice["conversation"]
        raise AssertionError(f"{self.name} has no conversation {title}")
