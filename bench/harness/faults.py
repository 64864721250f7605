"""What a Redis can do to those who ask it. Each returns the moment from which Redis could be asked again."""
import time

from .children import Failure, free_port
from .redis import Redis, Relay
from .sentinel import Watched


class Stage:
    """A Redis behind a relay."""

    scenario = "faults"

    def __init__(self, core, arguments=()):
        self.redis = Redis(core, arguments)
        self.relay = Relay(self.redis.port)
        self.port = self.relay.port

    def stray_calls(self):
        """How often a server was asked that is the master no more."""
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.relay.close()
        self.redis.stop()


class WatchedStage:
    """A master with a replica, behind a sentinel."""

    scenario = "faults-sentinel"

    def __init__(self, core):
        self.watched = Watched(core)
        self.port = self.watched.port
        # Whether the former master lives.
        self.is_replaced = False

    def stray_calls(self):
        """How often the former master was asked."""
        return self.watched.master.calls("evalsha", "eval") if self.is_replaced else 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watched.__exit__()


def none(_stage, seconds):
    """Nothing happens."""
    time.sleep(seconds)
    return time.monotonic()


def slow(stage, seconds):
    """Every answer takes four deadlines."""
    stage.relay.delay = 0.1
    time.sleep(seconds)
    stage.relay.delay = 0.0
    return time.monotonic()


def refused(stage, seconds):
    """Connections break and are refused."""
    stage.relay.close()
    time.sleep(seconds)
    stage.relay.open()
    return time.monotonic()


def swallowed(stage, seconds):
    """The network takes everything and delivers nothing."""
    stage.relay.swallow()
    time.sleep(seconds)
    stage.relay.flow()
    return time.monotonic()


def frozen(stage, seconds):
    """The server stands still (SIGSTOP)."""
    stage.redis.freeze()
    time.sleep(seconds)
    stage.redis.thaw()
    return time.monotonic()


def full(stage, seconds):
    """No memory is left, and nothing may be evicted."""
    stage.redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    stage.redis.ask("CONFIG", "SET", "maxmemory", "1")
    time.sleep(seconds)
    stage.redis.ask("CONFIG", "SET", "maxmemory", "0")
    return time.monotonic()


def demoted(stage, seconds):
    """It becomes a replica, which refuses writes."""
    stage.redis.ask("REPLICAOF", "127.0.0.1", str(free_port()))
    time.sleep(seconds)
    stage.redis.ask("REPLICAOF", "NO", "ONE")
    return time.monotonic()


def loading(stage, seconds):
    """It reads its data again, and refuses everything meanwhile."""
    stage.redis.ask("DEBUG", "POPULATE", str(int(seconds * 1000)), "pad", "1024", timeout=60)
    stage.redis.ask("CONFIG", "SET", "key-load-delay", "1000")
    began = time.monotonic()
    with stage.redis.begin("DEBUG", "RELOAD") as connection:
        connection.settimeout(60)
        if not connection.recv(64).startswith(b"+OK"):
            raise Failure("DEBUG RELOAD did not work")
    ended = time.monotonic()
    stage.redis.ask("CONFIG", "SET", "key-load-delay", "0")
    if ended - began < seconds / 2:
        raise Failure("redis-server had its data again at once")
    return ended


def flapping(stage, seconds):
    """It comes and goes, three times a second."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stage.relay.close()
        time.sleep(0.15)
        stage.relay.open()
        time.sleep(0.15)
    return time.monotonic()


def restarted(stage, seconds):
    """It dies and comes back without what it knew."""
    stage.redis.kill()
    time.sleep(seconds)
    stage.redis.start()
    return time.monotonic()


def killed(stage, _seconds):
    """The master dies, and a sentinel makes its replica the master."""
    stage.watched.master.kill()
    stage.watched.await_promotion()
    return time.monotonic()


def replaced(stage, _seconds):
    """A sentinel makes the replica the master, and the master a replica."""
    stage.is_replaced = True
    stage.watched.promote()
    stage.watched.await_promotion()
    return time.monotonic()


FAULTS = {
    "none": none, "slow": slow, "refused": refused, "black hole": swallowed, "frozen": frozen, "out of memory": full,
    "read-only replica": demoted, "loading": loading, "flapping": flapping, "restarted empty": restarted,
    "master killed": killed, "master demoted": replaced,
}


def stage(fault, core):
    """The Redis that `fault` happens to."""
    if fault in ("master killed", "master demoted"):
        return WatchedStage(core)
    # While it loads it answers after each kilobyte.
    return Stage(core, ["--loading-process-events-interval-bytes", "1024"] if fault == "loading" else [])
