"""The demo API behind Weir (weir/api.yaml) and its users: what the scenarios of bench/load share."""
import argparse
import contextlib
import re
import sys

from . import build, pages, report
from .children import Failure, leave_on_signals, raise_descriptor_limit
from .load import get
from .paced import errors, lateness
from .proxies import Demo, Weir

USERS = 10_000
# Four of five ask for reports, which are kept for their company; the rest go through to the API.
TARGETS = ("/api/analytics/executive-summary", "/api/analytics/workload", "/api/analytics/bottlenecks?days=7",
           "/api/analytics/bottlenecks?days=30", "/api/health")
REPORTS, COMPANIES = 4, 50
FIELDS = ("X-Forwarded-For: {address}", "X-User-ID: user-{user}", "X-Company-ID: company-{group}")
LOAD = {"connections": USERS, "targets": TARGETS, "fields": FIELDS, "groups": COMPANIES}
# The first reports are computed in this time; it is not measured.
WARM_UP = 10
# In microseconds: what is promised, and how late the generator may be for it to say anything.
PROMISE = {"mean": 20_000, "p95": 45_000, "p99": 80_000}
LATE_MAX = 5_000


def parser(text, seconds):
    """The options that all have; a run is recorded when it takes as long as by default."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--binary", metavar="PATH", help="a built weir, instead of building one")
    made.add_argument("--check", action="store_true", help="fail when a promise is broken")
    if seconds:
        made.add_argument("--seconds", type=int, default=seconds,
                          help=f"of measuring ({seconds}; other runs are not recorded)")
    return made


@contextlib.contextmanager
def running(chosen):
    """Weir before the demo API, as (Weir's child, the API's)."""
    leave_on_signals()
    chosen.circumstances = report.circumstances()
    report.warn_when_busy(chosen.circumstances)
    raise_descriptor_limit(USERS + 2_000)
    binary = build.weir_binary(chosen)
    build.tools()
    with Demo(binary) as demo, Weir(f"{binary} run").start("api", demo) as weir:
        answer = get(weir.port, "/api/health")
        if answer.status != 200 or b"ok" not in answer.body:
            raise Failure(f"expected the demo API behind Weir, found {answer}")
        yield weir, demo.child


class Counters:
    """What Weir counted up to now, from its metrics."""

    def __init__(self, weir):
        answer = get(weir.admin_port, "/metrics")
        if answer.status != 200:
            raise Failure(f"expected Weir's metrics, found {answer}")
        text = answer.body.decode()
        cached = dict(re.findall(r'^weir_cache_requests_total\{outcome="(\w+)"\} (\d+)', text, re.MULTILINE))
        self.reports = sum(int(count) for outcome, count in cached.items() if outcome != "none")
        self.at_once = int(cached["hit"]) + int(cached["stale"])
        self.requests = sum(int(count) for count in re.findall(r'^weir_requests_total\{.*\} (\d+)', text, re.MULTILINE))
        self.failed = sum(int(count) for count in re.findall(r'^weir_requests_total\{.*status="[^2]\d\d"\} (\d+)', text,
                                                             re.MULTILINE))
        self.entries = int(re.search(r"^weir_cache_entries (\d+)", text, re.MULTILINE).group(1))


def verify(weir, one):
    """What must be true whatever the machine does: all was counted, limits and cache took part.

    Returns the share of reports that were answered from the cache.
    """
    counters = Counters(weir)
    if counters.requests < one["answered"] or counters.entries < REPORTS * COMPANIES:
        raise Failure(f"Weir counted {counters.requests} requests and keeps {counters.entries} answers; expected "
                      f"{one['answered']} and {REPORTS * COMPANIES} or more")
    return counters.at_once / max(counters.reports, 1)


def broken_promises(one):
    """A sentence for each promise that the run broke."""
    found = [f"errors: {errors(one)}, none is allowed"] if errors(one) else []
    for name, bound in PROMISE.items():
        if one["latency_us"][name] > bound:
            found.append(f"{name} is {one['latency_us'][name] / 1000:.1f} ms, {bound / 1000:g} ms are promised")
    return found


def finish(name, results, one, broken, chosen, full):
    """Says what is broken, fails when the generator was late, records a full run; returns the exit status."""
    for sentence in broken:
        print(f"bench: broken promise: {sentence}", file=sys.stderr)
    late = lateness(one, LATE_MAX)
    if late:
        raise Failure(late)
    if full:
        pages.record(chosen.circumstances | {name: results})
    return 1 if broken and chosen.check else 0
