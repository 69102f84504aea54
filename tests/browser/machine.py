"""What the page has of the machine: Chromium's own camera, which plays a film made here, and its own
notifications."""
import contextlib
import ctypes
import math
import os
import random
import re
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import Member, button  # noqa: E402
from support.browser import Browser  # noqa: E402
from support.server import Server  # noqa: E402

WIDTH, HEIGHT = 640, 480  # of the camera

# The tracks that the page has got from the camera.
WATCH = """
globalThis.tracks = [];
const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
	const stream = await real(wish);
	tracks.push(...stream.getTracks());
	return stream;
};
"""
OFF = "tracks.length > 0 && tracks.every((track) => track.readyState === 'ended')"
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
        browser.call("alice's", "addInitScript", {"content": WATCH + WITNESS})
        self.alice.register()
        self.bob = Member(browser, server.url, "bob")
        browser.call("bob's", "addInitScript", {"content": WATCH})
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
    person.page.see('.qr-dark:not([d=""])')


def digits(page):
    return page.run("return [...document.querySelectorAll('.digits li')].map((d) => d.textContent).join('')")


def shown_code(page):
    """The page's own QR code, row by row."""
    size = int(page.run("return document.querySelector('.qr').viewBox.baseVal.width"))
    dark = re.findall(r"M(\d+ \d+)h", page.run("return document.querySelector('.qr-dark').getAttribute('d')"))
    return [[f"{x} {y}" in dark for x in range(size)] for y in range(size)]


class QrCode(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int), ("width", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_ubyte))]


def drawn_code(text):
    """By libqrencode, as the command line and the server draw theirs; with its quiet zone."""
    library = ctypes.CDLL("libqrencode.so.4")
    library.QRcode_encodeString.restype = ctypes.POINTER(QrCode)
    code = library.QRcode_encodeString(text.encode(), 0, 1, 2, 1).contents
    edge = [[False] * (code.width + 8)] * 4
    rows = [[bool(code.data[y * code.width + x] & 1) for x in range(code.width)] for y in range(code.width)]
    return edge + [[False] * 4 + row + [False] * 4 for row in rows] + edge


def make_film(path, rows, side, turn=0.0, noise=0):
    """The code in the middle of the picture, so large, turned by so many degrees; paler than black on
    white, and grainy, as cameras see it."""
    cos, sin, size = math.cos(math.radians(turn)), math.sin(math.radians(turn)), len(rows)
    grain = random.Random(1).randbytes(WIDTH * HEIGHT)
    luma = bytearray()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            dx, dy = (x - WIDTH / 2) / side, (y - HEIGHT / 2) / side
            column, row = math.floor((cos * dx + sin * dy + 0.5) * size), math.floor((cos * dy - sin * dx + 0.5) * size)
            inside = 0 <= row < size and 0 <= column < size
            light = (60 if rows[row][column] else 200) if inside else 120
            luma.append(light + grain[len(luma)] * noise // 255 - noise // 2)
    frame = b"FRAME\n" + luma + b"\x80" * (WIDTH * HEIGHT // 2)
    with open(path + ".new", "wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2)
    os.replace(path + ".new", path)


def kept_codes(page):
    """Of what reads and draws the codes: how often it was fetched, and how often it is kept for later."""
    return page.run("""
        const isOurs = (address) => address.includes('/assets/codes-');
        const fetched = performance.getEntriesByType('resource').filter(({ name }) => isOurs(name)).length;
        let kept = 0;
        for (const name of await caches.keys())
            kept += (await (await caches.open(name)).keys()).filter(({ url }) => isOurs(url)).length;
        return [fetched, kept]""")


@tap.case
def what_reads_and_draws_codes_comes_with_the_first_of_them(w):
    page = w.browser.person("reader").open(w.alice.url)
    page.wait("navigator.serviceWorker.controller !== null")
    tap.equal(kept_codes(page), [0, 0], "it is no part of the first load")
    person = Member(w.browser, w.alice.url, "carol", page="carol")
    person.open()
    person.page.wait("navigator.serviceWorker.controller !== null")
    person.begin_registration()
    person.page.see('.qr-dark:not([d=""])')
    until = time.monotonic() + 60
    while kept_codes(person.page) != [1, 1] and time.monotonic() < until:
        time.sleep(0.05)  # it is put aside while it is used already
    tap.equal(kept_codes(person.page), [1, 1], "fetched once, and kept")


@tap.case
def a_code_before_the_camera_verifies(w):
    safety(w.bob)
    make_film(w.film, shown_code(w.bob.page), side=300)
    safety(w.alice)
    w.alice.page.click(button("Scan theirs"))
    w.alice.page.miss("dialog")
    w.alice.page.see(".details:has-text('Verified')")
    w.alice.page.wait(OFF)


@tap.case
def a_code_that_is_no_safety_number(w):
    """Seen first; then the right one, askew and grainy, with no network."""
    make_film(w.film, drawn_code("https://example.org/r#7-amber-falcon"), side=360, turn=-8)
    w.bob.calm()
    safety(w.bob)
    w.bob.page.wait("navigator.serviceWorker.controller !== null")
    w.browser.call("bob's", "grantPermissions", ["camera"], {"origin": w.bob.url})
    number = digits(w.bob.page)
    w.bob.page.click(button("Scan theirs"))
    w.bob.page.see("text=That is no safety number.")
    w.bob.page.click(button("Show ours again"))
    w.bob.page.wait(OFF)
    make_film(w.film, drawn_code(number), side=260, turn=25, noise=60)
    w.bob.page.offline(True)
    w.bob.page.click(button("Scan theirs"))
    w.bob.page.miss("dialog")
    w.bob.page.see(".details:has-text('Verified')")
    w.bob.page.offline(False)
    w.bob.page.wait(OFF)


@tap.case
def another_code_does_not(w):
    """Of whoever stands between them."""
    make_film(w.film, drawn_code("1" * 60), side=280, turn=100)
    w.alice.page.click(".details button:has-text('Safety number')")
    w.alice.page.click(button("Scan theirs"))
    w.alice.page.see("text=The numbers are NOT the same.")
    w.alice.page.wait(OFF)
    w.alice.calm()


@tap.case
def a_camera_that_is_not_allowed(w):
    w.bob.calm()
    w.browser.call("bob's", "clearPermissions")
    safety(w.bob)
    w.bob.page.click(button("Scan theirs"))
    w.bob.page.see("text=tacit may not use the camera.")
    w.bob.page.click(button("Enter theirs"))
    w.bob.page.see("dialog input")
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
