"""Debian's Chromium in the hands of people, through playwright-core.

    with Browser() as browser:
        page = browser.person("alice").open(server.url)
        page.click("role=button[name='Log in']")

Every wait is for a condition, 60 s at most. A page calls what Playwright's Page has: page.fill(...),
page.wait_for_selector(...) are page.fill(...), page.waitForSelector(...) there.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from support.server import source_folder

CHROMIUM = os.environ.get("TACIT_CHROMIUM", "/usr/bin/chromium")
WAIT_SECONDS = 60


NAMES = {"inner_html": "innerHTML"}


def camel(name):
    return NAMES.get(name) or re.sub(r"_(\w)", lambda m: m[1].upper(), name)


class Failed(Exception):
    pass


class Browser:
    """One Chromium. Each person has a storage of their own in it."""

    def __init__(self, *more):
        """more: further arguments of Chromium."""
        self.folder = tempfile.mkdtemp(prefix="tacit-browser-")
        self.log = open(os.path.join(self.folder, "log"), "wb")
        driver = os.path.join(source_folder(), "tests", "support", "browser_driver.mjs")
        modules = os.path.join(source_folder(), "web", "node_modules")
        self.process = subprocess.Popen(
            ["node", driver, modules, CHROMIUM, *more], cwd=self.folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            env={**os.environ, "HOME": self.folder, "TMPDIR": self.folder})
        self.lock = threading.Lock()
        self.count = 0

    def call(self, on, call, *args):
        with self.lock:
            self.count += 1
            request = {"id": self.count, "on": on, "call": call, "args": list(args)}
            try:
                self.process.stdin.write(json.dumps(request) + "\n")
                self.process.stdin.flush()
                line = self.process.stdout.readline()
            except BrokenPipeError:
                line = ""
        if not line:
            self.log.flush()
            with open(self.log.name, "rb") as log:
                raise Failed(f"{call}: the browser is gone:\n{log.read()[-4000:].decode(errors='replace')}")
        answer = json.loads(line)
        if "error" in answer:
            error = re.sub(r"\x1b\[\d*m", "", answer["error"])
            raise Failed(f"{on}: {call}{tuple(args)!r}: {error[:600]}")
        return answer["value"]

    def person(self, name, **options):
        """A fresh storage with one page; options as of Playwright's newContext."""
        self.call("browser", "newContext", f"{name}'s", options)
        self.call("browser", "newPage", name, f"{name}'s")
        return Page(self, name)

    def resident(self, name, folder, **options):
        """One page in a Chromium of its own, whose storage is in that folder and outlives it."""
        self.call("browser", "newPersistent", f"{name}'s", folder, options)
        self.call("browser", "newPage", name, f"{name}'s")
        return Page(self, name)

    @staticmethod
    def kill(folder):
        """The Chromium of a resident, as a power cut would: what it had in /tmp is gone as well."""
        socket = os.readlink(os.path.join(folder, "SingletonSocket"))
        process = int(os.readlink(os.path.join(folder, "SingletonLock")).rsplit("-", 1)[1])
        os.kill(process, signal.SIGKILL)
        until = time.monotonic() + WAIT_SECONDS
        while os.path.exists(f"/proc/{process}"):
            if time.monotonic() > until:
                raise Failed("a Chromium that was killed is still there")
            time.sleep(0.02)
        shutil.rmtree(os.path.dirname(socket))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write('{"call":"quit"}\n')
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    def __init__(self, browser, name):
        self.browser, self.name = browser, name

    def __getattr__(self, name):
        return lambda *args: self.browser.call(self.name, camel(name), *args)

    def open(self, url):
        self.goto(url)
        return self

    def another(self, name):
        """A second page of the same storage."""
        self.browser.call("browser", "newPage", name, f"{self.name}'s")
        return Page(self.browser, name)

    def run(self, body):
        """The value of a function's body in the page; may await."""
        return self.evaluate(f"(async () => {{ {body} }})()")

    def wait(self, expression):
        """Until a JavaScript expression is true in the page, also one that goes elsewhere meanwhile."""
        until = time.monotonic() + WAIT_SECONDS
        while not self.is_so(expression):
            if time.monotonic() > until:
                raise Failed(f"{self.name}: never true: {expression}")
            time.sleep(0.02)

    def is_so(self, expression):
        try:
            return self.evaluate(f"Boolean({expression})")
        except Failed as why:
            if "context was destroyed" not in str(why):
                raise
            return False

    def see(self, selector):
        try:
            self.browser.call(self.name, "waitForSelector", selector)
        except Failed as why:
            raise Failed(f"{why}\nthe page says: {self.browser.call(self.name, 'innerText', 'body')[:600]!r}, "
                         f"its console: {self.said()[-5:]!r}") from None

    def miss(self, selector):
        self.browser.call(self.name, "waitForSelector", selector, {"state": "detached"})

    def offline(self, yes):
        self.browser.call(f"{self.name}'s", "setOffline", yes)

    def said(self):
        return self.browser.call("browser", "said", self.name)

    def complaints(self):
        """What no page may say: errors, and anything about a policy."""
        return [s for s in self.said() if s["kind"] in ("error", "crash", "console error")]

    def download(self, selector, path):
        return self.browser.call("browser", "download", self.name, selector, path)

    def downloads(self, selector, count, folder):
        """The names of so many, saved in the folder."""
        return self.browser.call("browser", "downloads", self.name, selector, count, folder)

    def keyboard(self, key):
        return self.browser.call("browser", "key", self.name, key)

    def choose(self, selector, *paths):
        return self.browser.call("browser", "choose", self.name, selector, list(paths))

    def cdp(self):
        name = f"{self.name}'s wire"
        self.browser.call("browser", "cdp", name, self.name)
        return Page(self.browser, name)
