"""Anna, who leaves something with a server, Ben, who has the link, and what may stand between them and it."""
import contextlib
import glob
import http.client
import http.server
import os
import threading

from support import tap
from support.cli import Machine
from support.server import Server
from support.transfer import MIB, Ground

SEGMENT = 8 * MIB


class World:
    def __init__(self, server, anna, ben):
        self.server, self.anna, self.ben = server, anna, ben
        self.ground = Ground(anna, ben)

    def file(self, name, content):
        self.ground.make(name, content)
        return name

    def store(self, *words, server=None, **more):
        got = self.anna.run("--server", server or self.server.url, "--json", "send-file", "--store", *words,
                            **more)
        tap.equal(got.code, 0, f"stored: {got!r}")
        return got.of("stored")[0]

    def folder(self):
        return self.ground.out()

    def receive(self, link, folder, *words):
        return self.ben.run("--json", "receive", link, "--yes", "--out", folder, *words)

    def stored(self, ident):
        return next(o for o in self.anna.run("--json", "send-file", "--stored").of("stored_parcel")
                    if o["id"] == ident)

    def blob(self, ident):
        return glob.glob(os.path.join(self.server.data, "blobs", ident[:2], ident))[0]


@contextlib.contextmanager
def world():
    with Server(PARCEL_RATE=0) as server, Machine(server) as anna, Machine(server) as ben:
        yield World(server, anna, ben)


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


class Between(http.server.BaseHTTPRequestHandler):
    """Stands between a client and the server; change(request, ask) gives the answer."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_one(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body, headers = self.server.change(self, self.ask)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = handle_one

    def ask(self):
        skipped = ("connection", "expect", "content-length", "accept-encoding")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in skipped}
        far = http.client.HTTPConnection("127.0.0.1", self.server.far, timeout=30)
        far.request(self.command, self.path, self.body, headers)
        got = far.getresponse()
        body = got.read()
        far.close()
        return got.status, body, {k: v for k, v in got.getheaders() if k.lower() in ("content-type", "upload-offset")}


@contextlib.contextmanager
def between(w, change):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        server.daemon_threads, server.far, server.change = True, w.server.port, change
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
