#!/usr/bin/env python3
"""The tests of core/ on the core that browsers get: tests/wasm/suite.py VECTORS-PROGRAM VECTORS-FOLDER

Builds tests/wasm/meson.build and runs each program in Node. A unit test must pass whole, as it does natively
in the suite `unit`. Of the official vectors each file must say the same as natively, but for the suites
with curve448, which OpenSSL alone has: these are counted by both, and tried by the native program only.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = os.path.join(ROOT, "build-wasm", "tests", "wasm")
SECONDS = 600
COUNTS = re.compile(r"^(\w+) (\S+?)(?:: (\d+) vectors(?: \((\d+) more not applicable\))?)?$", re.M)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    return done.returncode, done.stdout, done.stderr


def in_node(name, *args):
    return run(["node", "--no-warnings", os.path.join(HERE, "run.mjs"), os.path.join(PROGRAMS, name + ".wasm"), *args])


def unit(name):
    """What is wrong with a unit test's output, or None."""
    status, out, err = in_node(name)
    plan = re.search(r"^1\.\.(\d+)$", out, re.M)
    good = len(re.findall(r"^ok\b", out, re.M))
    if status != 0 or plan is None or good != int(plan.group(1)):
        return f"exit {status}\n{out}{err}"
    return None


def files(out):
    """{file: (verdict, vectors in it)}"""
    return {name: (verdict, int(tried or 0) + int(others or 0))
            for verdict, name, tried, others in COUNTS.findall(out)}


def vectors(native, folder):
    status, here, err = in_node("vectors", folder)
    native_status, there, _ = run([native, folder])
    if status != 0 or native_status != 0 or not files(there):
        return f"exit {status}, natively {native_status}\n{here}{err}"
    differ = {name: (files(here).get(name), said) for name, said in files(there).items()
              if files(here).get(name) != said}
    return f"not as natively: {differ}" if differ else None


def main():
    native, folder = sys.argv[1:]
    subprocess.run([os.path.join(ROOT, "tools", "build-wasm"), "--tests"], check=True)
    cases = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        if os.path.isdir(folder):
            cases["vectors"] = pool.submit(vectors, native, folder)
        for path in sorted(glob.glob(os.path.join(PROGRAMS, "unit-*.wasm"))):
            name = os.path.basename(path)[:-len(".wasm")]
            cases[name] = pool.submit(unit, name)
        print(f"1..{len(cases) + ('vectors' not in cases)}")
        if "vectors" not in cases:
            print(f"ok 1 - vectors # SKIP {folder} is not there")
        failed = 0
        for i, (name, case) in enumerate(cases.items(), 1 + ("vectors" not in cases)):
            wrong = case.result()
            failed += wrong is not None
            for line in (wrong or "").splitlines():
                print(f"# {line}")
            print(f"{'ok' if wrong is None else 'not ok'} {i} - {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
