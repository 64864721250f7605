"""Strict limits: the script of shared limits in a redis-server of its own, and Weir in front of one."""
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from .children import WORK, Failure

BATCHES = (1, 4, 16, 64)
DECISIONS = 48000
PIPELINED = 16
# kind, quota, step, span, keep: what SharedLimitRate makes of 1000/s (burst 1000), and of large quotas per minute.
RATES = {
    "token_bucket": (1, 1000, 1000, 1000000, 0),
    "sliding_window": (2, 1000000, 1000000, 61, 0),
    "sliding_log": (3, 1000, 60000000, 0, 60000000),
    "fixed_window": (4, 1000000000, 60000000, 0, 0),
}
CONFIGURATION = """
listen: 127.0.0.1:{port}
upstream: http://127.0.0.1:{origin}
workers: 1
redis: "{redis}"
log: {{sample: 0%}}
limits: {{a: {{rate: 1000000/second, per: ip, algorithm: {algorithm}}}}}
"""


def measure_script(text):
    """CPU of redis-server for one decision of one limit, by decisions in one call."""
    print("| algorithm | keys | " + " | ".join(f"{batch} in a call" for batch in BATCHES) + " |")
    print("| --- | --- |" + " --- |" * len(BATCHES))
    with Redis() as redis:
        digest = redis.ask(b"SCRIPT", b"LOAD", text.encode())
        for algorithm, rate in RATES.items():
            for is_hot in (False, True):
                cells = [_calls(redis, digest, rate, batch, is_hot) for batch in BATCHES]
                print(f"| `{algorithm}` | {'one' if is_hot else '10,000'} | " + " | ".join(cells) + " |", flush=True)
    print()


def _calls(redis, digest, rate, batch, is_hot):
    commands = []
    for call in range(DECISIONS // batch):
        numbers = [1, *rate]
        for place in range(batch):
            numbers += [1, 0, 1 if is_hot else place + 1, 0, 1]
        keys = [b"weir:l:{user=%d}:analytics:bucket:endpoint=GET /api/reports/**" % ((call * batch + place) % 10000)
                for place in range(1 if is_hot else batch)]
        commands.append(_command(b"EVALSHA", digest, b"%d" % len(keys), *keys, _packed(numbers)))
    redis.ask(b"FLUSHALL")
    before, start = redis.cpu(), time.monotonic()
    for first in range(0, len(commands), PIPELINED):
        redis.exchange(commands[first:first + PIPELINED])
    used, wall = redis.cpu() - before, time.monotonic() - start
    return f"{used * 1e6 / DECISIONS:.1f} µs, {DECISIONS / wall / 1000:.0f}k/s"


def measure_weir(weir):
    """Weir with one worker under a strict limit, beside the same limit in the process."""
    print("| consistency | connections | requests/s | decisions in a call | CPU of Weir | CPU of redis-server |")
    print("| --- | --- | --- | --- | --- | --- |")
    origin_port, port = _free_port(), _free_port()
    origin = subprocess.Popen([os.path.join(WORK, "origin"), str(origin_port)], stdout=subprocess.DEVNULL)
    try:
        for consistency in ("process", "strict"):
            for connections in (1, 4, 16, 64, 256):
                print(_load(weir, port, origin_port, consistency, connections), flush=True)
    finally:
        origin.terminate()
        origin.wait()


def _load(weir, port, origin, consistency, connections):
    with Redis() as redis, tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        url = f"unix://{redis.path}" if consistency == "strict" else ""
        file.write(CONFIGURATION.format(port=port, origin=origin, redis=url, algorithm="token_bucket"))
        file.flush()
        child = subprocess.Popen([*weir.split(), file.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(f"http://127.0.0.1:{port}/")
            load = ["wrk", "-t1", f"-c{connections}", "-d3s", f"http://127.0.0.1:{port}/1k"]
            calls = redis.calls()
            own, theirs = _cpu(child.pid), redis.cpu()
            out = subprocess.run(load, check=True, capture_output=True, text=True).stdout
            own, theirs = _cpu(child.pid) - own, redis.cpu() - theirs
            calls = redis.calls() - calls
            requests = int(next(line for line in out.splitlines() if " requests in " in line).split()[0])
            batch = f"{requests / calls:.1f}" if calls else "–"
            return (f"| `{consistency}` | {connections} | {requests / 3:,.0f} | {batch} | "
                    f"{own * 1e6 / requests:.1f} µs | {theirs * 1e6 / requests:.2f} µs |")
        finally:
            child.terminate()
            child.wait()


class Redis:
    """A redis-server on a socket of its own."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, "redis.sock")
        self.child = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not os.path.exists(self.path):
            if time.monotonic() > end:
                raise Failure("redis-server did not start")
            time.sleep(0.02)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)
        self.replies = self.socket.makefile("rb")
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.child.terminate()
        self.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *words):
        return self.exchange([_command(*words)])[0]

    def exchange(self, commands):
        self.socket.sendall(b"".join(commands))
        return [self._reply() for _ in commands]

    def cpu(self):
        return _cpu(self.child.pid)

    def calls(self):
        """Calls of the script so far."""
        lines = self.ask(b"INFO", b"commandstats").decode().splitlines()
        found = (line for line in lines if line.startswith(("cmdstat_evalsha:", "cmdstat_eval:")))
        return sum(int(line.split("calls=")[1].split(",")[0]) for line in found)

    def _reply(self):
        line = self.replies.readline()
        if line[:1] == b"-":
            raise Failure(f"Redis says {line.decode().strip()}")
        if line[:1] == b"$":
            return self.replies.read(int(line[1:]) + 2)[:-2]
        return line


def _command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def _packed(numbers):
    """A MessagePack array of integers."""
    parts = [b"\xdd" + struct.pack(">I", len(numbers))]
    for number in numbers:
        if number < 0x80:
            parts.append(bytes([number]))
        elif number < 0x10000:
            parts.append(b"\xcd" + struct.pack(">H", number))
        else:
            parts.append(b"\xd3" + struct.pack(">q", number))
    return b"".join(parts)


def _cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _await(url):
    end = time.monotonic() + 10
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > end:
                raise Failure(f"{url} does not answer") from None
            time.sleep(0.05)
