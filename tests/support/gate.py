"""A wire between a client and the server that can be narrow: lets so many bytes of clients through
(back: of the server) and then holds the rest, until it is opened; can be cut."""
import contextlib
import socket
import threading


class Gate:
    def __init__(self, port, record=False, back=False):
        self.port = port
        self.back = back
        self.budget = None  # None: everything
        self.passed = 0     # bytes of clients
        self.held = 0       # how often some of them had to wait
        self.kept = bytearray() if record else None
        self.condition = threading.Condition()
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _allow(self, wanted):
        """How many of so many bytes may pass now; waits while none may."""
        with self.condition:
            self.held += self.budget == 0
            while self.budget == 0:
                self.condition.wait()
            n = wanted if self.budget is None else min(wanted, self.budget)
            if self.budget is not None:
                self.budget -= n
            self.passed += n
            return n

    def _forth(self, near, far):
        with contextlib.suppress(OSError):
            while piece := near.recv(65536):
                while piece:
                    n = len(piece) if self.back else self._allow(len(piece))
                    if self.kept is not None:
                        self.kept += piece[:n]
                    far.sendall(piece[:n])
                    piece = piece[n:]
            far.shutdown(socket.SHUT_WR)

    def _serve(self, near):
        with near, contextlib.suppress(OSError), \
                socket.create_connection(("127.0.0.1", self.port)) as far:
            self.sockets += [near, far]
            threading.Thread(target=self._forth, args=(near, far), daemon=True).start()
            while piece := far.recv(65536):
                if self.kept is not None:
                    self.kept += piece
                while piece:
                    n = self._allow(len(piece)) if self.back else len(piece)
                    near.sendall(piece[:n])
                    piece = piece[n:]
            near.shutdown(socket.SHUT_WR)

    def hold_after(self, count):
        with self.condition:
            self.budget = count

    def open(self):
        with self.condition:
            self.budget = None
            self.condition.notify_all()

    def cut(self):
        """Every connection of now breaks."""
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.sockets = []

    def close(self):
        self.open()
        self.listener.close()
        self.cut()
