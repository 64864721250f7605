"""A Redis that can be taken away: a `redis-server`, and a relay in front of it that can fail in more ways."""
import os
import shutil
import signal
import socket
import tempfile
import threading
import time

from .children import Child, Failure, free_port, wait_until


class Redis:
    """A `redis-server` without persistence that keeps its port over restarts. Use as a context manager."""

    def __init__(self, core, arguments=()):
        self.port = free_port()
        self.core = core
        # What it may write there of its own accord (DEBUG RELOAD, replication) no other one reads.
        self.folder = tempfile.mkdtemp(prefix="weir-redis-")
        self.arguments = ["--dir", self.folder, *arguments]
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends it for good."""
        self.child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """Starts it, empty, and waits until it answers."""
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                   "--appendonly", "no", "--enable-debug-command", "yes"]
        self.child = Child("redis", command + self.arguments, self.core)
        wait_until(self._answers, self.child, 10, "an answer to PING")

    def kill(self):
        """Ends it at once, and all it knows with it."""
        os.kill(self.child.process.pid, signal.SIGKILL)
        self.child.process.wait()

    def freeze(self):
        """Stops it in the middle of whatever it does."""
        os.kill(self.child.process.pid, signal.SIGSTOP)

    def thaw(self):
        """Lets it go on."""
        os.kill(self.child.process.pid, signal.SIGCONT)

    def ask(self, *words, timeout=10):
        """The first line of the answer to a command; fails on an error."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            self._send(connection, words)
            with connection.makefile("rb") as answer:
                line = answer.readline().decode().strip()
        if line.startswith("-"):
            raise Failure(f"redis-server answered {' '.join(words)} with {line[1:]}")
        return line

    def read(self, *words):
        """The text that answers a command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            self._send(connection, words)
            with connection.makefile("rb") as answer:
                line = answer.readline().decode().strip()
                if not line.startswith("$"):
                    raise Failure(f"redis-server answered {' '.join(words)} with {line}")
                return answer.read(int(line[1:])).decode()

    def elements(self, *words):
        """The texts that answer a command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            self._send(connection, words)
            with connection.makefile("rb") as answer:
                count = int(answer.readline()[1:])
                return [answer.readline() and answer.readline().decode().strip() for _ in range(count)]

    def fields(self, section):
        """A section of INFO."""
        lines = self.read("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def role(self):
        """`master` or `slave`."""
        return self.fields("replication")["role"]

    def is_in_step(self):
        """Whether it is a replica that has all of its master's data."""
        return self.fields("replication").get("master_link_status") == "up"

    def calls(self, *commands):
        """How often these commands were called."""
        stats = self.fields("commandstats")
        return sum(int(stats.get(f"cmdstat_{name}", "calls=0").split(",")[0].split("=")[1]) for name in commands)

    def begin(self, *words):
        """Sends a command whose answer nobody waits for; the connection is the caller's."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        self._send(connection, words)
        return connection

    @staticmethod
    def _send(connection, words):
        parts = [f"*{len(words)}\r\n"] + [f"${len(word)}\r\n{word}\r\n" for word in words]
        connection.sendall("".join(parts).encode())

    def _answers(self):
        try:
            return self.ask("PING", timeout=1) == "+PONG"
        except (OSError, Failure):
            return False


class Relay:
    """Passes connections on to a port, late or not at all when it is told to."""

    def __init__(self, target):
        self.target = target
        self.delay = 0.0
        self.flowing = threading.Event()
        self.flowing.set()
        self.port = free_port()
        self.pairs = set()
        self.listener = None
        self.open()

    def open(self):
        """Accepts connections."""
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """Refuses connections, and resets those there are."""
        listener, self.listener = self.listener, None
        if listener:
            # The thread that waits in accept holds the socket open: only this ends its wait.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for pair in list(self.pairs):
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def swallow(self):
        """Takes bytes and connections and passes nothing on."""
        self.flowing.clear()

    def flow(self):
        """Passes everything on again, what was swallowed first."""
        self.flowing.set()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near):
        self.flowing.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()
            return
        pair = (near, far)
        self.pairs.add(pair)
        for end in pair:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threads = [threading.Thread(target=self._pump, args=ends, daemon=True)
                   for ends in ((near, far), (far, near))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.pairs.discard(pair)
        near.close()
        far.close()

    def _pump(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                self.flowing.wait()
                if self.delay:
                    time.sleep(self.delay)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
