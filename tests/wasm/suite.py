#!/usr/bin/env python3
"""The tests of core/ on the core that browsers get:
tests/wasm/suite.py node|chromium VECTORS-PROGRAM VECTORS-FOLDER

Builds tests/wasm/meson.build and runs each program. A unit test must pass whole, as it does natively in the
suite `unit`. Of the official vectors each file must say the same as natively, but for the suites with
curve448, which OpenSSL alone has: these are counted by both, and tried by the native program only.
"""
import concurrent.futures
import functools
import glob
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from support.browser import CHROMIUM, Browser  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = os.path.join(ROOT, "build-wasm", "tests", "wasm")
SECONDS = 1700  # little less than Meson waits for all of it
COUNTS = re.compile(r"^(\w+) (\S+?)(?:: (\d+) vectors(?: \((\d+) more not applicable\))?)?$", re.M)
# That of the contract: where no script is made from text, a module may still be compiled.
POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"
LEFT_OUT = {
    "engine_persist": "its thousands of restarts take minutes, and ask nothing of the compiler that others do not",
    "wasm_abi": "the module's own sources, natively; module_test.mjs has them as they are",
}
# In tests/unit/meson.build: what stands on core/ alone.
OF_CORE = re.compile(r"^  '(\w+)': \[(?:base|crypto|wire|e2e|engine|engine_test|two_people|group_people|change_people|"
                     r"group_devices|mls_test|mls_people|mls_cast|parcel_people|wasm_abi)_dep\],", re.M)
TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


def in_node(jobs):
    """(exit status, what was printed, seconds) of each of jobs, (name, folder or None), in order as they end."""
    def run(job):
        began = time.monotonic()
        name, folder = job
        command = ["node", "--no-warnings", os.path.join(HERE, "run.mjs"), os.path.join(PROGRAMS, name + ".wasm")]
        done = subprocess.run(command + ([folder] if folder else []), capture_output=True, text=True,
                              errors="replace", timeout=SECONDS)
        return done.returncode, done.stdout + done.stderr, time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(run, jobs)


class Files(http.server.BaseHTTPRequestHandler):
    """The page, its worker, the programs, and under files/ the vectors."""

    def __init__(self, folder, *args):
        self.folder = folder
        super().__init__(*args)

    def do_GET(self):
        name = self.path.lstrip("/")
        kind = TYPES.get(os.path.splitext(name)[1], "application/octet-stream")
        if name == "":
            body, kind = b"<!doctype html><script type=module src=page.mjs></script>", "text/html"
        else:
            base = PROGRAMS if name.endswith(".wasm") else HERE
            if name.startswith("files/"):
                base, name = self.folder, name[len("files/"):]
            path = os.path.realpath(os.path.join(base, name))
            if not path.startswith(os.path.realpath(base) + os.sep) or not os.path.isfile(path):
                self.send_error(404)
                return
            with open(path, "rb") as source:
                body = source.read()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *what):
        pass


def below(folder):
    return [os.path.relpath(os.path.join(path, name), folder)
            for path, _, names in os.walk(folder) for name in sorted(names)]


def ended(page, i):
    """The result of job i, once it is there."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        result = page.evaluate(f"globalThis.results[{i}] ?? null")
        if result is not None:
            return result["status"], result["out"], result["ms"] / 1000
        time.sleep(0.1)
    return "it did not end", "", SECONDS


def in_chromium(jobs):
    folder = next((given for _, given in jobs if given), HERE)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said = [{"program": name + ".wasm", "args": [name] + ([given] if given else []), "folder": given,
             "files": below(given) if given else []} for name, given in jobs]
    for job in said:
        if job["folder"] is None:
            del job["folder"]
    try:
        with Browser() as browser:
            page = browser.person("tester").open(f"http://127.0.0.1:{server.server_address[1]}/")
            page.wait("globalThis.runAll")
            page.evaluate(f"void runAll({json.dumps(said)})")
            for i in range(len(said)):
                yield ended(page, i)
            assert not page.complaints(), page.complaints()
    finally:
        server.shutdown()
        server.server_close()


def unit(status, out):
    """What is wrong with a unit test's output, or None."""
    plan = re.search(r"^1\.\.(\d+)$", out, re.M)
    good = len(re.findall(r"^ok\b", out, re.M))
    if status != 0 or plan is None or good != int(plan.group(1)):
        return f"exit {status}\n{out}"
    return None


def files(out):
    """{file: (verdict, vectors in it)}"""
    return {name: (verdict, int(tried or 0) + int(others or 0))
            for verdict, name, tried, others in COUNTS.findall(out)}


def forgotten(names):
    with open(os.path.join(ROOT, "tests", "unit", "meson.build"), encoding="utf-8") as source:
        return sorted(set(OF_CORE.findall(source.read())) - set(LEFT_OUT) - {n[len("unit-"):] for n in names})


def vectors(status, here, native, folder):
    done = subprocess.run([native, folder], capture_output=True, text=True, timeout=SECONDS)
    there = files(done.stdout)
    if status != 0 or done.returncode != 0 or not there:
        return f"exit {status}, natively {done.returncode}\n{here}"
    differ = {name: (files(here).get(name), said) for name, said in there.items() if files(here).get(name) != said}
    return f"not as natively: {differ}" if differ else None


def main():
    where, native, folder = sys.argv[1:]
    if where == "chromium" and not (os.path.exists(CHROMIUM) and os.path.isdir(
            os.path.join(ROOT, "web", "node_modules", "playwright-core"))):
        print("1..0 # SKIP chromium or playwright-core is missing: tools/bootstrap test fetches them")
        return 0
    subprocess.run([os.path.join(ROOT, "tools", "build-wasm"), "--tests"], check=True)
    have_vectors = os.path.isdir(folder)
    jobs = [("vectors", os.path.abspath(folder))] if have_vectors else []
    for path in sorted(glob.glob(os.path.join(PROGRAMS, "unit-*.wasm"))):
        jobs.append((os.path.basename(path)[:-len(".wasm")], None))
    print(f"1..{len(jobs) + (not have_vectors) + 1}", flush=True)
    results = (in_node if where == "node" else in_chromium)(jobs)
    failed = 0
    for i, ((name, given), (status, out, seconds)) in enumerate(zip(jobs, results, strict=True), 1):
        wrong = vectors(status, out, native, given) if given else unit(status, out)
        failed += wrong is not None
        for line in (wrong or "").splitlines():
            print(f"# {line}")
        print(f"{'ok' if wrong is None else 'not ok'} {i} - {name} in {where}")
        print(f"# {seconds:.1f} s", flush=True)
    missing = forgotten(name for name, _ in jobs)
    failed += bool(missing)
    print(f"{'not ok' if missing else 'ok'} {len(jobs) + 1} - no unit test of core is forgotten: {missing}")
    for name, why in LEFT_OUT.items():
        print(f"# left out: {name}: {why}")
    if not have_vectors:
        print(f"ok {len(jobs) + 2} - vectors # SKIP {folder} is not there")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
