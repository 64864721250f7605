"""Load on a schedule: runs pacer and reads what it counted. Times are in microseconds, as it prints them."""
import json
import os
import subprocess
import time

from .children import WORK, Child, Failure
from .proxies import LOAD_CORE

# The share of the time that the generator may run or wait for its core; beyond it, it cannot be told from what it measures.
SATURATION_MAX = 0.97


class Pacer:
    """A running pacer, pinned to the load's core. Use as a context manager: it ends with the block."""

    def __init__(self, port, seconds, warm_up=0, targets=("/",), fields=(), name="pacer", **options):
        """`options` are those of the program, as `rate="0:500,10:5000"` or `think="1-3"`."""
        self.seconds = seconds + warm_up
        command = [os.path.join(WORK, "pacer"), str(port), "--seconds", str(seconds), "--warm-up", str(warm_up)]
        for option, values in [("target", targets), ("field", fields)] + [(option, [value])
                                                                          for option, value in options.items()]:
            for value in values:
                command += [f"--{option.replace('_', '-')}", str(value)]
        self.child = Child(name, command, LOAD_CORE)
        self.lines = open(self.child.log, "rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stop()
        self.lines.close()

    def next_slice(self):
        """The next slice, as soon as pacer has told it."""
        while not (line := self.lines.readline()).endswith(b"\n"):
            self.lines.seek(self.lines.tell() - len(line))
            if self.child.process.poll() is not None:
                self.child.check()
            time.sleep(0.002)
        return json.loads(line)

    def result(self):
        """(what came of the whole run, the slices) once it has ended."""
        try:
            status = self.child.process.wait(self.seconds + 60)
        except subprocess.TimeoutExpired:
            raise Failure(f"pacer did not end within {self.seconds + 60:.0f} s") from None
        with open(self.child.log, errors="replace") as file:
            said = file.read()
        if status != 0:
            raise Failure(f"pacer ended with status {status}; it said:\n{said[-2000:]}")
        *slices, whole = [json.loads(line) for line in said.splitlines()]
        return whole, slices


def pace(port, seconds, **options):
    """(the whole, the slices) of one run."""
    with Pacer(port, seconds, **options) as pacer:
        return pacer.result()


def errors(one):
    """The errors of a run by kind, in words; empty when there were none."""
    kinds = [f"{count} {kind}" for kind, count in one["errors"].items() if count and kind != "all"]
    status = f" (the first was {one['first_wrong_status']})" if one["first_wrong_status"] else ""
    return ", ".join(kinds) + status if kinds else ""


def lateness(one, bound):
    """A sentence when the generator sent a hundredth of the requests later than `bound`, or had no time left;
    empty otherwise."""
    late = one["late_us"]["p99"]
    if late > bound:
        return (f"the generator itself was late: 1 % of the requests left {late / 1000:.2f} ms or more after they were "
                f"due, {bound / 1000:g} ms are allowed; the machine is too busy for these numbers")
    if one["saturation"] > SATURATION_MAX:
        return (f"the generator ran, or waited for its core, for {one['saturation']:.1%} of the time: it is saturated, and "
                "latency may be its own; the machine is too busy for these numbers")
    return ""


class Trace:
    """A pacer that notes each of its requests, and goes on until it is told to leave."""

    LONGEST = 3600

    def __init__(self, port, name, **options):
        # By how many seconds it was late itself at most, once it has ended.
        self.late = None
        self.path = os.path.join(WORK, f"trace-{name}.txt")
        self.pacer = Pacer(port, self.LONGEST, name=f"pacer-{name}", trace=self.path, **options)

    def leave(self):
        """Tells it to leave once what it has asked is answered."""
        self.pacer.child.process.terminate()

    def finish(self):
        """All requests, (due, end, status, length) with seconds of the monotonic clock, and how many had no answer."""
        whole, _ = self.pacer.result()
        self.late = whole["late_us"]["max"] / 1e6
        with open(self.path) as file:
            lines = [line.split() for line in file]
        answered = [(int(due) / 1e9, int(end) / 1e9, int(status), int(length))
                    for due, end, status, length in lines if status != "0"]
        return answered, whole["errors"]["all"]

    def stop(self):
        """Ends it, whatever it does."""
        self.pacer.child.stop()
