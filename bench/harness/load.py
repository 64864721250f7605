"""What sends requests: a raw client that looks at answers, and wrk, which does not."""
import os
import re
import socket
import subprocess

from .children import HERE, Failure

CONNECTIONS = 64
ANSWER_MAX = 2 << 20


class Answer:
    """One HTTP/1.1 answer: `status`, `fields` by lower-case name, `body`."""

    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def field(self, name):
        """A field's value, empty when it is absent."""
        return self.fields.get(name.lower(), "")

    def __str__(self):
        lines = "".join(f"\n    {name}: {value}" for name, value in self.fields.items())
        return f"status {self.status}, {len(self.body)} bytes{lines}"


class RawClient:
    """One keep-alive connection. `get` sends one request and reads its whole answer."""

    def __init__(self, port, source="127.0.0.1", timeout=5.0):
        self.port = port
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        # The port is chosen when connecting, so that many connections fit on one address.
        self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def get(self, path):
        """The answer to GET `path`; framing by Content-Length or chunks, one answer at a time."""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        received = self._until(b"", lambda data: b"\r\n\r\n" in data)
        head, rest = received.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            name = name.lower()
            fields[name] = f"{fields[name]}, {value.strip()}" if name in fields else value.strip()
        return Answer(int(lines[0].split()[1]), fields, self._body(fields, rest))

    def _body(self, fields, rest):
        if "chunked" in fields.get("transfer-encoding", ""):
            return _unchunk(self._until(rest, lambda data: data.endswith(b"0\r\n\r\n")))
        length = int(fields.get("content-length", 0))
        body = self._until(rest, lambda data: len(data) >= length)
        if len(body) > length:
            raise Failure(f"{len(body) - length} bytes after the end of an answer")
        return body

    def _until(self, data, whole):
        while not whole(data):
            more = self.socket.recv(65536)
            if not more:
                raise Failure("the connection was closed within an answer")
            data += more
            if len(data) > ANSWER_MAX:
                raise Failure("an answer has no end")
        return data


def _unchunk(data):
    body = b""
    while True:
        size, data = data.split(b"\r\n", 1)
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return body
        body, data = body + data[:length], data[length + 2:]


def get(port, path):
    """One answer over a connection of its own."""
    with RawClient(port) as client:
        return client.get(path)


def can_connect(port):
    """Whether something listens. Before that a connection may come from the very port it goes to, and reach itself."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as made:
            return made.getsockname() != made.getpeername()
    except OSError:
        return False


class Load:
    """What one run of wrk counted."""

    def __init__(self, requests, refused, rps):
        self.requests, self.refused, self.rps = requests, refused, rps


def wrk(port, path, seconds, core, script=None, closes=False):
    """Runs wrk, one thread and `CONNECTIONS` connections, pinned to `core`; `script` draws targets. With `closes` each
    request has a connection of its own."""
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s",
               *(["-s", os.path.join(HERE, script)] if script else []),
               *(["-H", "Connection: close"] if closes else []), f"http://127.0.0.1:{port}{path}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 15)
    except subprocess.TimeoutExpired:
        raise Failure(f"wrk did not end within {seconds + 15} s") from None
    except OSError as error:
        raise Failure(f"cannot start wrk: {error}; `scripts/install-packages bench` installs it") from None
    text = done.stdout
    counted = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if done.returncode != 0 or not counted or not rate:
        raise Failure(f"wrk failed with status {done.returncode}:\n{text}{done.stderr}")
    errors = re.search(r"Socket errors: (.*)", text)
    if errors:
        raise Failure(f"wrk saw socket errors: {errors.group(1)}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Load(int(counted.group(1)), int(refused.group(1)) if refused else 0, float(rate.group(1)))
