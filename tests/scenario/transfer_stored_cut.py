"""What a server keeps for a link, with lost connections, kills, and a server that does not answer."""
import glob
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.stored import SEGMENT, between, read, world  # noqa: E402
from support.transfer import MIB, part_bytes, wait_for  # noqa: E402


@tap.case
def an_interrupted_upload_goes_on(w):
    content = os.urandom(3 * SEGMENT + 777)
    w.file("up.bin", content)
    gate = Gate(w.server.port)
    gate.hold_after(SEGMENT + SEGMENT // 2 + 20_000)
    sender = w.anna.start("--server", gate.url, "send-file", "--store", "up.bin")
    wait_for(lambda: gate.passed >= SEGMENT + SEGMENT // 2 + 20_000, "half of the second segment")
    sender.kill()
    sender.wait()
    gate.cut()
    gate.open()
    passed = gate.passed
    made = w.store("up.bin", server=gate.url)
    tap.check(made["resumed_from"] >= SEGMENT, f"after a kill: {made}")
    tap.check(gate.passed - passed < len(content) - SEGMENT + MIB, "what was there is not sent again")
    folder = w.folder()
    tap.equal(w.receive(made["link"], folder).code, 0, "received")
    tap.check(read(folder, "up.bin") == content, "and whole")
    # The connection breaks and comes back within one process.
    gate.hold_after(SEGMENT // 2)
    w.file("up2.bin", content)
    results = []
    sending = threading.Thread(target=lambda: results.append(w.store("up2.bin", server=gate.url)))
    start = gate.passed
    sending.start()
    wait_for(lambda: gate.passed - start >= SEGMENT // 2, "half of the first segment")
    gate.cut()
    gate.open()
    sending.join()
    folder = w.folder()
    w.receive(results[0]["link"], folder)
    tap.check(read(folder, "up2.bin") == content, "whole after a cut")
    gate.close()


@tap.case
def a_file_that_changes_meanwhile_is_another(w):
    w.file("c.bin", os.urandom(2 * SEGMENT))
    gate = Gate(w.server.port)
    gate.hold_after(SEGMENT + SEGMENT // 2)
    sender = w.anna.start("--server", gate.url, "send-file", "--store", "c.bin")
    wait_for(lambda: gate.passed >= SEGMENT + SEGMENT // 2, "half of it")
    sender.kill()
    sender.wait()
    gate.cut()
    gate.open()
    content = os.urandom(2 * SEGMENT + 5)
    w.file("c.bin", content)
    made, folder = w.store("c.bin", server=gate.url), w.folder()
    tap.equal(made["resumed_from"], 0, "from the beginning")
    w.receive(made["link"], folder)
    tap.check(read(folder, "c.bin") == content, "what is sent is what is there now")
    gate.close()


@tap.case
def other_terms_make_another_link(w):
    content = os.urandom(2 * SEGMENT)
    w.file("terms.bin", content)
    gate = Gate(w.server.port)
    gate.hold_after(SEGMENT + SEGMENT // 2)
    sender = w.anna.start("--server", gate.url, "send-file", "--store", "--downloads", "9", "terms.bin")
    wait_for(lambda: gate.passed >= SEGMENT + SEGMENT // 2, "half of it")
    sender.kill()
    sender.wait()
    gate.cut()
    gate.open()
    made = w.store("terms.bin", server=gate.url)
    tap.equal(made["resumed_from"], 0, "nothing of what was to be had nine times")
    tap.equal(w.receive(made["link"], w.folder()).code, 0, "received once")
    tap.check(w.receive(made["link"], w.folder()).code != 0, "and not again")
    gate.close()


@tap.case
def what_has_come_and_is_not_ready_is_made_so(w):
    """As when the server is killed after it has counted the last part."""
    seen = []

    def change(request, ask):
        status, body, headers = ask()
        if request.command == "PATCH":
            seen.append(len(request.body))
            if len(seen) == 2:  # the head, then the only segment
                return 503, b"{}", {}
        if request.command == "GET" and len(seen) == 2:
            body = body.replace(b'"ready"', b'"coming"')
        return status, body, headers
    with between(w, change) as url:
        made = w.store(w.file("ready.bin", b"r" * 1000), server=url)
        tap.equal((len(seen), seen[-1]), (3, 0), "it says that this was all, and looks again")
    link = made["link"].replace(url, w.server.url)
    tap.equal(w.receive(link, w.folder()).code, 0, "and it can be received")


@tap.case
def a_server_that_tells_and_takes_nothing_is_given_up(w):
    def change(request, ask):
        return (503, b"{}", {}) if request.command == "PATCH" else ask()
    with between(w, change) as url:
        got = w.anna.run("--server", url, "send-file", "--store", "--wait", "1s",
                         w.file("never.bin", b"n"))
        tap.equal(got.code, 1, f"patience ends: {got!r}")


@tap.case
def an_interrupted_download_goes_on(w):
    content = os.urandom(4 * SEGMENT)
    w.file("down.bin", content)
    gate = Gate(w.server.port, back=True)
    made, folder = w.store("down.bin", server=gate.url), w.folder()
    start = gate.passed
    gate.hold_after(2 * SEGMENT + SEGMENT // 2)
    receiver = w.ben.start("receive", made["link"], "--yes", "--out", folder)
    wait_for(lambda: gate.passed - start >= 2 * SEGMENT + SEGMENT // 2, "two segments and a half")
    wait_for(lambda: part_bytes(folder) > SEGMENT + MIB, "one of them on the disk, and some of the next")
    receiver.kill()
    receiver.wait()
    gate.cut()
    gate.open()
    tap.check(all(n.startswith(".tacit-") for n in os.listdir(folder)), "nothing has its name yet")
    tap.equal(w.stored(made["id"])["begun"], 1, "begun")
    w.server.kill()
    w.server.start()
    other = w.folder()
    got = Machine(w.server)
    with got as eve:
        tap.equal(eve.run("receive", made["link"], "--yes", "--out", other).code, 1, "nobody else's meanwhile")
    passed = gate.passed
    got = w.receive(made["link"], folder)
    tap.equal(got.code, 0, f"gone on with: {got!r}")
    tap.check(got.of("parcel_received")[0]["resumed_from"] >= SEGMENT, "from where it was")
    tap.check(gate.passed - passed < 3 * SEGMENT + MIB, "what was there did not come again")
    tap.check(read(folder, "down.bin") == content and os.listdir(folder) == ["down.bin"], "whole")
    tap.equal(w.stored(made["id"])["state"], "taken", "counted once")
    gate.close()


@tap.case
def what_a_crash_has_torn_is_fetched_again(w):
    content = os.urandom(3 * SEGMENT)
    w.file("torn.bin", content)
    gate = Gate(w.server.port, back=True)
    made, folder = w.store("torn.bin", server=gate.url), w.folder()
    start = gate.passed
    gate.hold_after(SEGMENT + SEGMENT // 2)
    receiver = w.ben.start("receive", made["link"], "--yes", "--out", folder)
    wait_for(lambda: gate.passed - start >= SEGMENT + SEGMENT // 2, "one segment and a half")
    wait_for(lambda: part_bytes(folder) > MIB, "some of it on the disk")
    receiver.kill()
    receiver.wait()
    gate.cut()
    gate.open()
    part = glob.glob(os.path.join(folder, ".tacit-*.part", "torn.bin"))[0]
    with open(part, "r+b") as f:
        f.seek(1000)
        f.write(b"\0" * 50)
    got = w.receive(made["link"], folder)
    tap.equal((got.code, got.of("parcel_received")[0]["resumed_from"]), (0, 0), f"from the beginning {got!r}")
    tap.check(read(folder, "torn.bin") == content, "whole")
    gate.close()


@tap.case
def a_revoked_download_leaves_nothing(w):
    w.file("half.bin", os.urandom(3 * SEGMENT))
    gate = Gate(w.server.port, back=True)
    made, folder = w.store("half.bin", server=gate.url), w.folder()
    start = gate.passed
    gate.hold_after(SEGMENT + SEGMENT // 2)
    receiver = w.ben.start("receive", made["link"], "--yes", "--out", folder)
    wait_for(lambda: gate.passed - start >= SEGMENT + SEGMENT // 2, "one segment and a half")
    wait_for(lambda: part_bytes(folder) > MIB, "some of it on the disk")
    receiver.kill()
    receiver.wait()
    gate.cut()
    gate.open()
    w.anna.run("send-file", "--revoke", made["id"])
    got = w.receive(made["link"], folder)
    tap.equal((got.code, os.listdir(folder)), (1, []), f"nothing stays: {got!r}")
    gate.close()


tap.main(world)
