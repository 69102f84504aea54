"""The page /s: an upload when the server goes away, or the page is cancelled, closed or killed on its way."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.transfer_pages import DOWNLOADS, FILES, LATER, fetch, no_complaints, read, world  # noqa: E402

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


def blobs(w):
    return [name for _, _, names in os.walk(os.path.join(w.server.data, "blobs")) for name in names]


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
def an_upload_goes_on_when_the_server_was_away(w):
    large = w.write("large to leave.bin", os.urandom(40 * 1024 * 1024))
    page = w.page("/s")
    page.click(LATER)
    page.set_input_files(FILES, large)
    page.wait("document.querySelector('progress')?.value > 0")
    w.server.restart()
    page.see(".link-text")
    tap.equal(fetch(w, page.inner_text(".link-text"), "went on"), {"large to leave.bin": read(large)}, "the file")


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
def no_page_complains(w):
    no_complaints(w, "ERR_CONN", "status of 4", "status of 5")


tap.main(world)
