"""Slow and hostile peers that stay for as long as standard input is open: pests.py PORT PEOPLE

1,000 upgrades that never end, 1,000 requests of which a byte comes each second, 1,000 sessions that never
connect, 20 members of the first rooms who never read, 4 who flood and come again. Says "ready" once they are
there.
"""
import os
import select
import socket
import sys
import time

PORT, PEOPLE = int(sys.argv[1]), sys.argv[2]
MASK = b"\x11\x22\x33\x44"
UPGRADE = ("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


def connect():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(30)
    s.connect(("127.0.0.1", PORT))
    return s


def frame(text):
    data = text.encode()
    masked = bytes(b ^ MASK[i & 3] for i, b in enumerate(data))
    head = bytes([0x81, 0x80 | len(data)]) if len(data) < 126 else \
        bytes([0x81, 0xfe]) + len(data).to_bytes(2, "big")
    return head + MASK + masked


def member(token, room):
    """Joins, reads nothing of what comes afterwards."""
    s = connect()
    s.sendall(f"{UPGRADE}Cookie: tacit_session={token}\r\n\r\n".encode())
    for said, answer in ((None, b"0{"), ("40", b"40{"), (f'420["join_room",{{"room_id":{room}}}]', b"430[")):
        if said:
            s.sendall(frame(said))
        got = b""
        while answer not in got:
            piece = s.recv(65536)
            if not piece:
                raise OSError("the server closed")
            got += piece
    return s


class Flooder:
    """Events without a pause; comes again when it was thrown out."""
    flood = frame('42["typing",{"room_id":1}]') * 1000

    def __init__(self, token, room):
        self.who = token, room
        self.socket, self.next = None, 0.0

    def turn(self):
        try:
            if self.socket is None:
                if time.monotonic() < self.next:
                    return
                self.socket = member(*self.who)
                self.socket.setblocking(False)
            self.socket.send(self.flood)
        except BlockingIOError:
            pass
        except OSError:
            if self.socket is not None:
                self.socket.close()
            self.socket, self.next = None, time.monotonic() + 0.5


def main():
    with open(PEOPLE, encoding="ascii") as lines:
        people = [line.split() for line in lines]
    held, slow = [], []
    for number in range(1000):
        half = connect()
        half.sendall(UPGRADE.encode())
        slowly = connect()
        head = f"GET /socket.io/?EIO=4&transport=polling&n={number} HTTP/1.1\r\nHost: x\r\nX: {'y' * 9000}"
        slow.append((slowly, head.encode()))
        polling = connect()
        polling.sendall(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
        polling.recv(65536)
        held += [half, polling]
    held += [member(*people[n * 7 % len(people)]) for n in range(20)]
    flooders = [Flooder(*people[-1 - n]) for n in range(4)]
    print("ready", flush=True)
    at = 0
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        at += 1
        for n in range(at % 20, len(slow), 20):  # each of them once a second
            s, head = slow[n]
            try:
                s.send(head[at // 20:at // 20 + 1])
            except OSError:
                s.close()
                slow[n] = (connect(), head)
        for f in flooders:
            f.turn()
    os._exit(0)


main()
