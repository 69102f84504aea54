"""Keeps the kernel's threads off a core for as long as somebody holds the other end of its input.

quiet_core.py CORE: says "quiet" when it is, and puts everything back when its input ends. A process of its own, so that it
does so also for a bench that was killed; a session of its own, so that Ctrl-C is not meant for it.
"""
import contextlib
import os
import sys

THREADS_OF_KERNEL = 2  # kthreadd, and the parent of all others


def kernel_threads():
    for process in map(int, filter(str.isdigit, os.listdir("/proc"))):
        with contextlib.suppress(OSError), open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stat:
            parent = int(stat.read().rpartition(")")[2].split()[1])
            if THREADS_OF_KERNEL in (process, parent):
                yield process


def main(core):
    moved = {}
    try:
        for thread in kernel_threads():
            with contextlib.suppress(OSError):  # it has ended, or may not be moved
                cores = os.sched_getaffinity(thread)
                if core in cores and cores != {core}:
                    os.sched_setaffinity(thread, cores - {core})
                    moved[thread] = cores
        print("quiet", flush=True)
        sys.stdin.read()
    finally:
        for thread, cores in moved.items():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(thread, cores)


if __name__ == "__main__":
    main(int(sys.argv[1]))
