"""Clients of live-echo that are told each packet by hand: a session by long-polling, one by WebSocket."""
import http.client
import json

from support.echo import Echo
from support.live import Ended, WebSocket

WAIT = 30
CALM = ["--ping-interval", "60000", "--ping-timeout", "60000"]


class Polling:
    """A session by long-polling; each request on a connection of its own, so on any loop."""

    def __init__(self, port, path="/socket.io/", headers=None, tls=None):
        self.port, self.path, self.headers, self.tls = port, path, headers or {}, tls
        self.sid = None
        status, body = self.request("GET")
        if status != 200 or not body.startswith("0"):
            raise RuntimeError(f"no session: {status} {body}")
        self.hello = json.loads(body[1:])
        self.sid = self.hello["sid"]
        self.waiting = []

    def request(self, method, body=None, transport="polling"):
        if self.tls is None:
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        else:
            link = http.client.HTTPSConnection("localhost", self.port, timeout=WAIT,
                                               context=self.tls)
        sid = f"&sid={self.sid}" if self.sid else ""
        try:
            link.request(method, f"{self.path}?EIO=4&transport={transport}{sid}", body,
                         self.headers)
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        finally:
            link.close()

    def post(self, *packets):
        return self.request("POST", "\x1e".join(packets))

    def poll(self):
        return self.request("GET")

    def next(self, wanted):
        """Polls until a packet begins with `wanted`."""
        while True:
            for i, packet in enumerate(self.waiting):
                if packet.startswith(wanted):
                    return self.waiting.pop(i)
            status, body = self.poll()
            if status != 200:
                raise Ended(f"poll: {status} {body}")
            self.waiting += body.split("\x1e")

    def connect(self, auth=""):
        self.post("40" + auth)
        self.next("40{")
        self.next('42["auth"')
        return self

    def call(self, name, *arguments, ack=1):
        self.post(f"42{ack}" + json.dumps([name, *arguments]))
        return self.next(f"43{ack}[")


class Socket:
    """A session by WebSocket."""

    def __init__(self, port, auth="", connect=True, **more):
        self.ws = WebSocket(port, "/socket.io/?EIO=4&transport=websocket", {}, **more)
        self.seen = []
        self.acks = 0
        self.hello = json.loads(self.text()[1:])
        if connect:
            self.say("40" + auth)
            self.next("40{")
            self.next('42["auth"')

    def say(self, text):
        self.ws.send(1, text.encode())

    def message(self):
        got = self.ws.receive()
        if got is None:
            raise Ended("closed")
        return got

    def text(self):
        while True:
            kind, data = self.message()
            if kind == 1 and data == b"2":
                self.say("3")
            elif kind == 1:
                return data.decode()

    def next(self, wanted):
        while True:
            for i, packet in enumerate(self.seen):
                if packet.startswith(wanted):
                    return self.seen.pop(i)
            self.seen.append(self.text())

    def call(self, name, *arguments):
        self.acks += 1
        self.say(f"42{self.acks}" + json.dumps([name, *arguments]))
        return self.next(f"43{self.acks}[")

    def published(self):
        return json.loads(self.next('42["published"')[2:])[1]

    def ended(self):
        """Reads until the end; False: none came."""
        try:
            while True:
                self.text()
        except TimeoutError:
            return False
        except (Ended, OSError):
            return True

    def close(self):
        self.ws.close()


class World:
    def __enter__(self):
        self.echo = Echo(*CALM)
        self.echo.__enter__()
        self.port = self.echo.port
        return self

    def __exit__(self, *failure):
        return self.echo.__exit__(*failure)
