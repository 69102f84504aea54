"""What counts as a machine that stood still: told of by numbers, as no test can make it stand."""
import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.standstill import Period, Processors, Watch, sync_took  # noqa: E402


def noticed(ticks, every=1.0):
    """The periods of a machine whose (stolen, all) ticks grow so with each tick of the watch."""
    watched, now, stolen, total, periods = Processors(0, (0, 0)), 0, 0, 0, []
    for more_stolen, more in ticks:
        now, stolen, total = now + every, stolen + more_stolen, total + more
        periods.append(watched.tick(now, (stolen, total)))
    return [period for period in periods if period is not None]


@tap.case
def a_busy_machine_is_not_one_that_stands_still(_):
    tap.equal(noticed([(0, 200)] * 60), [], "two busy processors")
    tap.equal(noticed([(90, 200)] * 60), [], "nearly half of them taken")
    tap.equal(noticed([(0, 200)] * 10, every=9), [], "seldom told")


@tap.case
def what_others_took_is_told_for_the_time_it_lasted(_):
    tap.equal(noticed([(0, 200)] * 10 + [(180, 200)] * 20 + [(0, 200)] * 10),
              [Period(10, 20, "90 % of the processors' time went to others"),
               Period(20, 30, "90 % of the processors' time went to others")], "periods")


@tap.case
def a_gap_is_told_whatever_was_counted_in_it(_):
    tap.equal(noticed([(0, 200), (0, 0)], every=61), [Period(0, 61, "nothing ran"), Period(61, 122, "nothing ran")],
              "periods")


@tap.case
def a_disk_that_syncs_late_is_told(_):
    tap.equal(sync_took(5, 14), None, "nine seconds")
    tap.equal(sync_took(5, 16), Period(5, 16, "the disk synced nothing"), "eleven")


@tap.case
def only_what_overlaps_is_given(_):
    with Watch() as watch:
        watch.periods = [Period(100, 110, "a"), Period(200, 300, "b")]
        tap.equal([period.why for period in watch.during(90, 99)], [], "before")
        tap.equal([period.why for period in watch.during(105, 250)], ["a", "b"], "both")
        tap.equal([period.why for period in watch.during(110, 200)], [], "between")


@tap.case
def what_is_a_tests_own_fault_has_no_excuse(_):
    with Watch() as watch:
        watch.periods = [Period(100, 110, "a")]

        def excuses(**other):
            return len(watch.excuses({"result": "ERROR", "returncode": 1, "starttime": 105, "duration": 60,
                                      "stdout": "not ok 1 - it took long", **other}))
        tap.equal(excuses(), 1, "in that time")
        tap.equal(excuses(result="TIMEOUT", returncode=-15), 1, "ended by Meson in that time")
        tap.equal(excuses(starttime=111), 0, "behind it")
        tap.equal(excuses(returncode=-11), 0, "crashed")
        tap.equal(excuses(stderr="WARNING: ThreadSanitizer: data race"), 0, "a race")
        tap.equal(excuses(stdout="f.c:1: runtime error: signed integer overflow"), 0, "undefined behaviour")


tap.main(contextlib.nullcontext)
