"""An origin whose answers have versions: each is longer than the ones before it."""
import socket
import threading
import time

WORK = 0.02
LENGTH = 1000


class VersionedOrigin:
    """Answers after `WORK` seconds; under /purged/ to be kept for an hour, else for `lifetime` seconds."""

    def __init__(self, lifetime):
        self.lifetime = lifetime
        self.length = LENGTH
        # When each target was asked for.
        self.fetches = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def advance(self):
        """Answers are longer by a byte from now on; returns how long."""
        self.length += 1
        return self.length

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                more = connection.recv(65536)
                if not more:
                    return
                received += more
            head, received = received.split(b"\r\n\r\n", 1)
            path = head.split()[1].decode()
            self.fetches.setdefault(path, []).append(time.monotonic())
            length = self.length
            time.sleep(WORK)
            lifetime = 3600 if path.startswith("/purged/") else self.lifetime
            connection.sendall(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=%d\r\nContent-Length: %d\r\n\r\n"
                               % (lifetime, length) + b"x" * length)
