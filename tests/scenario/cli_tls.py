"""Two people over TLS: a certificate that is trusted, one that is not, and one that is exchanged."""
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer import MIB, Ground, Running, digest  # noqa: E402

SECONDS = 60


def make_certificate(folder, name):
    """cert.pem and key.pem, replaced as one would in production: both, then SIGHUP."""
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


class TlsServer(Server):
    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def wait_healthy(self):
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                return self.get("/health")
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"not healthy over TLS:\n{self.log()}")

    def get(self, path):
        context = ssl.create_default_context(cafile=os.path.join(self.folder, "cert.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()

    def handshake(self, context):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
                return tls.version(), tls.getpeercert(binary_form=True)


class World:
    def __init__(self):
        self.server = TlsServer()
        self.cert, key = make_certificate(self.server.folder, "first")
        self.server.arguments += ["--tls-cert", self.cert, "--tls-key", key]

    def __enter__(self):
        self.server.__enter__()
        self.machine = Machine(self.server)
        return self

    def __exit__(self, *what):
        self.machine.remove()
        self.server.__exit__(*what)

    def owner(self, name):
        person = self.machine.person(name)
        trusting = ["--ca-file", self.cert]
        plain = person.options
        person.options = lambda: [*plain(), *trusting]
        return person.register()


def unverified(most=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():  # old versions are deprecated: that is what is tried
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        if most:
            context.maximum_version = most
    return context


@tap.case
def answers_say_that_tls_is_to_stay(w):
    answer = w.server.get("/health")
    tap.equal(answer.status, 200, "health")
    tap.check("max-age=" in answer.headers.get("strict-transport-security", ""), "HSTS")


@tap.case
def tls_is_1_3_and_1_2_at_the_least(w):
    tap.equal(w.server.handshake(unverified())[0], "TLSv1.3", "the best of both")
    tap.equal(w.server.handshake(unverified(most=ssl.TLSVersion.TLSv1_2))[0], "TLSv1.2", "the least")
    old = unverified(most=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    try:
        tap.fail(f"spoke {w.server.handshake(old)[0]}")
    except OSError:
        pass


@tap.case
def two_people_talk_and_send_a_file(w):
    alice, bob = w.owner("alice"), w.owner("bob")
    alice.must("send", "bob", "over TLS")
    tap.check("over TLS" in bob.must("inbox").out, "the message")
    path = os.path.join(w.machine.work, "plan.bin")
    with open(path, "wb") as out:
        out.write(os.urandom(3_000_000))
    alice.must("file", "send", "bob", path)
    file_id = bob.json("inbox").of("message")[0]["file"]["id"]
    bob.must("file", "get", file_id, "-o", "got.bin")
    with open(path, "rb") as sent, open(os.path.join(w.machine.work, "got.bin"), "rb") as got:
        tap.check(sent.read() == got.read(), "the file is the same")


@tap.case
def a_transfer_without_accounts(w):
    path, out = os.path.join(w.machine.work, "both.bin"), os.path.join(w.machine.folder, "out")
    os.mkdir(out)
    with open(path, "wb") as made:
        made.write(os.urandom(5_000_000))
    options = ["--json", "--server", w.server.url, "--ca-file", w.cert]
    sender = w.machine.start(*options, "send-file", "--relay-only", path, stdout=subprocess.PIPE)
    code = json.loads(sender.stdout.readline())["code"]
    got = w.machine.run(*options, "receive", code, "--relay-only", "--yes", "--out", out)
    tap.equal(got.code, 0, f"{got!r}")
    sender.communicate(timeout=120)
    tap.equal(sender.returncode, 0, "the sender's end")
    with open(path, "rb") as sent, open(os.path.join(out, "both.bin"), "rb") as here:
        tap.check(sent.read() == here.read(), "the file is the same")
    got = w.machine.run("--json", "--server", w.server.url, "receive", "7-amber-falcon", "--yes")
    tap.check(got.code == 1 and "NETWORK" in got.err, f"a certificate that is not trusted: {got!r}")


@tap.case
def live_over_tls(w):
    with contextlib.ExitStack() as stack:
        dora, emil = w.owner("dora"), w.owner("emil")
        process = emil.start("--json", "listen", stdout=subprocess.PIPE)
        stack.callback(process.kill)
        stack.callback(process.stdout.close)
        patience = threading.Timer(60, process.kill)
        patience.start()
        stack.callback(patience.cancel)
        for line in process.stdout:
            if json.loads(line)["type"] == "online":
                break
        tap.check(json.loads(line)["live"], "live")
        dora.must("send", "emil", "x" * 60000)
        for line in process.stdout:
            if json.loads(line)["type"] == "message":
                break
        tap.equal(json.loads(line)["text"], "x" * 60000, "a message of several TLS records")
        process.send_signal(signal.SIGINT)
        tap.equal(process.wait(SECONDS), 0, "its end")


@tap.case
def a_certificate_of_nobody_is_refused(w):
    person = w.machine.person("carol")
    got = person.run("--json", "register", "carol", "--email", "carol@example.org", text="")
    tap.equal(got.code, 1, "exit")
    tap.check("certificate" in (got.err + got.out).lower(), f"says why: {got!r}")


@tap.case
def a_transfer_goes_by_the_relay_over_tls(w):
    ground = Ground(w.machine, w.machine)
    path, out = ground.make("sealed.bin", os.urandom(24 * MIB + 5)), ground.out()
    common = ["--ca-file", w.cert, "--server", w.server.url]
    sender = Running(w.machine, *common, "send-file", "--relay-only", path)
    Running(w.machine, *common, "receive", "--relay-only", sender.code, "--yes", "--out", out).finish()
    sender.finish()
    tap.equal(digest(os.path.join(out, "sealed.bin")), digest(path), "content")


@tap.case
def plain_http_to_the_tls_port_gets_nothing(w):
    connection = http.client.HTTPConnection("127.0.0.1", w.server.port, timeout=5)
    try:
        connection.request("GET", "/health")
        tap.fail(f"answered {connection.getresponse().status}")
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    tap.equal(w.server.get("/health").status, 200, "others are served")


@tap.case
def a_new_certificate_is_taken_without_a_restart(w):
    before = w.server.handshake(unverified())[1]
    make_certificate(w.server.folder, "second")
    w.server.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + SECONDS
    while w.server.handshake(unverified())[1] == before and time.monotonic() < until:
        time.sleep(0.02)
    tap.check(w.server.handshake(unverified())[1] != before, "the new one is shown")
    with open(w.cert, "w", encoding="ascii") as out:
        out.write("no certificate")
    after = w.server.handshake(unverified())[1]
    w.server.process.send_signal(signal.SIGHUP)
    while "stay as they were" not in w.server.log() and time.monotonic() < until:
        time.sleep(0.02)
    tap.check("stay as they were" in w.server.log(), "the log says that it was no good")
    tap.equal(w.server.handshake(unverified())[1], after, "the good one stays")


if __name__ == "__main__":
    tap.main(World)
