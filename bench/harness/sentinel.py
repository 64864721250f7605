"""A Redis with a replica, and a sentinel that makes the replica the master when it has to."""
import os
import time

from .children import Child, Failure, wait_until
from .redis import Redis


class Watched:
    """Master, replica and sentinel. `port` is the sentinel's."""

    def __init__(self, core):
        self.master = Redis(core)
        self.replica = self.sentinel = None
        try:
            self.replica = Redis(core, ["--replicaof", "127.0.0.1", str(self.master.port), "--repl-diskless-sync-delay", "0"])
            self.sentinel = Sentinel(core, self.master.port)
            wait_until(self._is_ready, self.sentinel.child, 30, "finding the replica")
        except BaseException:
            self.__exit__()
            raise
        self.port = self.sentinel.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in (self.sentinel, self.replica, self.master):
            if one:
                one.stop()

    def promote(self):
        """Tells the sentinel to make the replica the master, and the master a replica."""
        self.sentinel.ask("SENTINEL", "FAILOVER", "main")

    def await_promotion(self):
        """Returns once the replica is the master, and the sentinel says so."""
        deadline = time.monotonic() + 30
        while self.replica.role() != "master" or self.sentinel.port_of_master() != self.replica.port:
            if time.monotonic() > deadline:
                raise Failure("the sentinel has not made the replica the master within 30 s")
            time.sleep(0.005)

    def _is_ready(self):
        return self.replica.is_in_step() and self.sentinel.count_of_replicas() == 1


class Sentinel(Redis):
    """One sentinel, which calls the master dead when it has been silent for half a second."""

    def __init__(self, core, master):
        self.master = master
        super().__init__(core)

    def start(self):
        path = os.path.join(self.folder, "sentinel.conf")
        with open(path, "w") as file:
            file.write(f"port {self.port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {self.master} 1\n"
                       "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 10000\n")
        self.child = Child("sentinel", ["redis-server", path, "--sentinel"], self.core)
        wait_until(self._answers, self.child, 10, "an answer to PING")

    def port_of_master(self):
        """The port of the master, as it tells clients."""
        return int(self.elements("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1])

    def count_of_replicas(self):
        """How many replicas of the master it knows."""
        return int(self.ask("SENTINEL", "REPLICAS", "main")[1:])
