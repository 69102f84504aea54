"""A small Socket.IO client over one WebSocket, written from the protocols' documents alone: Engine.IO
4, Socket.IO 5, RFC 6455. It reads in a thread of its own and keeps whatever came.

    with Live(person) as live:
        live.join(room)
        ack = live.call("send_message", room_id=room, encrypted_content="...")
        event = live.wait("new_message", lambda m: m["id"] == ack["id"])
"""
import base64
import hashlib
import json
import os
import socket
import struct
import threading
import time

WAIT_SECONDS = 30
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """connect_error: what the server said."""

    def __init__(self, message, data):
        super().__init__(message)
        self.message, self.data = message, data


class Ended(Exception):
    """The connection ended while somebody waited for something."""


class WebSocket:
    """Just enough of RFC 6455 for a client."""

    def __init__(self, port, target, headers, receive_buffer=None, tls=None):
        """tls: an SSLContext, for wss:."""
        self.socket = socket.socket()
        self.socket.settimeout(WAIT_SECONDS)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer = b""
        self.lock = threading.Lock()
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket",
                 "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 f"Sec-WebSocket-Key: {key.decode()}"]
        lines += [f"{k}: {v}" for k, v in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = self._until(b"\r\n\r\n").decode()
        self.status = int(head.split(" ", 2)[1])
        if self.status != 101:
            raise Ended(f"no WebSocket: {head!r}")
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        if f"sec-websocket-accept: {accept}".lower() not in head.lower():
            raise Ended("a wrong Sec-WebSocket-Accept")

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        found, self.buffer = self.buffer.split(mark, 1)
        return found

    def _more(self):
        piece = self.socket.recv(256 * 1024)
        if not piece:
            raise Ended("the server closed the connection")
        self.buffer += piece

    def _take(self, count):
        while len(self.buffer) < count:
            self._more()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def send(self, opcode, payload):
        mask = os.urandom(4)
        length = len(payload)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65536:
            head += b"\xfe" + struct.pack(">H", length)
        else:
            head += b"\xff" + struct.pack(">Q", length)
        key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        masked = (int.from_bytes(payload, "big") ^ key).to_bytes(length, "big")
        with self.lock:
            self.socket.sendall(head + mask + masked)

    def receive(self):
        """The next message: (opcode, payload). Answers pings; None after a close."""
        whole, kind = b"", None
        while True:
            first, second = self._take(2)
            length = second & 0x7f
            if length == 126:
                length, = struct.unpack(">H", self._take(2))
            elif length == 127:
                length, = struct.unpack(">Q", self._take(8))
            payload = self._take(length)
            opcode = first & 0x0f
            if opcode == 8:
                return None
            if opcode == 9:
                self.send(10, payload)
            elif opcode in (0, 1, 2):
                kind = opcode if opcode else kind
                whole += payload
                if first & 0x80:
                    return kind, whole

    def ping(self):
        """Waits for the pong, which must be the next to come."""
        self.send(9, b"")
        first, length = self._take(2)
        if first & 0x0f != 10 or length != 0:
            raise Ended("something else than a pong")

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


class Live:
    """One socket. `events` is everything that came, in order: (name, body)."""

    def __init__(self, person, auth="token", headers=None, receive_buffer=None, **more):
        """auth: "token", "cookie", None; more: what else stands in the auth object."""
        self.person = person
        self.events, self.acks = [], {}
        self.next_ack, self.ended = 0, None
        self.changed = threading.Condition()
        headers = dict(headers or {})
        if auth == "cookie":
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in person.cookies.items())
        said = {"token": person.token, **more} if auth == "token" else more
        self.web = WebSocket(person.server.port, "/socket.io/?EIO=4&transport=websocket", headers,
                             receive_buffer)
        try:
            self._handshake(said)
        except BaseException:
            self.web.close()
            raise
        self.web.socket.settimeout(None)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _handshake(self, said):
        self.hello = json.loads(self._packet("0"))
        self._send("40" + (json.dumps(said) if said else ""))
        text = self._text()
        if text.startswith("44"):
            refusal = json.loads(text[2:])
            raise Refused(refusal["message"], refusal.get("data"))
        if not text.startswith("40"):
            raise Ended(f"instead of CONNECT came {text!r}")
        self.sid = json.loads(text[2:])["sid"]

    def _send(self, text):
        self.web.send(1, text.encode("utf-8"))

    def _text(self):
        while True:
            got = self.web.receive()
            if got is None:
                raise Ended("the server closed the WebSocket")
            text = got[1].decode("utf-8")
            if text != "2":
                return text
            self._send("3")

    def _packet(self, kind):
        text = self._text()
        if not text.startswith(kind):
            raise Ended(f"instead of {kind!r} came {text!r}")
        return text[1:]

    def _read(self):
        why = "disconnected"
        try:
            while True:
                text = self._text()
                if text in ("1", "41") or text.startswith("41"):
                    break
                self._take(text)
        except (OSError, Ended, ValueError) as reason:
            why = str(reason)
        with self.changed:
            self.ended = why
            self.changed.notify_all()

    def _take(self, text):
        kind, rest = text[:2], text[2:]
        digits = len(rest) - len(rest.lstrip("0123456789"))
        body = json.loads(rest[digits:])
        with self.changed:
            if kind == "42":
                self.events.append((body[0], body[1] if len(body) > 1 else None))
            elif kind == "43":
                self.acks[int(rest[:digits])] = body[0] if body else None
            self.changed.notify_all()

    # --- saying ---
    def emit(self, event, **body):
        self._send("42" + json.dumps([event, body], ensure_ascii=False))

    def raw(self, text):
        self._send(text)

    def begin(self, event, **body):
        """Says it and asks for an acknowledgement; finish() waits for it."""
        with self.changed:
            number, self.next_ack = self.next_ack, self.next_ack + 1
        self._send(f"42{number}" + json.dumps([event, body], ensure_ascii=False))
        return number

    def finish(self, number):
        self._wait_until(lambda: number in self.acks, f"acknowledgement {number}")
        return self.acks[number]

    def call(self, event, **body):
        return self.finish(self.begin(event, **body))

    def must(self, event, **body):
        ack = self.call(event, **body)
        if "error" in ack:
            raise AssertionError(f"{event} {body!r}: {ack!r}")
        return ack

    def send(self, room, content, **more):
        return self.must("send_message", room_id=room, encrypted_content=content, **more)

    def join(self, room, **more):
        """Joins; gives the history that came."""
        before = self.count()
        self.must("join_room", room_id=room, **more)
        return self.wait("room_history", lambda h: h["room_id"] == room, since=before)

    # --- hearing ---
    def count(self):
        with self.changed:
            return len(self.events)

    def _wait_until(self, ready, what):
        until = time.monotonic() + WAIT_SECONDS
        with self.changed:
            while not ready():
                if self.ended is not None:
                    raise Ended(f"{what}: {self.ended}")
                left = until - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{what} did not come; came: {self.events[-10:]!r}")
                self.changed.wait(left)

    def all(self, name, fits=lambda body: True, since=0):
        with self.changed:
            return [b for n, b in self.events[since:] if n == name and fits(b)]

    def wait(self, name, fits=lambda body: True, since=0):
        """The first such event that has come or comes."""
        self._wait_until(lambda: any(n == name and fits(b) for n, b in self.events[since:]), name)
        return self.all(name, fits, since)[0]

    def wait_count(self, name, count, fits=lambda body: True):
        self._wait_until(lambda: sum(n == name and fits(b) for n, b in self.events) >= count,
                         f"{count} times {name}")
        return self.all(name, fits)

    def wait_end(self):
        until = time.monotonic() + WAIT_SECONDS
        with self.changed:
            while self.ended is None:
                left = until - time.monotonic()
                if left <= 0:
                    raise AssertionError("the socket did not end")
                self.changed.wait(left)
        return self.ended

    def settle(self):
        """What was said to this socket until now has come: everything is in order, so the answer to
        a question of one's own comes behind it."""
        self.call("leave_room", room_id=2 ** 53 - 1)

    def close(self):
        self.web.close()
        self.reader.join(WAIT_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *rest):
        self.close()
