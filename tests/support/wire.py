"""Stands between a browser and the server, and keeps every byte that the browser sends, by connection;
what was in WebSocket frames is unmasked (RFC 6455 5.3)."""
import contextlib
import socket
import struct
import threading


class Wire:
    def __init__(self, server):
        self.server = server
        self.kept = []  # a bytearray for each connection
        self.open = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        mine = bytearray()
        with self.lock:
            self.kept.append(mine)
        with near, contextlib.suppress(OSError), \
                socket.create_connection(("127.0.0.1", self.server.port)) as far:
            with self.lock:
                self.open |= {near, far}
            threading.Thread(target=self._forth, args=(near, far, mine), daemon=True).start()
            while piece := far.recv(65536):
                near.sendall(piece)
            near.shutdown(socket.SHUT_WR)

    def _forth(self, near, far, mine):
        with contextlib.suppress(OSError):
            while piece := near.recv(65536):
                mine += piece
                far.sendall(piece)
            far.shutdown(socket.SHUT_WR)

    def cut(self):
        """Ends every connection there is; new ones may come."""
        with self.lock:
            for end in self.open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self.open.clear()

    def sent(self):
        """All that browsers sent, one text of bytes for each connection, and what their frames held."""
        with self.lock:
            copies = [bytes(mine) for mine in self.kept]
        return copies + [frames(copy) for copy in copies if b"\r\nupgrade: websocket\r\n" in copy.lower()]

    def close(self):
        self.listener.close()
        self.cut()


def frames(data):
    """The payloads of the frames behind the head of the upgrade, one after the other."""
    at, out = data.index(b"\r\n\r\n", data.lower().index(b"\r\nupgrade: websocket\r\n")) + 4, b""
    while at + 6 <= len(data):
        length, at = data[at + 1] & 127, at + 2
        if length == 126:
            length, at = struct.unpack_from(">H", data, at)[0], at + 2
        elif length == 127:
            length, at = struct.unpack_from(">Q", data, at)[0], at + 8
        mask, at = data[at:at + 4], at + 4
        piece = data[at:at + length]
        out += bytes(byte ^ mask[i % 4] for i, byte in enumerate(piece)) + b"\n"
        at += length
    return out
