"""The pages /s and /r: what is left at a server for whoever has the link is received by a browser."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import button  # noqa: E402
from support.transfer_pages import LATER, PICKERS, behind, no_complaints, store, stored, world  # noqa: E402


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


@tap.case
def no_page_complains(w):
    no_complaints(w, "ERR_CONN", "status of 4", "status of 5")


tap.main(world)
