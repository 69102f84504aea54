"""The web app in the hands of a person: what they would do, by the names that they see.

    alice = Member(browser, server.url, "alice").register()
    alice.begin_direct("bob")
    alice.say("hello")
"""
import json
import time

from support.client import fresh_step, totp

PASSWORD = "quiet lantern 7 under!"
NO_PICKER = {"content": "delete globalThis.showSaveFilePicker"}  # what is saved becomes a download


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def role(kind, name):
    return f"role={kind}[name={quoted(name)}]"


def button(name):
    return role("button", name)


def field(name):
    return f"internal:label={quoted(name)}s"


def message(text):
    return f"article:has-text({quoted(text)})"


class Member:
    def __init__(self, browser, url, username, password=PASSWORD, page=None, **options):
        self.url, self.username, self.password = url, username, password
        self.email = f"{username}@example.org"
        self.page = browser.person(page or username, **options)
        browser.call(f"{self.page.name}'s", "addInitScript", NO_PICKER)
        self.secret, self.last_step, self.recovery_codes = None, 0, []

    def code(self):
        """A code that was not used before."""
        self.last_step = fresh_step(self.last_step)
        return totp(self.secret, self.last_step)

    def factor(self):
        """A code if one is at hand without waiting, else a recovery code."""
        if self.last_step < int(time.time()) // 30 + 1 or not self.recovery_codes:
            return self.code()
        return self.recovery_codes.pop()

    # --- the account ---
    def open(self):
        self.page.open(self.url)
        self.page.see("#app > *")
        return self

    def register(self):
        self.open()
        self.begin_registration()
        self.connect_authenticator()
        self.confirm_recovery()
        return self

    def begin_registration(self):
        page = self.page
        page.click(button("Create an account"))
        page.fill(field("Username"), self.username)
        page.fill(field("E-mail address"), self.email)
        page.fill(field("Password"), self.password)
        page.click(button("Create account"))
        page.see(".secret code")
        self.secret = page.text_content(".secret code").replace(" ", "")

    def connect_authenticator(self):
        self.page.fill(field("Code"), self.code())
        self.page.click(button("Check the code"))
        self.page.see(".codes code")
        self.recovery_codes = self.page.run("return [...document.querySelectorAll('.codes code')].map((c) => c.textContent)")

    def confirm_recovery(self):
        self.page.fill(field("Type any one of the codes"), self.recovery_codes[0])
        self.page.click(button("I have kept them"))
        self.page.see(".sidebar")

    def login(self):
        """On a browser that does not know the account."""
        self.open()
        page = self.page
        page.click(button("Log in"))
        page.fill(field("Username"), self.username)
        page.fill(field("E-mail address"), self.email)
        page.fill(field("Password"), self.password)
        page.fill(field("Code"), self.factor())
        page.click(button("Log in"))
        page.see(".sidebar")
        return self

    def elsewhere(self, browser, page):
        """The same account on another browser, not logged in yet."""
        other = Member(browser, self.url, self.username, self.password, page=page)
        other.secret, other.last_step, other.recovery_codes = self.secret, self.last_step, self.recovery_codes
        return other

    def reload(self):
        """The page anew; a profile that is sealed by then is opened."""
        self.page.reload()
        self.page.see(".sidebar, .frame form")
        if not self.page.is_visible(".sidebar"):
            self.unlock()

    def unlock(self):
        self.page.fill(field("Password"), self.password)
        self.page.click(button("Unlock"))
        self.page.see(".sidebar")

    def log_out(self):
        self.calm()
        self.from_menu("Settings")
        self.page.click("dialog >> " + button("Log out"))
        self.page.click("role=alertdialog >> " + button("Log out"))
        self.page.see(field("Code"))

    # --- conversations ---
    def begin(self, kind, *people, name=None):
        """kind: "Direct chat", "Group", "Room" or "Session"."""
        page = self.page
        page.click(button("New conversation") + " >> nth=0")
        page.click(f"dialog .choice label:has-text({quoted(kind)})")
        if name is not None:
            page.fill(field("Name"), name)
        for person in people:
            page.fill("dialog input[type=search]", person)
            page.click(f"dialog .person:has-text({quoted(person)})")
        page.click("dialog >> " + button("Start"))
        page.miss("dialog")
        page.see("textarea")

    def talk(self, title):
        """Opens the conversation with this title."""
        self.calm()
        self.page.click(f".row:has(.row-title:text-is({quoted(title)}))")
        self.page.see(f"textarea[aria-label={quoted('Message to ' + title)}]")

    def calm(self):
        """Closes what a case that failed has left open: each case stands for itself."""
        while self.page.is_visible(".menu-layer") or self.page.is_visible("dialog"):
            self.page.keyboard("Escape")

    def say(self, text):
        self.page.fill("textarea", text)
        self.page.press("textarea", "Enter")

    def hears(self, text):
        self.page.see(f"article.other:has-text({quoted(text)})")

    def said(self, text):
        """An own message that the server has."""
        self.page.see(f"article.own:has-text({quoted(text)})")

    def texts(self):
        """What the open conversation shows, in order."""
        return self.page.run("return [...document.querySelectorAll('article .body')].map((b) => b.textContent)")

    def details(self):
        if not self.page.is_visible(".details"):
            self.page.click(button("Details"))
        self.page.see(".details")

    def act(self, text, what):
        """Something from the menu of a message."""
        self.page.hover(message(text))
        self.page.click(message(text) + " >> " + button("More"))
        self.page.click(role("menuitem", what))

    def react(self, text, emoji):
        self.page.hover(message(text))
        self.page.click(message(text) + " >> " + button("React"))
        self.page.click(role("menuitem", 'React with ' + emoji))

    def remove(self, person):
        """From the open conversation."""
        self.details()
        self.page.click(button(f"More: {person}"))
        self.page.click(role("menuitem", 'Remove ' + person))
        self.page.click("role=alertdialog >> " + button("Remove"))
        self.page.miss("role=alertdialog")

    def from_menu(self, what):
        self.page.click(button("Menu"))
        self.page.click(role("menuitem", what))

    def attach(self, *paths):
        self.page.set_input_files("input[type=file]", list(paths))
        self.page.see(".attached li")

    def save(self, name, path):
        return self.page.download(button(f"Save {name}"), path)
