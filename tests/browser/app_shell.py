"""The page as a browser gets it: nothing is refused by its own policy, its parts are kept for ever,
and it starts again without a network."""
import contextlib
import http.server
import os
import re
import sys
import threading
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.browser import Browser, Failed  # noqa: E402
from support.server import Server  # noqa: E402

CONTROLLED = "navigator.serviceWorker.controller !== null"
STARTED = "document.getElementById('app').childElementCount > 0"


class World:
    def __init__(self, server, browser):
        self.server, self.browser = server, browser
        self.page = browser.person("reader")


@contextlib.contextmanager
def world():
    with Server() as server, Browser() as browser:
        yield World(server, browser)


@contextlib.contextmanager
def newer(server):
    """A door in front of the server that hands out another version of the app once `there` is set."""
    there = threading.Event()

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked = urllib.request.Request(server.url + self.path, headers={"Accept": self.headers.get("Accept", "*/*")})
            with urllib.request.urlopen(asked, timeout=30) as got:
                body = got.read()
                if there.is_set() and self.path == "/sw.js":
                    body = re.sub(rb'version:"[0-9a-f]{16}"', b'version:"0123456789abcdef"', body, count=1)
                self.send_response(got.status)
                for name, value in got.getheaders():
                    if name.lower() not in ("content-length", "connection", "date", "etag"):
                        self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *what):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{door.server_port}", there
        door.shutdown()


@tap.case
def the_app_starts_and_nothing_is_refused(w):
    w.page.open(w.server.url)
    w.page.wait(STARTED)
    tap.equal(w.page.complaints(), [], "complaints of the browser")
    tap.check(w.page.run("return crossOriginIsolated"), "alone in its process")


@tap.case
def nothing_comes_from_elsewhere(w):
    names = w.page.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    tap.check(names, "parts")
    tap.equal([name for name in names if not name.startswith(w.server.url)], [], "from elsewhere")


@tap.case
def scripts_of_others_are_refused(w):
    def refused(what, body):
        try:
            w.page.run(body)
        except Failed as why:
            return tap.check("Trusted" in str(why) or "Security" in str(why) or "Content Security" in str(why),
                             f"{what}: {why}")
        return tap.fail(f"{what}: allowed")
    refused("markup as text", "document.body.innerHTML = '<img src=x onerror=alert(1)>'")
    refused("a worker by address", "new Worker('/assets/other.js')")
    refused("a second policy", "trustedTypes.createPolicy('tacit', { createScriptURL: (a) => a })")
    refused("code as text", "return await new Promise((done, fail) => setTimeout(() => {"
            "try { done(Function('return 1')()) } catch (why) { fail(why) } }))")
    refused("a script as text", "document.createElement('script').text = 'alert(1)'")


@tap.case
def a_frame_of_another_site_stays_empty(w):
    other = w.browser.person("other")
    other.open(w.server.url.replace("127.0.0.1", "localhost") + "/health")
    other.run(f"""
        const frame = document.createElement('iframe');
        frame.src = '{w.server.url}/';
        document.body.append(frame);
        await new Promise((done) => frame.addEventListener('load', done))""")
    tap.check(other.run("return document.querySelector('iframe').contentDocument") is None,
              "an error page, which belongs to nobody")


@tap.case
def it_starts_without_a_network(w):
    w.page.wait(CONTROLLED)
    w.page.offline(True)
    w.page.reload()
    w.page.wait(STARTED)
    tap.check(w.page.run("return fetch('/health').then(() => false, () => true)"), "there is a network")
    w.page.offline(False)


@tap.case
def nothing_of_the_api_is_kept(w):
    w.page.run("await fetch('/health'); await fetch('/api/health'); await fetch('/')")
    kept = w.page.run("""
        const all = [];
        for (const name of await caches.keys())
            for (const request of await (await caches.open(name)).keys()) all.push(new URL(request.url).pathname);
        return all""")
    tap.check("/" in kept and len(kept) > 5, f"kept: {kept}")
    tap.equal([path for path in kept if not path.startswith("/assets/") and
               path not in ("/", "/manifest.webmanifest")], [], "kept beyond the shell")
    tap.check("name" in w.page.run("return await (await fetch('/')).json()"), "the page in place of the API")


@tap.case
def a_new_version_takes_over_every_window(w):
    with newer(w.server) as (url, there):
        first = w.browser.person("first").open(url)
        first.wait(CONTROLLED)
        second = first.another("second").open(url)
        second.wait(CONTROLLED)
        for page in (first, second):
            page.see("#app > *")
            page.run("document.body.dataset.version = 'old'")
        codes = first.run("""
            const { files } = await (await fetch('/.well-known/tacit-web.json')).json();
            const { path } = files.find((file) => file.path.startsWith('/assets/codes-'));
            await fetch(path);
            while (await caches.match(path) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
            return path""")
        there.set()
        first.run("await (await navigator.serviceWorker.ready).update()")
        first.see("role=alertdialog[name='There is a new version']")
        tap.check(second.run("return document.body.dataset.version === 'old'"), "before anybody agreed")
        first.click("role=button[name='Load it']")
        for page in (first, second):
            page.see("body:not([data-version]) #app > *")
        first.miss("dialog")
        first.run("void (async () => { while ((await caches.keys()).length > 1); globalThis.left = await caches.keys(); })()")
        first.wait("globalThis.left")
        tap.equal(first.run("return left"), ["tacit-shell-0123456789abcdef"], "of the old version nothing is kept")
        tap.check(first.run(f"return await caches.match({codes!r}) !== undefined"), "but what is the same in both")


@tap.case
def a_part_with_another_digest_is_not_loaded(w):
    victim = w.browser.person("victim")
    victim.open(w.server.url + "/manifest.webmanifest")
    victim.goto(w.server.url)
    victim.wait(STARTED)
    names = victim.run("""return [...document.querySelectorAll('script, link[rel=stylesheet]')]
        .map((part) => [part.src || part.href, part.integrity])""")
    tap.check(names and all(digest.startswith("sha384-") for _, digest in names), f"{names}")
    failed = victim.run("""return await new Promise((done) => {
        const link = document.createElement('link');
        link.rel = 'stylesheet';
        link.href = document.querySelector('link[rel=stylesheet]').href;
        link.integrity = 'sha384-' + 'A'.repeat(64);
        link.addEventListener('load', () => done(false));
        link.addEventListener('error', () => done(true));
        document.head.append(link) })""")
    tap.check(failed, "a wrong digest was loaded")


tap.main(world)
