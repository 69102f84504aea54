"""People in rooms of an XMPP server, over WebSockets: xmpp.py PORT PID PEOPLE MEMBERS SECONDS

Two of each room keep 16 messages of 256 bytes under way, each until its own copy is back, as `live full` does.
Prints a line of JSON: deliveries, PID's processor time in the same seconds, and its KiB for each connection.
"""
import json
import os
import re
import select
import socket
import sys
import time

PORT, PID, PEOPLE, MEMBERS, SECONDS = (int(word) for word in sys.argv[1:6])
SENDERS, WINDOW, BODY = 2, 16, "A" * 256
AT_ONCE = 50
JOIN_SECONDS = 300
MASK = b"\0\0\0\0"  # what is masked with zeros is as it was
OPEN = '<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="bench" version="1.0"/>'
UPGRADE = (f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Protocol: xmpp\r\n\r\n").encode()
# What is said when that has been heard; the last one is the person's own presence in the room.
STEPS = (
    (b"\r\n\r\n", OPEN),
    (b"ANONYMOUS", '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>'),
    (b"<success", OPEN),
    (b"xmpp-bind", '<iq xmlns="jabber:client" type="set" id="bind">'
                   '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>'),
    (b"<jid>", '<presence xmlns="jabber:client" to="{room}/{nick}">'
               '<x xmlns="http://jabber.org/protocol/muc"/></presence>'),
)
JOINED = re.compile(rb"code=['\"]110['\"]")
FAILED = re.compile(rb"<failure|<close|type=['\"]error['\"]")


def frame(text):
    data = text.encode()
    head = bytes([0x81, 0x80 | len(data)]) if len(data) < 126 else \
        bytes([0x81, 0xfe]) + len(data).to_bytes(2, "big")
    return head + MASK + data


class Person:
    def __init__(self, number):
        self.room, self.nick = f"run{os.getpid()}-{number // MEMBERS}@conference.bench", f"n{number}x"
        self.sends = number % MEMBERS < SENDERS
        self.step, self.heard, self.deliveries = 0, b"", 0
        self.message = frame(f'<message xmlns="jabber:client" to="{self.room}" type="groupchat">'
                             f'<body>{BODY}</body></message>')
        self.own = re.compile(rb"/%s['\"][^>]*>(?:(?!</message>).)*<body>" % self.nick.encode())
        self.socket = socket.create_connection(("127.0.0.1", PORT))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(UPGRADE)

    def receive(self):
        piece = self.socket.recv(262144)
        if not piece:
            raise SystemExit(f"xmpp: closed at step {self.step}: {self.heard[-300:]!r}")
        return piece

    def advance(self):
        """Handshake; says whether it has joined."""
        self.heard += self.receive()
        if FAILED.search(self.heard):
            raise SystemExit(f"xmpp: refused at step {self.step}: {self.heard[-300:]!r}")
        if self.step == len(STEPS):
            return bool(JOINED.search(self.heard))
        wanted, answer = STEPS[self.step]
        if wanted in self.heard:
            self.step, self.heard = self.step + 1, b""
            self.socket.sendall(frame(answer.format(room=self.room, nick=self.nick)))
        return False

    def take(self):
        """Counts messages that are whole, and goes on with as many as were its own."""
        data = self.heard + self.receive()
        end = data.rfind(b"</message>") + 1
        whole, self.heard = data[:end], data[end:]
        self.deliveries += whole.count(b"<body>")
        if self.sends and end:
            self.socket.sendall(self.message * len(self.own.findall(whole)))


def sample(people):
    with open(f"/proc/{PID}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (time.monotonic(), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
            sum(p.deliveries for p in people))


def resident_kib():
    with open(f"/proc/{PID}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def join_all(poll, by_number):
    people, waiting, until = [], set(), time.monotonic() + JOIN_SECONDS
    while len(people) < PEOPLE or waiting:
        if time.monotonic() > until:
            raise SystemExit(f"xmpp: {len(waiting)} did not join")
        while len(people) < PEOPLE and len(waiting) < AT_ONCE:
            people.append(Person(len(people)))
            number = people[-1].socket.fileno()
            by_number[number] = people[-1]
            waiting.add(number)
            poll.register(number, select.EPOLLIN)
        for number, _ in poll.poll(1):
            if number not in waiting:
                by_number[number].receive()  # others come in
            elif by_number[number].advance():
                by_number[number].heard = b""
                waiting.discard(number)
    return people


def run_for(poll, by_number, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for number, _ in poll.poll(0.1, 256):
            by_number[number].take()


def main():
    poll, by_number, before = select.epoll(), {}, resident_kib()
    people = join_all(poll, by_number)
    run_for(poll, by_number, 1)
    kib = (resident_kib() - before) / PEOPLE
    for person in people:
        if person.sends:
            person.socket.sendall(person.message * WINDOW)
    run_for(poll, by_number, 1)
    first = sample(people)
    run_for(poll, by_number, SECONDS)
    last = sample(people)
    seconds, cpu, deliveries = (b - a for a, b in zip(first, last))
    print(json.dumps({"seconds": seconds, "cpu": cpu, "deliveries": deliveries, "kib": kib}))


main()
