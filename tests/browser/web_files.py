"""The app's files over HTTP: codings, tags, names that may be kept for ever, the policy, the hash,
the weight; and that the build gives the same bytes wherever it runs."""
import base64
import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person  # noqa: E402
from support.server import Server, build_folder, program, source_folder  # noqa: E402

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
POLICY = """default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self';
 img-src 'self' blob: data:; media-src blob:; worker-src 'self'; manifest-src 'self'; font-src 'self';
 form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script';
 trusted-types tacit""".replace("\n", "")


PAGES = ("/", "/r", "/s")


class World:
    def __init__(self, server):
        self.server, self.reader = server, Person(server)
        self.list = json.loads(self.get("/.well-known/tacit-web.json").body)

    def get(self, path, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.reader.get(path, auth=None, headers={**(HTML if path in PAGES else {}), **headers})

    def paths(self):
        return [file["path"] for file in self.list["files"]]


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def unbrotli(data):
    """By Node.js, which tacit is built with; Python brings no Brotli."""
    return subprocess.run(["node", "-e", "process.stdout.write(require('zlib').brotliDecompressSync("
                           "require('fs').readFileSync(0)))"], input=data, capture_output=True,
                          check=True, timeout=60).stdout


@tap.case
def every_file_is_what_the_list_says(w):
    tap.check(len(w.list["files"]) > 6, f"{w.list}")
    for file in w.list["files"]:
        got = w.get(file["path"])
        tap.equal(got.status, 200, file["path"])
        tap.check("content-encoding" not in got.headers, f"{got!r}: a coding that nobody asked for")
        tap.equal((sha256(got.body), len(got.body)), (file["sha256"], file["size"]), file["path"])


@tap.case
def the_hash_is_that_of_the_list_and_of_the_program(w):
    lines = "".join(f"{file['sha256']}  {file['name']}\n" for file in w.list["files"])
    tap.equal(sorted(w.list["files"], key=lambda f: f["name"]), w.list["files"], "sorted")
    tap.equal(sha256(lines.encode()), w.list["hash"], "hash")
    told = subprocess.run([program("tacitd"), "--print-web-hash"], capture_output=True, text=True,
                          check=True, timeout=20).stdout
    tap.equal(told, w.list["hash"] + "\n", "--print-web-hash")


@tap.case
def each_coding_is_the_same_file(w):
    coded = 0
    for path in w.paths():
        plain = w.get(path)
        for coding, decode in (("gzip", gzip.decompress), ("br", unbrotli)):
            got = w.get(path, Accept_Encoding=coding)
            tap.check("Accept-Encoding" in got.headers["vary"], f"{path}: Vary {got.headers['vary']}")
            if "content-encoding" not in got.headers:
                continue
            coded += 1
            tap.equal(got.headers["content-encoding"], coding, path)
            tap.equal(decode(got.body), plain.body, f"{path} as {coding}")
            tap.check(len(got.body) < len(plain.body), f"{path} as {coding}: not smaller")
            tap.check(got.headers["etag"] != plain.headers["etag"], f"{path}: one tag for two codings")
    tap.check(coded >= 8, f"{coded} coded answers")


@tap.case
def a_browser_gets_brotli_and_who_refuses_it_does_not(w):
    script = next(path for path in w.paths() if "/app-" in path)
    for accept, coding in (("gzip, deflate, br, zstd", "br"), ("gzip, deflate", "gzip"),
                           ("br;q=0, gzip", "gzip"), ("identity", None), ("zstd", None)):
        tap.equal(w.get(script, Accept_Encoding=accept).headers.get("content-encoding"), coding, accept)


@tap.case
def names_with_a_hash_may_be_kept_for_ever(w):
    for path in w.paths():
        kept = w.get(path).headers["cache-control"]
        hashed = re.fullmatch(r"/assets/[\w-]+-[0-9a-f]{16}\.\w+", path)
        tap.equal(hashed is None, not path.startswith("/assets/"), f"{path}: its name")
        tap.equal(kept, "public, max-age=31536000, immutable" if hashed else "no-cache", path)


@tap.case
def who_has_it_is_not_sent_it_again(w):
    for path in w.paths():
        for coding in ("identity", "gzip", "br"):
            first = w.get(path, Accept_Encoding=coding)
            again = w.get(path, Accept_Encoding=coding, If_None_Match=f'"x", {first.headers["etag"]}')
            tap.equal((again.status, again.body), (304, b""), path)
            for name in ("etag", "cache-control", "vary", "content-security-policy"):
                tap.equal(again.headers.get(name), first.headers[name], f"{path}: {name} of a 304")
            tap.equal(w.get(path, If_None_Match='"x"').status, 200, f"{path}: another tag")


@tap.case
def head_tells_what_get_would(w):
    for path in w.paths():
        got = w.reader.call("HEAD", path, auth=None, headers={**HTML, "Accept-Encoding": "br"})
        full = w.get(path, Accept_Encoding="br")
        tap.equal((got.status, got.body), (200, b""), path)
        for name in ("content-length", "content-type", "etag", "content-encoding"):
            tap.equal(got.headers.get(name), full.headers.get(name), f"{path}: {name}")


@tap.case
def the_page_has_a_policy_of_its_own(w):
    for path in w.paths():
        got = w.get(path)
        tap.equal(got.headers["content-security-policy"], POLICY, path)
        tap.equal(got.headers["cross-origin-embedder-policy"], "require-corp", path)
        tap.check("camera=(self)" in got.headers["permissions-policy"], f"{path}: camera")
    for path in ("/health", "/api/users", "/assets/missing.js"):
        got = w.get(path)
        tap.check(got.headers["content-security-policy"].startswith("default-src 'none'; base-uri"),
                  f"{path}: {got.headers['content-security-policy']}")
        tap.check("camera=()" in got.headers["permissions-policy"], f"{path}: camera")
    tap.check("json" in w.reader.get("/", auth=None).headers["content-type"], "JSON for programs")


@tap.case
def scripts_and_styles_carry_their_digest(w):
    for address, count in (("/", 3), ("/r", 2), ("/s", 2)):
        page = w.get(address).body.decode()
        parts = re.findall(r"<(?:script|link rel=\"stylesheet\")[^>]*>", page)
        tap.check(len(parts) == count, f"{parts}")
        for part in parts:
            path = re.search(r'(?:src|href)="([^"]+)"', part)[1]
            told = re.search(r'integrity="sha384-([^"]+)"', part)[1]
            own = subprocess.run(["openssl", "dgst", "-sha384", "-binary"], input=w.get(path).body,
                                 capture_output=True, check=True, timeout=20).stdout
            tap.equal(base64.b64encode(own).decode(), told, path)
        tap.check(not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\bstyle=|<style|https?://", page),
                  "something inline, or from elsewhere")


@tap.case
def the_first_load_keeps_to_its_budget(w):
    with open(os.path.join(source_folder(), "web", "budget.json"), encoding="utf-8") as f:
        budget = json.load(f)["bytes"]
    weight = {}
    for path in w.paths():
        kind = path.rsplit(".", 1)[1] if "." in path else "html"
        if path in PAGES[1:] or re.match(r"/assets/(transfer|parcel)-", path):
            kind = "transfer" if path != "/s" else "icon"
        if path.startswith("/assets/codes-"):
            kind = "codes"
        if "/icon" not in path and kind != "icon":
            weight[kind] = weight.get(kind, 0) + len(w.get(path, Accept_Encoding="br").body)
    weight["all"] = sum(size for kind, size in weight.items() if kind not in ("transfer", "codes"))
    print("# " + ", ".join(f"{kind} {size}" for kind, size in sorted(weight.items())))
    for kind, size in weight.items():
        most = budget.get(kind)
        if tap.check(most is not None, f"web/budget.json says nothing of {kind}"):
            tap.check(size <= most, f"{kind}: {size} bytes, {most} allowed")


@tap.case
def two_builds_in_two_folders_are_the_same(w):
    wasm, parcel = (os.path.join(build_folder(), "web", "app", next(
        file["name"] for file in w.list["files"] if re.match(rf"assets/{name}-.*\.wasm", file["name"])))
        for name in ("tacit", "parcel"))
    with tempfile.TemporaryDirectory(prefix="tacit-build-") as folder:
        there = os.path.join(folder, "another", "place")
        shutil.copytree(os.path.join(source_folder(), "web"), there, ignore=shutil.ignore_patterns("node_modules"))
        os.symlink(os.path.join(source_folder(), "web", "node_modules"), os.path.join(there, "node_modules"))
        subprocess.run(["node", os.path.join(there, "build.mjs"), "--wasm", wasm, "--parcel", parcel, "--version",
                        w.list["version"], "--out", os.path.join(folder, "out")], check=True, timeout=120)
        with open(os.path.join(folder, "out", "app", ".well-known", "tacit-web.json"), encoding="utf-8") as f:
            tap.equal(json.load(f), w.list, "the list of another build")
        with open(os.path.join(folder, "out", "bundle.bin"), "rb") as mine, \
                open(os.path.join(build_folder(), "web", "bundle.bin"), "rb") as other:
            tap.check(mine.read() == other.read(), "the codings differ")


tap.main(world)
