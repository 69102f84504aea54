"""The smallest test harness: each case a function, output in TAP (the Python side of tap.h).

    @tap.case
    def a_user_logs_in(world):
        tap.equal(world.alice.me().status, 200, "status")

    tap.main(World)

A failed check is printed with its place and fails the case, which goes on. An exception fails the
case and ends it. `main` takes a context manager that makes what all cases share.
"""
import os
import sys
import time
import traceback

_cases = []
_problems = []
_skipped = None


class Skip(Exception):
    """Raised by skip()."""


def case(function):
    _cases.append((function.__name__.replace("_", " "), function))
    return function


def cases(names, function):
    """One case for each name: function(world, name)."""
    for name in names:
        _cases.append((f"{function.__name__.replace('_', ' ')}: {name}",
                       lambda world, name=name: function(world, name)))


def _place():
    """The innermost line of a test program, not of this folder."""
    here = os.path.dirname(os.path.abspath(__file__))
    for frame in reversed(traceback.extract_stack()):
        if os.path.dirname(os.path.abspath(frame.filename)) != here:
            return f"{os.path.basename(frame.filename)}:{frame.lineno}"
    return "?"


def fail(what):
    _problems.append(f"{_place()}: {what}")
    return False


def check(ok, what):
    return True if ok else fail(what)


def equal(got, want, what):
    return True if got == want else fail(f"{what}: got {got!r}, want {want!r}")


def one_of(got, wanted, what):
    return True if got in wanted else fail(f"{what}: got {got!r}, want one of {wanted!r}")


def skip(reason):
    raise Skip(reason)


def _run(function, world):
    """The problems of one case, or the reason to skip it."""
    _problems.clear()
    try:
        function(world)
    except Skip as reason:
        return [], str(reason)
    except Exception:  # a broken case must not take the others along
        _problems.append(traceback.format_exc())
    return list(_problems), None


def main(make_world):
    """Runs all cases (or those whose name contains argv[2]) and exits."""
    wanted = [c for c in _cases if len(sys.argv) < 3 or sys.argv[2] in c[0]]
    failed = False
    print(f"1..{len(wanted) + 1}", flush=True)
    number = 0
    end_problems = []
    try:
        with make_world() as world:
            for number, (name, function) in enumerate(wanted, 1):
                began = time.monotonic()
                problems, skipped = _run(function, world)
                failed |= bool(problems)
                _print(number, name, problems, skipped, time.monotonic() - began)
    except Exception:
        end_problems.append(traceback.format_exc())
    failed |= bool(end_problems)
    _print(number + 1, "set-up and clean end", end_problems, None, 0)
    sys.exit(1 if failed else 0)


def _print(number, name, problems, skipped, seconds):
    suffix = f" # SKIP {skipped}" if skipped else ""
    print(f"{'not ok' if problems else 'ok'} {number} - {name}{suffix}")
    for problem in problems:
        for line in problem.rstrip().splitlines():
            print(f"# {line}")
    if seconds > 2:
        print(f"# took {seconds:.1f} s")
    sys.stdout.flush()
