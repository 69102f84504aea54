"""The real `tacit --json listen`, and what it has shown of messages.

    with Screen(alice) as screen:    # waits until it is online
        screen.wait(lambda: "hello" in screen.shown, "hello")
"""
import json
import signal
import subprocess
import threading
import time

from support import tap

PATIENCE = 120


class Screen:
    def __init__(self, person):
        self.process = person.start("--json", "listen", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL)
        self.shown, self.alarms, self.online = [], [], 0
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            with self.news:
                if event["type"] == "message":
                    self.shown.append(event["text"])
                elif event["type"] in ("warning", "missing", "refused"):
                    self.alarms.append(event)
                elif event["type"] == "online" and event["live"]:
                    self.online += 1
                self.news.notify_all()

    def wait(self, ready, what):
        until = time.monotonic() + PATIENCE
        with self.news:
            while not ready():
                left = until - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    return tap.fail(f"{what} did not come; shown last: {self.shown[-5:]}")
                self.news.wait(min(left, 1))
        return True

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self.thread.join(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()
        return code

    def __enter__(self):
        self.wait(lambda: self.online >= 1, "online")
        return self

    def __exit__(self, *what):
        tap.equal(self.stop(), 0, "listen ends cleanly")
