"""The pages /s and /r: what is left at a server for whoever has the link, both ways."""
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import button, field  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer_pages import (DOWNLOADS, FILES, PICKERS, behind, end, look, read, store, stored,  # noqa: E402
                                    tree, world)

LATER = "text=Later, by a link"


@tap.case
def a_link_is_received_by_a_browser(w):
    large = bytes(8 * 1024 * 1024) + w.content  # more than one segment
    made = store(w, w.write("large.bin", large))
    page = w.page(behind(made["link"]))
    page.see("text=large.bin, 11 MB")
    tap.equal(page.evaluate("location.href"), w.server.url + "/r", "no secret in the address")
    path = os.path.join(w.machine.work, "by link")
    tap.equal(page.download(button("Save"), path), "large.bin", "name")
    page.see("text=Received whole")
    with open(path, "rb") as f:
        tap.check(f.read() == large, "the file")
    seen = stored(w, made["id"])
    tap.equal((seen["state"], seen["receipts"], seen["false_receipts"]), ("taken", 1, 0), "a true receipt")
    tap.equal(page.run("return Object.keys(localStorage).filter((k) => k.startsWith('tacit-claim'))"), [],
              "no claim is kept")
    page = w.page(behind(made["link"]))
    page.see("text=It is not there any more")


@tap.case
def a_text_and_a_folder_come_by_link(w):
    page = w.page(behind(store(w, "--text", "<i>left</i> for you")["link"]))
    page.see(".text-came")
    tap.equal(page.inner_text(".text-came"), "<i>left</i> for you", "a text")
    w.write("left/a.txt", b"A")
    w.write("left/empty", b"")
    page = w.page(behind(store(w, os.path.join(w.machine.work, "left"))["link"]), PICKERS)
    page.see("text=2 files")
    page.click(button("Save"))
    page.see("text=Received whole")
    tap.equal(page.run("""const chosen = await (await navigator.storage.getDirectory()).getDirectoryHandle('chosen');
        const left = await chosen.getDirectoryHandle('left'), all = {};
        for await (const [name, one] of left.entries()) all[name] = await (await one.getFile()).text();
        return all"""), {"a.txt": "A", "empty": ""}, "a folder")


def step_aside(w, page):
    page.open(w.server.url + "/s")
    page.see(LATER)  # who leaves it any earlier hears of what did not load


@tap.case
def a_link_declined_or_left_is_not_used_up(w):
    made = store(w, w.file)
    page = w.page(behind(made["link"]))
    page.see("text=moon landing.bin, 3 MB")
    step_aside(w, page)
    page.open(w.server.url + behind(made["link"]))  # the same browser has the claim still
    page.see("text=moon landing.bin, 3 MB")
    other = w.page(behind(made["link"]))
    other.see("text=It is being received elsewhere")
    page.click(button("Decline"))
    page.see("text=Declined.")
    step_aside(w, other)
    other.open(w.server.url + behind(made["link"]))
    path = os.path.join(w.machine.work, "after all")
    other.see("text=moon landing.bin, 3 MB")
    other.download(button("Save"), path)
    other.see("text=Received whole")
    tap.equal(stored(w, made["id"])["receipts"], 1, "one receipt")


@tap.case
def a_link_that_lies_is_refused(w):
    made = store(w, w.file)
    with open(os.path.join(w.server.data, "blobs", made["id"][:2], made["id"]), "r+b") as blob:
        blob.seek(1_000_000)
        blob.write(b"changed")
    page = w.page(behind(made["link"]), PICKERS)
    page.see("text=moon landing.bin, 3 MB")
    page.click(button("Save"))
    page.see("text=What came is not what was sent")
    tap.equal(stored(w, made["id"])["receipts"], 0, "no receipt")
    for link, said in ((made["link"][:-1], "That is no code"), (made["link"][:-6] + "AAAAAA", "nothing under that link")):
        page = w.page(behind(link))
        page.see(f"text={said}")


def leave(page, what, *more, downloads=None):
    """At the page: the link."""
    page.click(LATER)
    if downloads is not None:
        page.select_option(field("May be fetched"), str(downloads))
    if callable(what):
        what()
    else:
        page.set_input_files(FILES, [what, *more] if more else what)
    page.see(".link-text")
    return page.inner_text(".link-text")


def fetch(w, link, name):
    end(w.tacit("receive", link, "--yes", "--out", w.folder(name)))
    return tree(os.path.join(w.machine.work, name))


def blobs(w):
    return [name for _, _, names in os.walk(os.path.join(w.server.data, "blobs")) for name in names]


@tap.case
def a_browser_leaves_a_file_for_the_command_line(w):
    page = w.page("/s")
    link = leave(page, w.file)
    tap.check(link.startswith(w.server.url + "/r#s."), link)
    page.see("text=Received: 0 of 1.")
    kept = page.evaluate("JSON.stringify(localStorage)")
    tap.check("moon landing.bin" in kept, "it is remembered")
    tap.check(link.rsplit(".", 1)[1] not in kept, "but not the link")
    tap.equal(fetch(w, link, "fetched"), {"moon landing.bin": w.sha256}, "the file")
    page.see("text=Received as often as it might be.")
    page.see("text=Received whole:")
    page.click(button("Send something else"))
    page.see("text=Left from this browser")
    page.click(button("Remove from this list: moon landing.bin"))
    page.miss("text=Left from this browser")
    tap.equal(page.evaluate("JSON.stringify(localStorage)"), "{}", "nothing is left")


@tap.case
def ends_of_every_size_fit(w):
    segment = 8 * 1024 * 1024
    for size in (0, segment - 32, segment - 10, segment, segment + 1):  # the hash is in one segment, two, the next
        path = w.write(f"of {size}", os.urandom(size))
        page = w.page("/s")
        found = fetch(w, leave(page, path), f"fetched {size}")
        tap.equal(found, {f"of {size}": read(path)}, f"{size} bytes")


@tap.case
def a_browser_leaves_a_text_and_takes_back_a_folder(w):
    words = "later \N{SNOWMAN}"
    page = w.page("/s")

    def write():
        page.fill("textarea", words)
        page.click(button("Send the text"))
    link = leave(page, write, downloads=2)
    out, _ = w.tacit("receive", link, "--yes").communicate(timeout=120)
    tap.check(any(json.loads(line).get("text") == words for line in out.splitlines()), f"{out!r}")
    page.see("text=Received: 1 of 2.")
    other = w.page(behind(link))
    other.see(".text-came")
    tap.equal(other.inner_text(".text-came"), words, "to a page")
    page.see("text=Received as often as it might be.")
    w.write("box/in/a.txt", b"A")
    w.write("box/b.txt", b"B")
    page = w.page("/s")
    link = leave(page, lambda: page.set_input_files("[webkitdirectory]", os.path.join(w.machine.work, "box")), downloads=5)
    tap.equal(fetch(w, link, "unboxed"), tree(os.path.join(w.machine.work, "box"), "box"), "the folder")
    page.open(w.server.url + "/s")  # it is remembered over a reload
    page.see("text=Received: 1 of 5.")
    page.click(button("Take it back: box"))
    page.see("text=Taken back.")
    other = w.page(behind(link))
    other.see("text=It is not there any more")


@tap.case
def an_upload_goes_on_when_the_server_was_away(w):
    large = w.write("large to leave.bin", os.urandom(40 * 1024 * 1024))
    page = w.page("/s")
    page.click(LATER)
    page.set_input_files(FILES, large)
    page.wait("document.querySelector('progress')?.value > 0")
    w.server.restart()
    page.see(".link-text")
    tap.equal(fetch(w, page.inner_text(".link-text"), "went on"), {"large to leave.bin": read(large)}, "the file")


# A page that gets nothing said when it is closed: the browser loses such a call now and then.
SPEECHLESS = """
    const said = fetch;
    globalThis.fetch = (where, how) => how?.keepalive ? new Promise(() => undefined) : said(where, how);
"""
CLOSES = "addEventListener('beforeunload', (e) => e.stopImmediatePropagation());"
# The second part of an upload waits for go().
WAITS = """
    const send = XMLHttpRequest.prototype.send;
    const gate = new Promise((resolve) => { globalThis.go = resolve; });
    let parts = 0;
    XMLHttpRequest.prototype.send = function (body) {
        if (parts++ === 0) send.call(this, body);
        else gate.then(() => send.call(this, body));
    };
"""


def begin_huge(w, page):
    """An upload that is under way, and will be for long. What is kept for it, and was not before."""
    large = os.path.join(w.machine.work, "huge.bin")
    if not os.path.exists(large):
        w.write("huge.bin", b"")
        os.truncate(large, 2 * 1024 ** 3)
    before = set(blobs(w))
    page.click(LATER)
    page.set_input_files(FILES, large)
    page.wait("document.querySelector('progress')?.value > 0")
    w.until(lambda: set(blobs(w)) - before, "some of it has arrived")
    return set(blobs(w)) - before


def locks(page):
    """Of uploads that are not ended: how many are held, and how many waited for."""
    return page.run("""
        const { held, pending } = await navigator.locks.query();
        return [held, pending].map((all) => all.filter(({ name }) => name.startsWith('tacit-begun')).length);""")


def is_gone(w, kept):
    tap.equal(len(kept), 1, "something was kept")
    w.until(lambda: not kept & set(blobs(w)), "its bytes are deleted")


@tap.case
def what_is_cancelled_is_taken_back(w):
    page = w.page("/s", DOWNLOADS)
    kept = begin_huge(w, page)
    page.evaluate("document.querySelector('button.plain.wide').click()")
    page.see("text=Cancelled.")
    is_gone(w, kept)


@tap.case
def what_a_closed_page_left_half_done_is_taken_back_by_the_next(w):
    for script, where in ((CLOSES, "/s"), (CLOSES + SPEECHLESS, "/s"), (CLOSES + SPEECHLESS, "/r")):
        page = w.page("/s", DOWNLOADS + script)
        kept = begin_huge(w, page)
        page.open("about:blank")
        page.open(w.server.url + where)
        is_gone(w, kept)


@tap.case
def what_a_killed_browser_left_half_done_is_taken_back_by_the_next(w):
    folder = os.path.join(w.machine.work, "killed")
    page = w.browser.resident("killed", folder).open(w.server.url + "/s")
    kept = begin_huge(w, page)
    w.browser.kill(folder)
    w.browser.resident("risen", folder).open(w.server.url + "/s")
    is_gone(w, kept)
    w.browser.call("risen's", "close")


@tap.case
def what_another_page_is_leaving_is_let_be(w):
    page = w.page("/s", DOWNLOADS + WAITS)
    page.click(LATER)
    page.set_input_files(FILES, w.file)
    w.until(lambda: locks(page) == [1, 0], "an upload is begun")
    other = page.another("beside it").open(w.server.url + "/s")
    w.until(lambda: locks(other) == [1, 1], "the other page knows of it")
    page.evaluate("go()")
    page.see(".link-text")
    w.until(lambda: locks(other) == [0, 0], "and has looked after it")
    tap.equal(fetch(w, page.inner_text(".link-text"), "let be"), {"moon landing.bin": w.sha256}, "the file")


@tap.case
def the_server_says_no(w):
    with Server(PARCEL_ROOM=0) as server:
        page = w.page("/s", server=server)
        page.click(LATER)
        page.set_input_files(FILES, w.file)
        page.see("text=This server keeps nothing.")
    with Server(PARCEL_LIFETIME=3600, MAX_FILE_SIZE=1_000_000) as server:
        page = w.page("/s", server=server)
        page.click(LATER)
        page.set_input_files(FILES, w.file)
        page.see("text=That is more than this server keeps.")
        page.click(button("Send something else"))
        page.click(LATER)
        page.set_input_files(FILES, w.write("small", b"small"))
        page.see("text=This server does not keep it for so long.")


@tap.case
def a_receipt_that_the_server_made_up_is_told(w):
    page = w.page("/s")
    link = leave(page, w.file, downloads=3)
    fetch(w, link, "with a receipt")
    page.see("text=Received: 1 of 3.")
    with sqlite3.connect(os.path.join(w.server.data, "tacit.db"), timeout=30) as db:
        db.execute("UPDATE parcel_claims SET receipt = zeroblob(40) WHERE receipt IS NOT NULL")
    page.see("text=Receipts that the server has made up: 1")
    page.see("text=Received: 0 of 3.")


@tap.case
def nothing_serious_for_axe(w):
    page = w.page("/s", locale="de-DE")
    page.click("text=Später, mit Link")
    look(page, "the terms")
    page.set_input_files(FILES, w.write("Ein " + 12 * "sehr" + "langer Name.txt", b"x"))
    page.see(".link-text")
    page.see("text=Empfangen: 0 von 1.")
    look(page, "the link")
    fetch(w, page.inner_text(".link-text"), "for axe")
    page.see("text=Ganz empfangen:")
    page.click(button("Etwas anderes senden"))
    page.see("text=Ganz empfangen:")
    look(page, "what was left")


@tap.case
def no_page_complains(w):
    for page in w.pages:
        ours = [c for c in page.complaints()
                if not any(word in c["text"] for word in ("ERR_CONN", "status of 4", "status of 5"))]
        tap.equal(ours, [], page.name)


tap.main(world)
