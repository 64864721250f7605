"""Child processes: pinned to a core, never left behind, their CPU time and memory read from /proc."""
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(HERE)
WORK = os.path.join(HERE, ".work")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


class Failure(Exception):
    """What makes a run worthless; its text is for people."""


_given = set()


def free_port():
    """A loopback port the kernel says nobody has, another one each time."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def raise_descriptor_limit(wanted):
    """Makes `wanted` open files possible here and in children, or fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        raise Failure(f"{wanted} open files are needed and the limit is {hard}; raise it with "
                      f"`ulimit -Hn {wanted}` as root") from None


class Child:
    """A running program in its own process group, on one core or a set of them. Use as a context manager: it ends with
    the block."""

    def __init__(self, name, command, core, environment=None, log=None):
        cores = core if isinstance(core, set) else {core}
        self.name = name
        self.log = log or os.path.join(WORK, f"{name}.log")

        def prepare():
            os.sched_setaffinity(0, cores)
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

        with open(self.log, "wb") as log_file:
            try:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, cwd=WORK,
                    env={**os.environ, **(environment or {})}, start_new_session=True, preexec_fn=prepare)
            except OSError as error:
                raise Failure(f"cannot start {name}: {error}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def check(self):
        """Fails when the program has ended."""
        code = self.process.poll()
        if code is not None:
            raise Failure(f"{self.name} ended with status {code}; it said:\n{self.said()[-2000:]}")

    def said(self):
        """What it wrote to its outputs so far; another of its name begins anew."""
        with open(self.log, errors="replace") as file:
            return file.read()

    def stop(self):
        """Ends the whole group: asked at first, forced after five seconds."""
        group = self.process.pid
        _signal_group(group, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            print(f"bench: {self.name} did not leave within 5 s of SIGTERM", file=sys.stderr)
        _signal_group(group, signal.SIGKILL)
        self.process.wait()

    def pids(self):
        """The program and its descendants."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as file:
                        waiting += map(int, file.read().split())
            except OSError:
                continue
        return found

    def cpu(self):
        """(user, system) seconds of all its processes so far.

        The sum is the scheduler's own, in nanoseconds, where the kernel keeps it; its division into
        user and system comes from clock ticks.
        """
        user = system = exact = 0.0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                user += int(fields[11]) / TICKS_PER_SECOND
                system += int(fields[12]) / TICKS_PER_SECOND
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                        exact += int(file.read().split()[0]) / 1e9
            except OSError:
                continue
        return user, system, exact

    def resident_bytes(self):
        """Resident memory of all its processes; pages that are shared count in each."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/statm") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return total


    def peak_bytes(self):
        """The most resident memory that each of its processes has had, added up."""
        return sum(1024 * value for pid in self.pids() for value in _status(f"/proc/{pid}/status", "VmHWM"))

    def voluntary_switches(self):
        """How often its threads have gone to sleep so far."""
        return sum(value for pid in self.pids() for task in os.listdir(f"/proc/{pid}/task")
                   for value in _status(f"/proc/{pid}/task/{task}/status", "voluntary_ctxt_switches"))


def _status(path, name):
    """The number after `name` in a file of /proc, as a list; empty when the process has ended."""
    try:
        with open(path) as file:
            return [int(line.split()[1]) for line in file if line.startswith(name + ":")]
    except OSError:
        return []


def _signal_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def cpu_between(before, after):
    """(user, system) seconds between two readings of `Child.cpu`."""
    user, system, exact = (b - a for a, b in zip(before, after))
    ticks = user + system
    total = exact if exact > 0 else ticks
    share = user / ticks if ticks > 0 else 0.0
    return total * share, total * (1 - share)


def wait_until(ready, child, seconds, what):
    """Calls `ready` until it is true; fails when the child ends or the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        child.check()
        if ready():
            return
        time.sleep(0.02)
    raise Failure(f"{child.name}: {what} did not happen within {seconds} s; see {child.log}")


def leave_on_signals():
    """Turns SIGTERM and SIGHUP into an exit that runs every `finally`."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
