"""Counts per request, each from a short run of its own: allocations and system calls."""
import mmap
import os
import re
import shutil
import struct
import subprocess
import time

from .children import Failure, WORK
from .load import RawClient
from .proxies import PROXY_CORE, Weir

CLIENTS, WARM, COUNTED = 8, 500, 1000
# Requests of two runs under callgrind, whose difference is counted.
SHORT, LONG = 1000, 3000


class _Clients:
    """Some keep-alive connections used in turn, so that nothing per connection is counted."""

    def __init__(self, port, scenario):
        self.scenario = scenario
        self.sent = 0
        self.clients = [RawClient(port) for _ in range(CLIENTS)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.socket.close()

    def send(self, each):
        """Sends `each` requests on every connection; returns how many that were."""
        for _ in range(each):
            for client in self.clients:
                client.get(self.scenario.target(self.sent))
                self.sent += 1
        return each * CLIENTS


def mallocs_per_request(proxy, scenario, behind):
    """Allocations of a warm proxy per request."""
    path = os.path.join(WORK, "mallocs.count")
    with open(path, "w+b") as file:
        file.write(bytes(8))
        file.flush()
        with mmap.mmap(file.fileno(), 8) as page:
            preload = {"LD_PRELOAD": os.path.join(WORK, "mallocs.so"), "WEIR_BENCH_MALLOCS": path}
            with proxy.start(scenario.name, behind, preload) as child:
                if struct.unpack("Q", page)[0] == 0:
                    raise Failure(f"{proxy.name}: no allocation was counted; is it linked statically?")
                scenario.prepare(child.port)
                with _Clients(child.port, scenario) as clients:
                    clients.send(WARM)
                    before = struct.unpack("Q", page)[0]
                    requests = clients.send(COUNTED)
                    return (struct.unpack("Q", page)[0] - before) / requests


def instructions_per_request(command, scenario, behind):
    """Instructions of Weir in user space for one request, one at a time on one connection; from two runs under
    callgrind that differ only in how many there are."""
    def run(requests):
        with UnderCallgrind(command).start(scenario.name, behind) as child:
            scenario.prepare(child.port)
            with RawClient(child.port) as client:
                for number in range(requests):
                    client.get(scenario.target(number))
        return child.said()

    return instructions_between(run(SHORT), run(LONG)) / (LONG - SHORT)


class UnderCallgrind(Weir):
    """Weir with its instructions counted, some twenty times slower. Swift's dictionaries are told to hash alike in every
    run, so that reading a long configuration takes the same work."""

    def __init__(self, command):
        super().__init__(f"valgrind --tool=callgrind --callgrind-out-file=/dev/null {command}")

    def start_with(self, config, behind, environment=None, cores=PROXY_CORE):
        return super().start_with(config, behind, {**(environment or {}), "SWIFT_DETERMINISTIC_HASHING": "1"}, cores)


def instructions_between(first, second):
    """Instructions that the second of two programs took more, by what callgrind said at their ends."""
    counts = []
    for said in (first, second):
        found = re.search(r"Collected : (\d+)", said)
        if not found:
            raise Failure(f"callgrind said no count of instructions:\n{said[-2000:]}")
        counts.append(int(found.group(1)))
    return counts[1] - counts[0]


def system_calls_per_request(proxy, scenario, behind):
    """(calls of a warm proxy per request, the most frequent ones); None without strace or the right to it.

    The clients wait for each answer, so a call that serves many requests at once under load
    (epoll_wait) counts in full here: an upper bound.
    """
    if shutil.which("strace") is None:
        return None
    table = os.path.join(WORK, "strace.table")
    with proxy.start(scenario.name, behind) as child:
        scenario.prepare(child.port)
        with _Clients(child.port, scenario) as clients:
            clients.send(WARM)
            attach = [argument for pid in child.pids() for argument in ("-p", str(pid))]
            tracer = subprocess.Popen(["strace", "-f", "-c", "-o", table, *attach],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                for _ in child.pids():
                    if "attached" not in (tracer.stderr.readline() or ""):
                        return None
                time.sleep(0.2)
                requests = clients.send(COUNTED // 5)
            finally:
                if tracer.poll() is None:
                    tracer.send_signal(2)
                tracer.wait(10)
                tracer.stderr.close()
    with open(table) as file:
        rows = re.findall(r"(?m)^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)(?:\s+\d+)?\s+(\w+)$", file.read())
    calls = {name: int(number) for number, name in rows if name != "total"}
    often = {name: round(number / requests, 2) for name, number in calls.items() if number / requests >= 0.05}
    return round(sum(calls.values()) / requests, 2), often
