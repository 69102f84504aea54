"""`tacit --json listen`, and all that it says."""
import contextlib
import json
import signal
import subprocess
import threading
import time

PATIENCE = 60


class Listener:
    """`tacit --json listen` and all that it has said so far."""

    def __init__(self, person, *options):
        self.process = person.start("--json", "listen", *options, stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.events = []
        self.news = threading.Condition()
        self.ended = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.events.append(json.loads(line))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait(self, wanted, what):
        """The first event that is wanted, waited for."""
        end = time.monotonic() + PATIENCE
        with self.news:
            while True:
                for event in self.events:
                    if wanted(event):
                        return event
                if self.ended or time.monotonic() > end:
                    raise AssertionError(f"{what} never came; what did: {self.events[-20:]}, "
                                         f"{self.process.stderr.read1() if self.ended else b''}")
                self.news.wait(0.5)

    def of(self, kind, **members):
        with self.news:
            return [e for e in self.events if e["type"] == kind and
                    all(e.get(k) == v for k, v in members.items())]

    def online(self, times=1):
        self.wait(lambda _: len([e for e in self.events if e["type"] == "online" and e["live"]]) >= times,
                  "online")
        return self

    def message(self, text):
        return self.wait(lambda e: e["type"] == "message" and e.get("text") == text, text)

    def texts(self):
        return [e["text"] for e in self.of("message")]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self.thread.join(PATIENCE)
        self.process.stdin.close()
        self.process.stderr.close()
        return code

    def __enter__(self):
        return self.online()

    def __exit__(self, *what):
        with contextlib.suppress(Exception):
            self.stop()
        if self.process.poll() is None:
            self.process.kill()
