"""A mail server that keeps what it gets: SMTP by hand (RFC 5321), on a port of its own.

    with LetterBox() as box:
        Server(SMTP_HOST="127.0.0.1", SMTP_PORT=box.port, SMTP_FROM="tacit@example.org")
        letter = box.wait()
"""
import base64
import contextlib
import email
import socket
import threading

SECONDS = 60


class LetterBox:
    def __init__(self, login=None):
        self.login = login  # (user, password) that must be shown
        self.letters = []
        self.refusing = 0  # so many letters are turned away first
        self.condition = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rwb") as stream, contextlib.suppress(OSError):
            def say(line):
                stream.write(line.encode() + b"\r\n")
                stream.flush()
            say("220 here")
            authenticated, to = self.login is None, []
            while line := stream.readline().decode().rstrip("\r\n"):
                verb = line.split(" ")[0].upper()
                if verb == "EHLO":
                    say("250-here")
                    say("250 AUTH PLAIN" if self.login else "250 8BITMIME")
                elif verb == "AUTH":
                    words = line.split(" ")
                    if len(words) < 3:
                        say("334 ")
                        words.append(stream.readline().decode().strip())
                    _, user, password = base64.b64decode(words[2]).decode().split("\0")
                    authenticated = (user, password) == self.login
                    say("235 welcome" if authenticated else "535 no")
                elif verb == "RCPT":
                    to.append(line.split("<")[1].split(">")[0])
                    say("250 fine")
                elif verb == "DATA":
                    say("354 go on")
                    self._take(stream, say, authenticated, to)
                elif verb == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 fine")

    def _take(self, stream, say, authenticated, to):
        content = b""
        while (line := stream.readline()) != b".\r\n":
            content += line[1:] if line.startswith(b".") else line
        with self.condition:
            if self.refusing > 0 or not authenticated:
                self.refusing -= 1
                say("451 later")
                return
            self.letters.append((to, content, email.message_from_bytes(content)))
            self.condition.notify_all()
        say("250 kept")

    def wait(self, count=1):
        """The last of so many letters: (recipients, bytes, message)."""
        with self.condition:
            if not self.condition.wait_for(lambda: len(self.letters) >= count, SECONDS):
                raise AssertionError(f"{count} letters did not come: {len(self.letters)}")
            return self.letters[count - 1]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.listener.close()
