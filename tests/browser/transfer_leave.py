"""The page /s: what a browser leaves at a server for whoever has the link."""
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import button, field  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer_pages import FILES, LATER, behind, fetch, look, no_complaints, read, tree, world  # noqa: E402


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
    no_complaints(w, "ERR_CONN", "status of 4", "status of 5")


tap.main(world)
