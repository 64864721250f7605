"""What bench/scale varies, in which sizes, and what Weir is asked for meanwhile."""
import os
import resource

from .children import Failure

CONNECTIONS_MAX = 20_000
# Descriptors that a process needs besides those of its clients: the origin's connections, listeners, the log.
SPARE = 200

COMMON = """\
listen: 127.0.0.1:${{BENCH_PORT}}
admin: {{address: "127.0.0.1:${{BENCH_ADMIN_PORT}}"}}
workers: {workers}
limit_keys: 2000000
upstreams:
  origin:
    servers: ["http://127.0.0.1:${{BENCH_ORIGIN_PORT}}"]
    pool: {{size: 64, overflow: 64}}
http: {{connections: 20000, idle_timeout: 10m}}
log: {{sample: 0%}}
"""
PASS = "routes: [{path: /**}]\n"
HIT = "cache: {memory: 4GiB}\nroutes: [{path: /cached/**, cache: {ttl: 1h}}]\n"


class Curve:
    """One size that grows while the work for each request stays the same.

    - `panel`, `label`: the part of the picture it is drawn in, and its name there.
    - `sizes`, and `quick_sizes` for a run that only shows that all works.
    - `text(size)`: what the configuration says besides `COMMON`.
    - `target`, `fields`: of every request; {number} counts up to `numbers(size)`, over and over.
    - `hits`: whether no request may reach the origin then; otherwise all must.
    - `gauge`: the metric that must have grown to the size by the end.
    - `each`: what the memory that grew is divided among; None where it says nothing.
    - `counted_max`: the largest size for which instructions are counted.
    - `pipelined`: whether wrk asks, 32 requests at once, all for `target` as it stands.
    - `rounds`: how often all sizes are measured in turn, where their difference is small beside a noisy machine's.
    """

    def __init__(self, name, panel, label, what, sizes, text, hits=False, target="/1k", fields=(), numbers=None,
                 workers=None, connections=None, in_flight=64, gauge=None, each=None, counted_max=0,
                 pipelined=False, rounds=1):
        self.name, self.panel, self.label, self.what = name, panel, label, what
        self.sizes, self.text, self.hits, self.target, self.fields = sizes, text, hits, target, fields
        self.numbers = numbers or (lambda size: 1)
        self.workers = workers or (lambda size: 1)
        self.connections = connections or (lambda size: 64)
        self.in_flight, self.gauge, self.each, self.counted_max = in_flight, gauge, each, counted_max
        self.pipelined, self.rounds = pipelined, rounds

    def quick_sizes(self):
        """The first two."""
        return self.sizes[:2]

    def configuration(self, size):
        """The whole file for a size."""
        return COMMON.format(workers=self.workers(size)) + self.text(size)

    def load(self, size):
        """The options of pacer that say what a request is."""
        return {"targets": [self.target], "fields": self.fields, "numbers": self.numbers(size)}


def _same(size):
    return size


def _workers():
    """1, 2, 4 … as far as there are cores."""
    sizes = [1]
    while sizes[-1] * 2 <= os.cpu_count():
        sizes.append(sizes[-1] * 2)
    return sizes


def _connections():
    """10 to 20,000, or to what the limit of open files leaves."""
    most = min(CONNECTIONS_MAX, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE)
    if most < 10:
        raise Failure("the limit of open files is too low for any number of connections")
    return [size for size in (10, 100, 1000, 10_000) if size < most] + [most]


def _routes(size):
    return "routes:\n" + "".join(f"  - {{path: /api/v1/r{number}/**}}\n" for number in range(size))


def _limits(size):
    return "limits:\n" + "".join(
        f"  l{number}: {{rate: 1000000/second, per: ip, algorithm: token_bucket, burst: 1000000}}\n" for number in range(size))


def _limits_of_file(size):
    return _limits(size) + "routes:\n" + "".join(
        f"  - {{path: /api/v1/r{number}/**, limits: [l{number}]}}\n" for number in range(size))


def _limits_of_request(size):
    names = ", ".join(f"l{number}" for number in range(size))
    return _limits(size) + f"routes: [{{path: /**, limits: [{names}]}}]\n"


def _limit_keys(_size):
    # Spent units come back slowly, so that every key is held.
    return ("cache: {memory: 64MiB}\n"
            "limits: {key: {rate: 1/hour, per: header:X-Key, algorithm: token_bucket, burst: 1000000}}\n"
            "routes: [{path: /cached/**, limits: [key], cache: {ttl: 1h}}]\n")


TO_A_MILLION = [1, 1000, 10_000, 100_000, 1_000_000]


def all_curves():
    """Every curve; the sizes of some depend on the machine."""
    return [
        # A worker that waits for its next request goes to sleep, and waking up would be what is compared: one generator
        # cannot keep two workers busy with single hits.
        Curve("workers, hit", "workers", "cache hit, pipelined", "worker threads, one core each, 32 requests at once",
              _workers(), lambda size: HIT, hits=True, target="/cached/1k", workers=_same, pipelined=True, rounds=5),
        Curve("workers, pass", "workers", "passed through", "worker threads, one core each", _workers(),
              lambda size: PASS, workers=_same, rounds=5),
        Curve("connections, hit", "connections", "cache hit", "client connections, used in turn, ten requests under way",
              _connections(), lambda size: HIT, hits=True, target="/cached/1k", connections=_same, in_flight=10,
              each="connection"),
        Curve("connections, pass", "connections", "passed through",
              "client connections, used in turn, ten requests under way", _connections(), lambda size: PASS,
              connections=_same, in_flight=10, each="connection"),
        Curve("routes", "routes", "passed through", "routes in the file, asked for in turn", [1, 10, 100, 1000], _routes,
              target="/api/v1/r{number}/item", numbers=_same, counted_max=1000, rounds=3),
        Curve("limits in the file", "limits", "in the file, one for a request",
              "limits in the file, each on a route of its own, asked for in turn", [1, 10, 100], _limits_of_file,
              target="/api/v1/r{number}/item", numbers=_same, counted_max=100, rounds=3),
        Curve("limits of a request", "limits", "of one request", "limits that one request is counted against",
              [1, 2, 4, 8], _limits_of_request, counted_max=8),
        Curve("limit keys", "limit keys", "cache hit with a limit", "clients, each counted by a key of its own, in turn",
              TO_A_MILLION, _limit_keys, hits=True, target="/cached/1k", fields=["X-Key: client-{number}"],
              numbers=_same, gauge="weir_limit_keys", each="key", counted_max=1000),
        Curve("cache entries", "cache entries", "cache hit", "stored answers of 1 KB, asked for in turn", TO_A_MILLION,
              lambda size: HIT, hits=True, target="/cached/url/{number}", numbers=_same,
              gauge="weir_cache_entries", each="entry", counted_max=1000),
    ]
