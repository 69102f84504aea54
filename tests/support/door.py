"""Stands between a client and the server: keeps what passes, loses answers or holds files when told to."""
import contextlib
import socket
import threading


class Door:
    def __init__(self, server, record=None):
        self.server = server
        self.losing = False  # answers to posted messages
        self.lost = 0
        self.files = threading.Event()  # while it is not set, requests about files wait here
        self.files.set()
        self.record = open(record, "wb") if record else None
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _keep(self, piece):
        if self.record:
            with self.lock:
                self.record.write(piece)

    def _serve(self, near):
        posted = threading.Event()
        with near, contextlib.suppress(OSError), \
                socket.create_connection(("127.0.0.1", self.server.port)) as far:
            threading.Thread(target=self._forth, args=(near, far, posted), daemon=True).start()
            while piece := far.recv(65536):
                self._keep(piece)
                if self.losing and posted.is_set():
                    self.lost += 1
                    near.shutdown(socket.SHUT_RDWR)
                    return
                near.sendall(piece)

    def _forth(self, near, far, posted):
        with contextlib.suppress(OSError):
            while piece := near.recv(65536):
                self._keep(piece)
                if piece.startswith(b"POST") and b"/messages" in piece.split(b"\r\n", 1)[0]:
                    posted.set()
                if b"/api/files" in piece.split(b"\r\n", 1)[0]:
                    self.files.wait()
                far.sendall(piece)
            far.shutdown(socket.SHUT_WR)

    def close(self):
        self.files.set()
        self.listener.close()
        if self.record:
            with self.lock:
                self.record.close()
                self.record = None
