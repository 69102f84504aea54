"""Notices when the machine itself stood still: no test can keep a time while its processors or its disk
belong to somebody else.

    with Watch() as watch:
        ...
    watch.excuses(test)  # what was noticed while a test of Meson's record ran

Heard of are processors that ran nothing at all, a hypervisor that kept most of their time for others,
and a disk that took long to sync a single block.
"""
import os
import tempfile
import threading
import time
from collections import namedtuple

LONG_SECONDS = 10  # what lasts less, the tests must bear
STOLEN_SHARE = 0.5
OWN_FAULT = ("Sanitizer", "runtime error:")  # whatever the machine does, these are never its doing

Period = namedtuple("Period", "begun ended why")


def processor_times():
    """(stolen, all) ticks of all processors since the machine started: proc(5), /proc/stat."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(part) for part in stat.readline().split()[1:9]]
    return ticks[7], sum(ticks)


class Processors:
    """Told the time again and again, finds what is missing in between."""

    def __init__(self, now, ticks):
        self.seen, self.window, self.ticks = now, now, ticks

    def tick(self, now, ticks):
        """A Period, or None."""
        seen, self.seen = self.seen, now
        if now - seen > LONG_SECONDS:
            self.window, self.ticks = now, ticks
            return Period(seen, now, "nothing ran")
        if now - self.window < LONG_SECONDS:
            return None
        stolen, total = ticks[0] - self.ticks[0], ticks[1] - self.ticks[1]
        begun, self.window, self.ticks = self.window, now, ticks
        if total and stolen / total > STOLEN_SHARE:
            return Period(begun, now, f"{100 * stolen // total} % of the processors' time went to others")
        return None


def sync_took(begun, ended):
    """A Period, or None."""
    return Period(begun, ended, "the disk synced nothing") if ended - begun > LONG_SECONDS else None


class Watch:
    def __init__(self):
        self.periods = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.processors, self.disk)]

    def processors(self):
        watched = Processors(time.time(), processor_times())
        while not self.over.wait(1):
            self.note(watched.tick(time.time(), processor_times()))

    def disk(self):
        with tempfile.TemporaryFile() as block:
            while not self.over.wait(1):
                begun = time.time()
                os.pwrite(block.fileno(), os.urandom(512), 0)
                os.fdatasync(block.fileno())
                self.note(sync_took(begun, time.time()))

    def note(self, period):
        if period is not None:
            self.periods.append(period)

    def during(self, begun, ended):
        return [period for period in self.periods if period.begun < ended and begun < period.ended]

    def excuses(self, test):
        """Periods; none for a test that crashed, or that a sanitizer has something to say of."""
        said = (test.get("stdout") or "") + (test.get("stderr") or "")
        crashed = test["result"] != "TIMEOUT" and test["returncode"] < 0
        if crashed or any(word in said for word in OWN_FAULT):
            return []
        return self.during(test["starttime"], test["starttime"] + test["duration"])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *what):
        self.over.set()
        for thread in self.threads:
            thread.join(LONG_SECONDS)
