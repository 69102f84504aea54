"""The pages /s and /r of a server, and the command line at the other end."""
import contextlib
import hashlib
import json
import os
import subprocess
import time

from support import tap
from support.browser import Browser
from support.cli import Machine
from support.server import Server, source_folder

FILES = "input[type=file]:not([webkitdirectory])"
LATER = "text=Later, by a link"
SIZE = 3_000_017  # some records, and not a multiple of one
DOWNLOADS = "delete globalThis.showSaveFilePicker; delete globalThis.showDirectoryPicker;"
# In place of the dialogs, which no test can answer: the same kinds of handles.
PICKERS = """
    const root = () => navigator.storage.getDirectory();
    globalThis.showSaveFilePicker = async (o) => (await root()).getFileHandle(o.suggestedName, { create: true });
    globalThis.showDirectoryPicker = async () => (await root()).getDirectoryHandle('chosen', { create: true });
"""
DIGEST = """
    const hex = async (file) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256',
        await file.arrayBuffer())), (b) => b.toString(16).padStart(2, '0')).join('');
"""


class World:
    def __init__(self, server, browser, machine):
        self.server, self.browser, self.machine = server, browser, machine
        self.pages = []
        self.content = bytes(i * i % 251 for i in range(SIZE))
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.file = self.write("moon landing.bin", self.content)

    def write(self, name, content):
        path = os.path.join(self.machine.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def folder(self, name):
        os.makedirs(os.path.join(self.machine.work, name))
        return name

    def page(self, where, script=DOWNLOADS, server=None, **options):
        page = self.browser.person(f"visitor {len(self.pages)}", **options)
        page.add_init_script({"content": script})
        self.pages.append(page)
        return page.open((server or self.server).url + where)

    def until(self, is_so, what):
        return self.comes(is_so) or tap.fail(f"never: {what}")

    def comes(self, is_so, seconds=60):
        give_up = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > give_up:
                return False
            time.sleep(0.05)
        return True

    def tacit(self, *words):
        return self.machine.start("--json", "--server", self.server.url, *words, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)

    def sender(self, *words):
        """At the command line; and the code."""
        sender = self.tacit("send-file", *words)
        return sender, json.loads(sender.stdout.readline())["code"]


@contextlib.contextmanager
def world():
    settings = {"RATE_LOGIN": 1000, "PARCEL_RATE": 0, "MAX_FILE_SIZE": 4 * 1024 ** 3}
    with Server(**settings) as server, Browser() as browser, Machine(server) as machine:
        yield World(server, browser, machine)


def end(process, code=0):
    out, err = process.communicate(timeout=120)
    tap.equal(process.returncode, code, f"{out[-500:]!r} {err[-500:]!r}")


def told_code(page):
    page.see(".code-text")
    return page.inner_text(".code-text")


def store(w, *words):
    """At the command line, whose end is not needed any more: what it told."""
    sender = w.tacit("send-file", "--store", *words)
    out, err = sender.communicate(timeout=120)
    tap.equal(sender.returncode, 0, f"{out[-500:]!r} {err[-500:]!r}")
    return next(o for o in map(json.loads, out.splitlines()) if o["type"] == "stored")


def stored(w, ident):
    out, _ = w.tacit("send-file", "--stored").communicate(timeout=120)
    return next(o for o in map(json.loads, out.splitlines()) if o["id"] == ident)


def behind(link):
    return link[link.index("/r#"):]


def read(path):
    """The SHA-256 of a file."""
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def tree(folder, name=""):
    """Every file of a folder with its SHA-256; an empty folder as None."""
    found = {}
    for at, folders, files in os.walk(folder):
        below = os.path.normpath(os.path.join(name, os.path.relpath(at, folder)))
        if not folders and not files:
            found[below] = None
        for one in files:
            found[os.path.normpath(os.path.join(below, one))] = read(os.path.join(at, one))
    return found


def fetch(w, link, name):
    end(w.tacit("receive", link, "--yes", "--out", w.folder(name)))
    return tree(os.path.join(w.machine.work, name))


def no_complaints(w, *expected):
    """None of the pages had any, but those with one of these words: what the cases brought about."""
    for page in w.pages:
        ours = [c for c in page.complaints() if not any(word in c["text"] for word in expected)]
        tap.equal(ours, [], page.name)


def look(page, what):
    """Nothing that is serious to axe, nothing wider than a phone, in both colours."""
    with open(os.path.join(source_folder(), "web", "node_modules", "axe-core", "axe.min.js"), encoding="utf-8") as f:
        axe = f.read()
    for colours in ("light", "dark"):
        for width in (360, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media({"colorScheme": colours, "reducedMotion": "reduce"})
            page.evaluate(axe + ";0")
            found = page.run("""
                const result = await axe.run(document, { resultTypes: ['violations'] });
                return result.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.target.join(' '))])""")
            tap.equal([one for one in found if one[0] in ("serious", "critical")], [], f"{what}, {colours}")
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            tap.check(wide <= 0, f"{what}: {wide} pixels wider than {width}")
