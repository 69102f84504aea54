"""Every screen of the real app, on a desk and on a phone, light and dark: pictures for whoever changes
the page (in screens/ of the build folder), and nothing serious for axe on any of them."""
import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import Member, button  # noqa: E402
from support.browser import Browser  # noqa: E402
from support.server import Server, build_folder, source_folder  # noqa: E402

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SERIOUS = ("serious", "critical")


class World:
    def __init__(self, server, browser):
        self.server, self.browser = server, browser
        self.folder = os.path.join(build_folder(), "screens")
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(source_folder(), "web", "node_modules", "axe-core", "axe.min.js"),
                  encoding="utf-8") as f:
            self.axe = f.read()
        self.alice = Member(browser, server.url, "alice")
        self.bob = Member(browser, server.url, "bob")

    def look(self, who, name):
        """One screen in all four looks; axe looks at it in both colours."""
        page = who.page
        for size, box in (("desk", DESK), ("phone", PHONE)):
            page.set_viewport_size(box)
            for colours in ("light", "dark"):
                page.emulate_media({"colorScheme": colours, "reducedMotion": "reduce"})
                page.screenshot({"path": os.path.join(self.folder, f"{name}-{size}-{colours}.png"),
                                 "animations": "disabled"})
                self.check(page, f"{name}, {size}, {colours}")
        page.set_viewport_size(DESK)

    def check(self, page, what):
        page.evaluate(self.axe + ";0")
        found = page.run("""
            const result = await axe.run(document, { resultTypes: ['violations'],
                runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
            return result.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.target.join(' ')).slice(0, 3)])""")
        tap.equal([f for f in found if f[0] in SERIOUS], [], what)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        tap.check(wide <= 0, f"{what}: {wide} pixels wider than the window")


@contextlib.contextmanager
def world():
    with Server() as server, Browser() as browser:
        yield World(server, browser)


@tap.case
def on_the_way_in(w):
    w.alice.open()
    w.look(w.alice, "welcome")
    w.alice.page.click(button("Create an account"))
    w.look(w.alice, "register")
    w.alice.page.click(button("Back"))
    w.alice.begin_registration()
    w.look(w.alice, "authenticator")
    w.alice.connect_authenticator()
    w.look(w.alice, "recovery")
    w.alice.confirm_recovery()
    w.look(w.alice, "nothing-yet")
    w.bob.register()


@tap.case
def conversations(w):
    a, b = w.alice, w.bob
    a.begin("Direct chat", "bob")
    a.say("Are you coming on Friday?")
    b.talk("alice")
    b.hears("Are you coming on Friday?")
    b.say("Yes, with the tent and the small stove. The long one is broken, so we need another way to boil water.")
    a.hears("Yes, with the tent")
    b.react("Are you coming", "👍")
    a.page.see(".reactions")
    a.page.wait("document.querySelector('.typing') === null")
    w.look(a, "direct")
    a.begin("Group", "bob", name="Alpine weekend")
    a.say("Who drives?")
    b.talk("Alpine weekend")
    b.hears("Who drives?")
    w.look(b, "group")
    a.details()
    w.look(a, "details")
    a.page.click(".details >> " + button("Close"))


@tap.case
def dialogs(w):
    a = w.alice
    a.talk("bob")
    a.page.click(button("New conversation") + " >> nth=0")
    w.look(a, "new")
    a.calm()
    for what in ("Settings", "Devices"):
        a.from_menu(what)
        a.page.see("dialog[open]")
        w.look(a, what.lower())
        a.calm()
    a.details()
    a.page.click(".details button:has-text('Safety number')")
    a.page.see(".digits li")
    w.look(a, "safety")
    a.calm()
    a.page.fill("role=searchbox[name='Search people and messages']", "stove")
    a.page.see(".found")
    w.look(a, "search")


@tap.case
def locked(w):
    w.bob.from_menu("Lock")
    w.bob.page.see(button("Unlock"))
    w.look(w.bob, "unlock")


tap.main(world)
