"""The pages /s and /r: whole folders and many files, both ways; and ends that go away."""
import json
import os
import signal
import subprocess
import sys
import time
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.app import button  # noqa: E402
from support.transfer_pages import (DOWNLOADS, FILES, PICKERS, end, look, no_complaints, read, told_code,  # noqa: E402
                                    tree, world)

FOLDER = "[webkitdirectory]"
BROWSERS_HASTE = 15  # seconds, by which a last word that is heard at all has been heard
# A page that may be closed without being asked.
CLOSES = DOWNLOADS + "addEventListener('beforeunload', (e) => e.stopImmediatePropagation());"


def make_folder(w, name):
    """With depth, an empty file, names of many kinds."""
    w.write(f"{name}/day 1/a.txt", b"A")
    w.write(f"{name}/day 1/deep/er/\N{SNOWMAN}.txt", "\N{SNOWMAN}".encode())
    w.write(f"{name}/empty", b"")
    w.write(f"{name}/.hidden", b"dot")
    w.write(f"{name}/big.bin", w.content)
    for i in range(300):
        w.write(f"{name}/many/{i}.txt", str(i).encode())
    path = os.path.join(w.machine.work, name)
    os.utime(os.path.join(path, "big.bin"), (1_600_000_000, 1_600_000_000))
    return path


def drop(page, *paths):
    """As with a mouse, from outside of the browser."""
    wire = page.cdp()
    box = page.run("""const r = document.querySelector('.drop').getBoundingClientRect();
        return [r.x + r.width / 2, r.y + r.height / 2]""")
    for kind in ("dragEnter", "dragOver", "drop"):
        wire.send("Input.dispatchDragEvent", {"type": kind, "x": box[0], "y": box[1],
                                              "data": {"items": [], "files": list(paths), "dragOperationsMask": 1}})


def same(found, want, what):
    """As equal, of long lists."""
    tap.equal([one for one in sorted({*found, *want}) if found.get(one, 0) != want.get(one, 0)][:10], [], what)


def receive(w, code, name):
    end(w.tacit("receive", code, "--yes", "--out", w.folder(name)))
    return tree(os.path.join(w.machine.work, name))


@tap.case
def a_browser_sends_a_folder(w):
    path = make_folder(w, "trip")
    page = w.page("/s")
    page.set_input_files(FOLDER, path)
    page.see("text=trip")
    same(receive(w, told_code(page), "trip came"), tree(path, "trip"), "every file")
    page.see("text=Sent.")
    there = os.path.join(w.machine.work, "trip came", "trip", "big.bin")
    tap.equal(int(os.stat(there).st_mtime), 1_600_000_000, "its time")


@tap.case
def folders_and_files_are_dropped(w):
    path = make_folder(w, "dropped")
    os.makedirs(os.path.join(path, "nothing in it"))
    page = w.page("/s")
    drop(page, path)
    same(receive(w, told_code(page), "one drop"), tree(path, "dropped"), "a folder, and an empty one in it")
    page = w.page("/s")
    drop(page, path, w.file)
    page.see("text=306 files")
    found = receive(w, told_code(page), "more drops")
    same(found, {**tree(path, "dropped"), "moon landing.bin": w.sha256}, "a folder beside a file")


@tap.case
def a_folder_comes_as_one_file_where_no_page_may_write_one(w):
    path = make_folder(w, "zipped")
    os.makedirs(os.path.join(path, "nothing in it"))
    sender, code = w.sender(path)
    page = w.page(f"/r#{code}")
    page.see("text=saved as one ZIP file")
    look(page, "the question")
    to = os.path.join(w.machine.work, "came.zip")
    tap.equal(page.download(button("Save"), to), "zipped.zip", "its name")
    end(sender)
    page.see("text=Received whole")
    with zipfile.ZipFile(to) as archive:
        tap.equal(archive.testzip(), None, "every sum is right")
        tap.check(all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist()), "stored")
        tap.equal(archive.getinfo("zipped/big.bin").date_time[0], 2020, "its time")
        archive.extractall(w.folder("unzipped") and os.path.join(w.machine.work, "unzipped"))
    same(tree(os.path.join(w.machine.work, "unzipped")), tree(path, "zipped"), "every file")


@tap.case
def a_zip_goes_where_a_file_may_be_chosen(w):
    path = make_folder(w, "chosen zip")
    sender, code = w.sender(path)
    page = w.page(f"/r#{code}", PICKERS + "delete globalThis.showDirectoryPicker;")
    page.click(button("Save"))
    page.see("text=Received whole")
    end(sender)
    size = page.run("""const root = await navigator.storage.getDirectory();
        return (await (await root.getFileHandle('chosen zip.zip')).getFile()).size""")
    tap.check(size > len(w.content), f"{size}")


@tap.case
def few_files_come_one_by_one_and_many_as_one(w):
    few = [w.write(f"few {i}", bytes([i]) * 1000) for i in range(3)]
    sender, code = w.sender(*few)
    page = w.page(f"/r#{code}")
    got = page.downloads(button("Save"), 3, w.machine.work + "/one by one")
    end(sender)
    tap.equal(sorted(got), ["few 0", "few 1", "few 2"], "names")
    for i, one in enumerate(few):
        tap.equal(read(os.path.join(w.machine.work, "one by one", f"few {i}")), read(one), "bytes")
    many = [w.write(f"of many {i}", bytes([i])) for i in range(9)]
    sender, code = w.sender(*many)
    page = w.page(f"/r#{code}")
    to = os.path.join(w.machine.work, "many.zip")
    tap.equal(page.download(button("Save"), to), "tacit.zip", "its name")
    end(sender)
    with zipfile.ZipFile(to) as archive:
        tap.equal({name: archive.read(name) for name in archive.namelist()},
                  {f"of many {i}": bytes([i]) for i in range(9)}, "all")


@tap.case
def a_browser_without_private_files_saves_too(w):
    path = make_folder(w, "plain")
    sender, code = w.sender(path)
    page = w.page(f"/r#{code}", DOWNLOADS + "delete FileSystemFileHandle.prototype.createWritable;")
    to = os.path.join(w.machine.work, "plain.zip")
    page.download(button("Save"), to)
    end(sender)
    with zipfile.ZipFile(to) as archive:
        tap.equal(archive.read("plain/big.bin"), w.content, "the file")


@tap.case
def names_that_would_be_one_are_told_before_anybody_comes(w):
    page = w.page("/s")
    page.set_input_files(FILES, [w.write("x/what\x01", b"1"), w.write("y/what\x02", b"2")])
    page.see("text=Two of these would have the same name")


@tap.case
def who_cancels_is_heard_past_what_is_not_read(w):
    large = w.write("large.bin", b"")
    os.truncate(large, 1024 ** 3)
    page = w.page("/s")
    page.set_input_files(FILES, large)
    receiver = w.tacit("receive", told_code(page), "--out", w.folder("deaf"), "--yes")
    page.wait("document.querySelector('progress')?.value > 0")
    receiver.send_signal(signal.SIGSTOP)
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 1:  # until nothing has moved for a second
        now = page.evaluate("document.querySelector('progress').value")
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.1)
    page.click(button("Cancel"))
    page.see("text=Cancelled.")
    receiver.send_signal(signal.SIGCONT)
    gave_up(receiver)


def gave_up(process, seconds=120):
    """It ends, and not by running out of patience."""
    out, err = process.communicate(timeout=seconds)
    tap.check(process.returncode == 1 and b"gave up" in err, f"{process.returncode} {out[-300:]!r} {err!r}")


def went_by_itself(process):
    """Whether it gave up soon, and not by running out of patience."""
    try:
        gave_up(process, BROWSERS_HASTE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    return True


def a_page_gives(w, large, go):
    page = w.page("/s", CLOSES)
    page.set_input_files(FILES, large)
    receiver = w.tacit("receive", told_code(page), "--out", w.folder(f"left {len(w.pages)}"), "--yes")
    page.wait("document.querySelector('progress')?.value > 0")
    go(page)
    return went_by_itself(receiver)


def a_page_takes(w, large, go):
    sender, code = w.sender(large)
    page = w.page(f"/r#{code}", CLOSES)
    page.see(button("Save"))
    go(page)
    return went_by_itself(sender)


def pages_on_both_sides(w, large, go):
    giver = w.page("/s", CLOSES)
    giver.set_input_files(FILES, large)
    taker = w.page(f"/r#{told_code(giver)}", PICKERS + CLOSES.replace(DOWNLOADS, ""))
    taker.click(button("Save"))
    taker.wait("document.querySelector('progress')?.value > 0")
    go(giver)
    return w.comes(lambda: taker.is_so("document.body.innerText.includes('The other one gave up.')"), BROWSERS_HASTE)


@tap.case
def a_page_that_is_closed_is_not_waited_for(w):
    """Chromium kills a page that has not found the time for its last word within half a second, as happens to some
    where the machine is busy: one of three has to be heard."""
    large = w.write("large.bin", b"")
    os.truncate(large, 1024 ** 3)
    for part in (a_page_gives, a_page_takes, pages_on_both_sides):
        for go in (lambda page: page.open("about:blank"), lambda page: page.close({"runBeforeUnload": False})):
            tap.check(any(part(w, large, go) for _ in range(3)), part.__name__)


def states(process):
    """What it tells of its connection, as it comes."""
    for line in process.stdout:
        told = json.loads(line)
        if told["type"] == "state":
            yield told["state"]


@tap.case
def an_end_that_was_killed_is_told_at_once(w):
    large = w.write("of the killed.bin", b"")
    os.truncate(large, 1024 ** 3)
    folder = os.path.join(w.machine.work, "killed")
    page = w.browser.resident("killed", folder).open(w.server.url + "/s")
    page.set_input_files(FILES, large)
    receiver = w.tacit("receive", told_code(page), "--out", w.folder("from the killed"), "--yes", "--wait", "5m")
    page.wait("document.querySelector('progress')?.value > 0")
    w.browser.kill(folder)
    if "away" in states(receiver):
        receiver.terminate()
        receiver.communicate(timeout=120)
    else:
        gave_up(receiver)  # what was left of the browser has closed its connection with 1001
    sender, code = w.sender(large)
    page = w.page(f"/r#{code}", PICKERS)
    page.click(button("Save"))
    page.wait("document.querySelector('progress')?.value > 0")
    sender.kill()
    sender.communicate(timeout=120)
    page.see("text=The other one is gone, and has 30 minutes to come back.")
    page.click(button("Cancel"))
    page.see("text=Cancelled.")


HELD_DISK = PICKERS + """
    const pick = globalThis.showSaveFilePicker;
    const gate = new Promise((resolve) => { globalThis.go = resolve; });
    globalThis.showSaveFilePicker = async (o) => {
        const out = await (await pick(o)).createWritable();
        return { createWritable: async () => ({ close: () => out.close(), abort: () => out.abort(),
            write: async (bytes) => {
                globalThis.writes = true;
                await gate;
                await out.write(bytes);
            } }) };
    };
"""


@tap.case
def an_end_that_stopped_is_not_waited_for_by_a_page_that_is_slow(w):
    path = w.write("of the slow.bin", bytes(64 * 1024 * 1024))  # more than may wait anywhere to be sent
    sender, code = w.sender(path)
    page = w.page(f"/r#{code}", HELD_DISK)
    page.click(button("Save"))
    page.wait("globalThis.writes")
    with open(path, "r+b") as f:
        f.write(b"other")
    page.evaluate("go()")
    page.see(".failure")  # that it stopped, or also why: the browser drops what it has not read at the end
    end(sender, 1)


HELD_READS = """
    const read = Blob.prototype.arrayBuffer;
    const gate = new Promise((resolve) => { globalThis.go = resolve; });
    globalThis.reads = 0;
    Blob.prototype.arrayBuffer = async function () {
        if (globalThis.reads++ > 0) await gate;
        return read.call(this);
    };
"""


@tap.case
def a_file_that_changes_on_its_way_is_told_to_the_other_end(w):
    path = w.write("touched.bin", w.content)
    sender, code = w.sender(path)
    page = w.page(f"/r#{code}", PICKERS)
    page.see(button("Save"))
    with open(path, "r+b") as f:
        f.write(b"other")
    page.click(button("Save"))
    page.see("text=A file has changed at the other end while it was sent.")
    end(sender, 1)
    page = w.page("/s", DOWNLOADS + HELD_READS)
    page.set_input_files(FILES, path)
    receiver = w.tacit("receive", told_code(page), "--out", w.folder("touched"), "--yes")
    page.wait("globalThis.reads > 1")
    with open(path, "r+b") as f:
        f.truncate(5)
    page.evaluate("go()")
    _, err = receiver.communicate(timeout=120)
    tap.check(receiver.returncode == 1 and b"A file has changed at the other end" in err, f"{err!r}")
    tap.equal(os.listdir(os.path.join(w.machine.work, "touched")), [], "nothing of the mixture is left")
    page.see("text=A file has changed or cannot be read any more.")


@tap.case
def no_page_complains(w):
    no_complaints(w, "WebSocket", "ERR_CONN")


tap.main(world)
