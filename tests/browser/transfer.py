"""The pages /s and /r: files and texts without an account, between a browser and the command line."""
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import button, field, role  # noqa: E402
from support.transfer_pages import (DIGEST, DOWNLOADS, FILES, PICKERS, end, look, no_complaints,  # noqa: E402
                                    told_code, world)


@tap.case
def a_browser_sends_a_file_to_the_command_line(w):
    page = w.page("/s")
    page.set_input_files(FILES, w.file)
    receiver = w.tacit("receive", told_code(page), "--yes", "--out", w.folder("from-page"))
    page.see("text=Sent. The other device has all of it.")
    end(receiver)
    with open(os.path.join(w.machine.work, "from-page", "moon landing.bin"), "rb") as f:
        tap.equal(hashlib.sha256(f.read()).hexdigest(), w.sha256, "the file")


@tap.case
def several_of_one_name_are_told_apart(w):
    page = w.page("/s")
    page.set_input_files(FILES, [w.write("a/same.txt", b"one"), w.write("b/same.txt", b"two"),
                                              w.write("empty", b"")])
    end(w.tacit("receive", told_code(page), "--yes", "--out", w.folder("several")))
    page.see("text=Sent.")
    folder = os.path.join(w.machine.work, "several")
    found = {name: open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)}
    tap.equal(found, {"same.txt": b"one", "same (2).txt": b"two", "empty": b""}, "files")


@tap.case
def the_command_line_sends_a_file_to_a_browser(w):
    sender, code = w.sender(w.file)
    page = w.page(f"/r#{code}")
    page.see("text=moon landing.bin, 3 MB")
    tap.equal(page.evaluate("location.href"), w.server.url + "/r", "no code in the address")
    path = os.path.join(w.machine.work, "downloaded")
    tap.equal(page.download(button("Save"), path), "moon landing.bin", "name")
    end(sender)
    with open(path, "rb") as f:
        tap.equal(hashlib.sha256(f.read()).hexdigest(), w.sha256, "the file")
    page.see("text=Received whole")


FAILS_ONCE = """if (!sessionStorage.getItem('failed')) {
    sessionStorage.setItem('failed', 'once');
    WebAssembly.compileStreaming = () => Promise.reject(new TypeError('no connection'));
}"""


@tap.case
def a_page_that_cannot_load_its_core_says_so_and_keeps_the_code(w):
    sender, code = w.sender(w.file)
    page = w.page(f"/r#{code}", DOWNLOADS + FAILS_ONCE)
    page.see("text=This page could not be loaded whole.")
    page.click(button("Try again"))
    page.see("text=moon landing.bin, 3 MB")
    tap.equal(page.evaluate("location.href"), w.server.url + "/r", "no code in the address")
    path = os.path.join(w.machine.work, "loaded-again")
    page.download(button("Save"), path)
    end(sender)


@tap.case
def nothing_is_written_before_the_person_agrees(w):
    sender, code = w.sender(w.file)
    page = w.page(f"/r#{code}", PICKERS)
    page.see("text=moon landing.bin, 3 MB")
    names = """const all = [];
        for await (const name of (await navigator.storage.getDirectory()).keys()) all.push(name);
        return all.filter((name) => name !== 'transfers')"""
    tap.equal(page.run(names), [], "before")
    page.click(button("Save"))
    page.see("text=Received whole")
    end(sender)
    tap.equal(page.run(names), ["moon landing.bin"], "after")
    tap.equal(page.run(DIGEST + """return hex(await (await (await navigator.storage.getDirectory())
        .getFileHandle('moon landing.bin')).getFile())"""), w.sha256, "the file")


@tap.case
def a_folder_comes_beside_what_is_there(w):
    w.write("trip/day 1/a.txt", b"A")
    w.write("trip/b.txt", b"")
    w.write("trip/c.bin", w.content)
    sender, code = w.sender(os.path.join(w.machine.work, "trip"))
    page = w.page(f"/r#{code}", PICKERS)
    page.see("text=3 files, 3 MB")
    page.click(button("Save"))
    page.see("text=Received whole")
    end(sender)
    found = page.run(DIGEST + """
        const all = {};
        const walk = async (folder, path) => {
            for await (const [name, one] of folder.entries()) {
                if (one.kind === 'directory') await walk(one, `${path}${name}/`);
                else all[path + name] = await hex(await one.getFile());
            }
        };
        await walk(await (await navigator.storage.getDirectory()).getDirectoryHandle('chosen'), '');
        return all""")
    sums = {"trip/day 1/a.txt": b"A", "trip/b.txt": b"", "trip/c.bin": w.content}
    tap.equal(found, {name: hashlib.sha256(data).hexdigest() for name, data in sums.items()}, "files")


@tap.case
def texts_are_shown_as_text(w):
    words = "<b>bold</b>\n\N{SNOWMAN}"
    sender, code = w.sender("--text", words)
    page = w.page("/r")
    page.fill(field("Code"), code.upper().replace("-", " "))
    page.click(button("Receive"))
    page.see(".text-came")
    tap.equal(page.inner_text(".text-came"), words, "to the page")
    end(sender)
    page = w.page("/s")
    page.fill("textarea", words)
    page.click(button("Send the text"))
    receiver = w.tacit("receive", told_code(page), "--yes")
    page.see("text=Sent.")
    out, _ = receiver.communicate(timeout=120)
    tap.check(any(json.loads(line).get("text") == words for line in out.splitlines()), f"{out!r}")


@tap.case
def two_browsers_without_the_newest_interfaces(w):
    old = DOWNLOADS + "delete globalThis.WebSocketStream;"
    giver = w.page("/s", old)
    giver.set_input_files(FILES, w.file)
    taker = w.page("/r", old)
    taker.fill(field("Code"), told_code(giver))
    taker.click(button("Receive"))
    path = os.path.join(w.machine.work, "between pages")
    taker.download(button("Save"), path)
    giver.see("text=Sent.")
    with open(path, "rb") as f:
        tap.equal(hashlib.sha256(f.read()).hexdigest(), w.sha256, "the file")


@tap.case
def a_dialog_that_is_dismissed_changes_nothing(w):
    sender, code = w.sender(w.file)
    page = w.page(f"/r#{code}", "globalThis.asked = 0; const pick = showSaveFilePicker.bind(globalThis);"
                  "globalThis.showSaveFilePicker = (o) => pick(o).finally(() => asked++);")
    page.click(button("Save"))
    page.wait("asked > 0")  # the browser's own, which dismisses itself where there is no screen
    page.click(button("Decline"))
    page.see("text=Declined.")
    sender.communicate(timeout=120)


@tap.case
def a_wrong_code_is_said_and_used_up(w):
    sender, code = w.sender("--text", "hello")
    number, first, _ = code.split("-")
    wrong = f"{number}-{first}-{first}" if not code.endswith(f"{first}-{first}") else f"{number}-amber-falcon"
    page = w.page("/r")
    page.fill(field("Code"), wrong)
    page.click(button("Receive"))
    page.see("text=The two codes were not the same.")
    sender.communicate(timeout=120)
    tap.check(sender.returncode != 0, "the sender knows")
    again = w.page(f"/r#{code}")
    again.see("text=Nobody waits under that code.")


@tap.case
def a_slip_costs_nothing(w):
    sender, code = w.sender("--text", "hello")
    page = w.page("/r")
    for typed, told in ((code + "x", "There is a word in it"), ("amber", "That is no code")):
        page.fill(field("Code"), typed)
        page.click(button("Receive"))
        page.see(f"text={told}")
    page.fill(field("Code"), code[:-2])
    page.click(button(code))
    tap.equal(page.input_value(field("Code")), code, "completed")
    page.click(button("Receive"))
    page.see(".text-came")
    end(sender)


@tap.case
def either_end_may_decline_or_cancel(w):
    sender, code = w.sender(w.file)
    page = w.page(f"/r#{code}")
    page.click(button("Decline"))
    page.see("text=Declined.")
    _, err = sender.communicate(timeout=120)
    tap.check(b"declined" in err, f"{err!r}")
    sender, code = w.sender(w.file)
    page = w.page(f"/r#{code}")
    page.see(button("Save"))
    page.click(button("Cancel"))
    page.see("text=Cancelled.")
    _, err = sender.communicate(timeout=120)
    tap.check(b"gave up" in err, f"{err!r}")


@tap.case
def what_is_cancelled_on_the_way_leaves_nothing(w):
    large = w.write("large.bin", b"")
    os.truncate(large, 1024 ** 3)  # so that it is not through before the click
    sender, code = w.sender(large)
    page = w.page(f"/r#{code}", PICKERS)
    page.evaluate("""globalThis.showSaveFilePicker = async () => {
        const handle = await (await navigator.storage.getDirectory()).getFileHandle('large.bin', { create: true });
        const out = await handle.createWritable();
        return { createWritable: async () => ({ close: () => out.close(), abort: () => out.abort(),
            write: async (bytes) => {
                await out.write(bytes);
                globalThis.wrote = (globalThis.wrote ?? 0) + bytes.length;
                if (globalThis.wrote > 1e6) await new Promise(() => undefined); // a disk that hangs
            } }) } }; 0""")
    page.click(button("Save"))
    page.wait("globalThis.wrote > 1e6")
    page.click(button("Cancel"))
    _, err = sender.communicate(timeout=120)
    tap.check(b"gave up" in err, f"{err!r}")
    giver = w.page("/s")
    giver.set_input_files(FILES, large)
    receiver = w.tacit("receive", told_code(giver), "--out", w.folder("cancelled"), "--yes")
    giver.see("progress")
    giver.click(button("Cancel"))
    giver.see("text=Cancelled.")
    _, err = receiver.communicate(timeout=120)
    tap.check(b"gave up" in err, f"{err!r}")
    tap.check("large.bin" not in os.listdir(os.path.join(w.machine.work, "cancelled")), "half a file under its name")


@tap.case
def a_lost_connection_is_made_again(w):
    sender, code = w.sender(w.file)
    page = w.page(f"/r#{code}", PICKERS)
    page.see(button("Save"))
    w.server.restart()
    page.click(button("Save"))
    page.see("text=Received whole")
    end(sender)


@tap.case
def nothing_serious_for_axe(w):
    giver = w.page("/s")
    giver.see("textarea")
    look(giver, "what to send")
    giver.set_input_files(FILES, w.file)
    code = told_code(giver)
    look(giver, "the code")
    taker = w.page("/r")
    taker.fill(field("Code"), code[:-2])
    taker.see(button(code))
    look(taker, "typing")
    taker.fill(field("Code"), code)
    taker.click(button("Receive"))
    taker.see(role("heading", "Do you want this?"))
    look(taker, "the question")
    taker.click(button("Decline"))
    giver.see("text=The other one declined.")
    look(giver, "declined")


@tap.case
def a_text_goes_by_keyboard_alone(w):
    giver = w.page("/s", locale="de-AT")
    giver.see("textarea")
    tap.equal(giver.title(), "tacit: Senden ohne Konto", "its title")
    seen = []
    while (seen or [""])[-1] != "TEXTAREA" and len(seen) < 20:
        giver.keyboard("Tab")
        seen.append(giver.evaluate("document.activeElement.matches('[webkitdirectory]') ? 'FOLDER' : "
                                   "document.activeElement.type === 'file' ? 'FILES' : document.activeElement.tagName"))
    tap.equal(seen, ["INPUT", "FILES", "FOLDER", "TEXTAREA"], "the way, files, a folder, a text")
    for key in "abc":
        giver.keyboard(key)
    giver.keyboard("Tab")
    giver.keyboard("Enter")
    taker = w.page("/r", locale="de-AT")
    taker.see("text=Empfangen ohne Konto")
    taker.wait("document.activeElement.tagName === 'INPUT'")
    for key in told_code(giver):
        taker.keyboard(key)
    taker.keyboard("Enter")
    taker.see(".text-came")
    tap.equal(taker.inner_text(".text-came"), "abc", "the text")
    giver.see("text=Gesendet.")


@tap.case
def no_page_complains(w):
    no_complaints(w, "WebSocket", "ERR_CONN")


tap.main(world)
