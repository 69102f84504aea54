"""Rooms, by hand, against live-echo with several loops: who gets what, in which order, and who is told
what they did not get."""
import base64
import json
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support import tap  # noqa: E402
from support.echo import Echo  # noqa: E402
from support.echo_clients import CALM, Polling, Socket, World  # noqa: E402
from support.kernel import kernel_keeps  # noqa: E402


@tap.case
def a_room_reaches_all_loops_in_order(world):
    room, members = 7, [Socket(world.port) for _ in range(9)]
    for s in members:
        s.call("join", room)
        s.call("open", room, 0)
    for i in range(1, 101):
        members[i % 3].say("42" + json.dumps(["publish", room, i, i]))
        if i % 3 == 0:
            members[0].call("nothing")
    lists = [[s.published() for _ in range(100)] for s in members]
    for got in lists:
        tap.equal(sorted(got), list(range(1, 101)), "everything, once")
        for sender in range(3):  # what one socket says stays in order
            mine = [i for i in got if i % 3 == sender]
            tap.equal(mine, sorted(mine), "order")
    for s in members:
        s.close()


@tap.case
def history_and_live_meet(world):
    room, s, other = 8, Socket(world.port), Socket(world.port)
    s.call("join", room)
    for order in (1, 2, 3, 4):
        other.call("publish", room, order, order)
    other.call("publish", room, 0, "no order")
    s.call("open", room, 2)
    other.call("publish", room, 5, 5)
    tap.equal([s.published() for _ in range(4)], [3, 4, "no order", 5], "from 3 on")
    s.call("leave", room)
    other.call("publish", room, 6, 6)
    s.call("nothing")
    tap.equal([p for p in s.seen if "published" in p], [], "nothing after leaving")
    s.close()
    other.close()


@tap.case
def an_earlier_join_does_not_undo_a_later_one(world):
    with Echo(*CALM, loops=1) as echo:
        room, s, other = 8, Socket(echo.port), Socket(echo.port)
        s.call("join", room)
        s.call("join", room)
        other.call("publish", room, 3, 3)
        s.call("open", room, 9, 1, "first", False)  # would leave, and know all up to 9
        tap.equal(s.next('42["history"'), '42["history","first"]', "its history comes")
        s.call("leave", room, 1)
        other.call("publish", room, 4, 4)
        s.call("open", room, 2, 2, "second", True)
        tap.equal(s.next('42["history"'), '42["history","second"]', "and that of the second")
        tap.equal([s.published(), s.published()], [3, 4], "nothing is missing")
        s.call("open", room, 9, 2, "late", False)
        other.call("publish", room, 5, 5)
        tap.equal(s.published(), 5, "what is open stays so")
        s.call("leave", room, 2)
        other.call("publish", room, 6, 6)
        s.call("nothing")
        tap.equal([p for p in s.seen if "published" in p], [], "nothing after leaving")
        s.close()
        other.close()


@tap.case
def who_does_not_stay_gets_the_history_alone(world):
    with Echo(*CALM, loops=1) as echo:
        s = Socket(echo.port)
        s.call("join", 8)
        s.call("open", 8, 0, 1, "a page", False)
        s.call("publish", 8, 1, 1)
        tap.equal(s.next('42["history"'), '42["history","a page"]', "history")
        s.call("nothing")
        tap.equal([p for p in s.seen if "published" in p], [], "not in the room")
        s.close()


@tap.case
def what_does_not_fit_before_the_opening_is_told_at_the_opening(world):
    room, s, other = 8, Socket(world.port), Socket(world.port)
    s.call("join", room)
    for i in range(1, 301):
        other.say("42" + json.dumps(["publish", room, i, i]))
    other.call("nothing")
    s.call("nothing")
    s.call("open", room, 250)
    tap.equal(s.next('42["behind"'), '42["behind",8]', "told, though nothing more is published")
    got = [json.loads(p[2:])[1] for p in s.seen if "published" in p]
    tap.check(got, "something was held")
    tap.equal(got, list(range(251, 251 + len(got))), "what came before is without a gap")
    s.call("leave", room)
    s.call("join", room)
    for i in range(301, 601):
        other.say("42" + json.dumps(["publish", room, i, i]))
    other.call("nothing")
    s.call("nothing")
    s.call("open", room, 590)
    tap.equal(s.next('42["behind"'), '42["behind",8]', "told, though all that was held is known")
    s.close()
    other.close()


@tap.case
def many_histories_at_once_close_nobody(world):
    with Echo(*CALM, "--queue-frames", "8", loops=1) as echo:
        rooms, told = list(range(1, 61)), []
        p = Polling(echo.port).connect()
        status, said = p.post(*["42" + json.dumps(words) for room in rooms for words in
                                (["join", room], ["open", room, 0, 0, room])])
        tap.equal((status, said), (200, "ok"), "post")
        while len(told) < len(rooms):
            packet = json.loads(p.next("42")[2:])
            tap.one_of(packet[0], ["history", "behind"], "what came")
            told += packet[1:]
        tap.equal(sorted(told), rooms, "each room's history came, or that it did not")
        p.call("nothing")


@tap.case
def a_message_larger_than_the_queue_reaches_who_keeps_up(world):
    room, s, other = 8, Socket(world.port), Socket(world.port)
    s.call("join", room)
    s.call("open", room, 0)
    for i in (1, 2):
        other.call("publish", room, i, "x" * 400000)
        tap.equal(len(s.published()), 400000, "it came")
    tap.equal([p for p in s.seen if "behind" in p], [], "nothing was dropped")
    s.close()
    other.close()


def loop_of(s):
    return base64.urlsafe_b64decode(s.hello["sid"])[16]


@tap.case
def what_no_memory_could_tell_is_told_by_closing(world):
    with Echo(*CALM, loops=2) as echo:
        members = []
        while len({loop_of(s) for s in members}) < 2:
            members.append(Socket(echo.port))
        for s in members:
            s.call("join", 6)
            s.call("open", 6, 0)
        teller = members[-1]
        teller.say("42" + json.dumps(["starve", 6, 1, "lost"]))
        for s in members:
            if loop_of(s) == loop_of(teller):
                tap.equal(s.published(), "lost", "on the teller's loop it came")
            else:
                tap.check(s.ended(), "who could not be told was closed")
                tap.equal([p for p in s.seen if "published" in p], [], "and heard nothing")
        again = [Socket(echo.port) for _ in range(8)]
        for s in again:
            s.call("join", 6)
            s.call("open", 6, 0)
        teller.call("publish", 6, 2, "heard")
        for s in again:
            tap.equal(s.published(), "heard", "who came back")
        for s in members + again:
            s.close()


@tap.case
def what_a_user_is_told_is_not_dropped_in_silence(world):
    with Echo(*CALM, "--queue-frames", "8") as echo:
        p, other = Polling(echo.port).connect('{"user":55}'), Socket(echo.port)
        for i in range(20):
            other.call("tell", 55, i)
        got = [json.loads(p.next('42["told"')[2:])[1] for _ in range(20)]
        tap.equal(got, list(range(20)), "beyond what room messages may fill")
        for i in range(50):
            other.call("tell", 55, i)
        while p.poll()[0] == 200:
            pass
        tap.equal(p.poll()[0], 400, "what does not fit at all ends the session")
        other.close()


@tap.case
def members_are_put_out(world):
    room = 9
    a, b = (Socket(world.port, json.dumps({"user": user})) for user in (101, 102))
    for s in (a, b):
        s.call("join", room)
        s.call("open", room, 0)
    b.call("evict", room, 101)
    b.call("publish", room, 1, "after")
    tap.equal(b.published(), "after", "the other is still there")
    a.call("nothing")
    a.call("nothing")
    tap.equal([p for p in a.seen if "published" in p], [], "evicted")
    b.call("end", 101)
    tap.equal(a.next("41"), "41", "told to go")
    tap.check(a.ended(), "and gone")
    a.close()
    b.close()


@tap.case
def a_slow_reader_is_told_to_catch_up(world):
    with Echo(*CALM, "--queue-frames", "8") as echo:
        room = 3
        slow, fast = Socket(echo.port, receive_buffer=4096), Socket(echo.port)
        slow.call("join", room)
        slow.call("open", room, 0)
        text = "x" * 100000
        count = 100 + kernel_keeps() // len(text)
        for i in range(1, count + 1, 8):
            fast.call("flood", room, i, text, min(8, count + 1 - i))
        tap.equal(slow.next('42["behind"'), '42["behind",3]', "told")
        got = len([p for p in slow.seen if "published" in p])
        tap.check(0 < got < count, f"some were dropped: {got}")
        # The kernel's buffers may have grown while it was published: then the queue was full twice.
        order, packet = 2 * count, '42["behind",3]'
        while packet != '42["published","again"]':
            if packet == '42["behind",3]':
                fast.call("publish", room, order, "again")
                order += 1
            packet = slow.next("42[")
        slow.close()
        fast.close()


@tap.case
def peers_vanish_while_they_are_sent_to(world):
    room, sender = 11, Socket(world.port)
    for _ in range(20):
        members = [Socket(world.port) for _ in range(6)]
        for s in members:
            s.call("join", room)
            s.call("open", room, 0)
        for s in members[1:]:  # a reset, which the next write finds
            s.ws.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for i, s in enumerate(members[1:]):
            sender.say("42" + json.dumps(["publish", room, 0, i]))
            s.ws.socket.close()
        sender.call("publish", room, 0, "last")
        while members[0].published() != "last":
            pass
        members[0].close()
    sender.close()


if __name__ == "__main__":
    tap.main(World)
