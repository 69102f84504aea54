"""What the page has of the machine: Chromium's own camera (which plays a film made here) and its own
notifications. Debian's Chromium reads no QR codes: the one stand-in looks where the modules are."""
import contextlib
import json
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import Member, button  # noqa: E402
from support.browser import Browser  # noqa: E402
from support.server import Server  # noqa: E402

WIDTH, HEIGHT = 640, 480  # of the camera

# Finds the code that lies in the middle of the picture, if it is the one that it knows.
READER = """
globalThis.tracks = [];
const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
	const stream = await real(wish);
	tracks.push(...stream.getTracks());
	return stream;
};
globalThis.BarcodeDetector = class {
	async detect(source) {
		const { size, modules, says } = globalThis.known;
		const picture = await createImageBitmap(source);
		const pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
		pen.drawImage(picture, 0, 0);
		const step = Math.floor(picture.height / size);
		const from = [picture.width - step * size, picture.height - step * size].map((rest) => Math.floor(rest / 2) + step / 2);
		for (let y = 0; y < size; y++)
			for (let x = 0; x < size; x++) {
				const [red] = pen.getImageData(from[0] + x * step, from[1] + y * step, 1, 1).data;
				if ((red < 128) !== modules.includes(`${x} ${y}`)) return [];
			}
		return [{ rawValue: says }];
	}
};
"""
# Told by Chromium itself: the event comes when it is on the screen.
WITNESS = """
globalThis.shown = [];
globalThis.seen = true;
Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (globalThis.seen ? 'visible' : 'hidden') });
globalThis.Notification = class extends Notification {
	constructor(title, options) {
		super(title, options);
		this.addEventListener('show', () => shown.push(this));
	}
};
"""


class World:
    def __init__(self, server, browser, film):
        self.server, self.browser, self.film = server, browser, film
        self.alice = Member(browser, server.url, "alice")
        browser.call("alice's", "grantPermissions", ["camera", "notifications"], {"origin": server.url})
        browser.call("alice's", "addInitScript", {"content": READER + WITNESS})
        self.alice.register()
        self.bob = Member(browser, server.url, "bob")
        browser.call("bob's", "addInitScript", {"content": READER})
        self.bob.register()
        self.alice.begin("Direct chat", "bob")
        self.alice.say("hello")
        self.bob.page.see(".row:has-text('alice')")
        self.bob.talk("alice")
        self.bob.hears("hello")


@contextlib.contextmanager
def world():
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        film = os.path.join(folder, "code.y4m")
        with Browser(f"--use-file-for-fake-video-capture={film}") as browser:
            yield World(server, browser, film)


def safety(person):
    person.details()
    person.page.click(".details button:has-text('Safety number')")
    person.page.see(".digits li")


def shown_code(page):
    size = int(page.run("return document.querySelector('.qr').viewBox.baseVal.width"))
    return size, re.findall(r"M(\d+ \d+)h", page.run("return document.querySelector('.qr-dark').getAttribute('d')"))


def make_film(path, size, modules):
    step = HEIGHT // size
    luma = bytearray(b"\xeb" * (WIDTH * HEIGHT))
    for module in modules:
        x, y = (int(n) * step for n in module.split())
        for row in range(step):
            at = (y + (HEIGHT - step * size) // 2 + row) * WIDTH + x + (WIDTH - step * size) // 2
            luma[at:at + step] = b"\x10" * step
    frame = b"FRAME\n" + luma + b"\x80" * (WIDTH * HEIGHT // 2)
    with open(path, "wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2)


@tap.case
def a_code_before_the_camera_verifies(w):
    safety(w.bob)
    size, modules = shown_code(w.bob.page)
    digits = "".join(w.bob.page.run("return [...document.querySelectorAll('.digits li')].map((d) => d.textContent)"))
    make_film(w.film, size, modules)
    known = json.dumps({"size": size, "modules": modules, "says": digits})
    w.alice.page.run(f"globalThis.known = {known}")
    safety(w.alice)
    w.alice.page.click(button("Scan theirs"))
    w.alice.page.miss("dialog")
    w.alice.page.see(".details:has-text('Verified')")
    w.alice.page.wait("tracks.length === 1 && tracks.every((track) => track.readyState === 'ended')")


@tap.case
def another_code_does_not(w):
    """Of whoever stands between them."""
    w.alice.page.run("known.says = '1'.repeat(60)")
    w.alice.page.click(".details button:has-text('Safety number')")
    w.alice.page.click(button("Scan theirs"))
    w.alice.page.see("text=The numbers are NOT the same.")
    w.alice.page.wait("tracks.length === 2 && tracks.every((track) => track.readyState === 'ended')")
    w.alice.calm()


@tap.case
def a_camera_that_is_not_allowed(w):
    w.bob.calm()
    w.bob.page.run("globalThis.known = { size: 1, modules: [], says: '' }")
    safety(w.bob)
    w.bob.page.click(button("Scan theirs"))
    w.bob.page.see("text=The camera is not available.")
    w.bob.calm()


def notify(w, what):
    w.alice.from_menu("Settings")
    w.alice.page.click(f'dialog .choice span:text-is("{what}")')
    w.alice.calm()


@tap.case
def notifications_of_a_page_that_nobody_looks_at(w):
    notify(w, "Who writes")
    w.bob.say("while you look")
    w.alice.hears("while you look")
    w.alice.page.run("globalThis.seen = false")
    w.bob.say("the secret plan")
    w.alice.page.wait("shown.length === 1")
    title, body = w.alice.page.run("return [shown[0].title, shown[0].body]")
    tap.check("bob" in title and "secret" not in title + body, f"who, and not what: {title!r} {body!r}")
    notify(w, "Who writes, and what")
    w.bob.say("and where it is")
    w.alice.page.wait("shown.length === 2")
    tap.equal(w.alice.page.run("return shown[1].body"), "and where it is", "what")
    w.alice.begin("Group", "bob", name="Elsewhere")
    w.alice.page.run("shown[1].dispatchEvent(new Event('click'))")
    w.alice.page.see("textarea[aria-label='Message to bob']")


tap.main(world)
