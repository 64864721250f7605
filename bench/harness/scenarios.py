"""What is measured, and what must be true of every answer for the numbers to count."""
import re

from .children import Failure
from .load import CONNECTIONS, RawClient, get



class Scenario:
    """One kind of work for a proxy; `name` is also that of its files in weir/ and nginx/.

    - `path`: the target of every request; `urls` of them when it ends with a slash, which a number follows.
    - `script`: what draws the targets for wrk, a file in bench/.
    - `body_bytes`: the length of a right answer.
    - `refuses`: whether every answer must be 429 instead of 200.
    - `reaches_origin`: whether every request, or none, must arrive at the origin.
    - `limit_field`: whether Weir's answer must carry the fields of a limit.
    - `closes`: whether each request has a connection of its own.
    - `redis`: whether the proxies have a Redis beside the origin.
    """

    def __init__(self, name, what, path, refuses=False, reaches_origin=True, limit_field=False, urls=1,
                 script=None, body_bytes=1024, redis=False, closes=False):
        self.name, self.what, self.path = name, what, path
        self.urls, self.script, self.body_bytes = urls, script, body_bytes
        self.refuses, self.reaches_origin, self.limit_field = refuses, reaches_origin, limit_field
        self.redis, self.closes = redis, closes

    def target(self, number=0):
        """The target of a request; requests go through the `urls` of them in turn."""
        return self.path if self.urls == 1 else f"{self.path}{number % self.urls}"

    def prepare(self, port):
        """Brings a fresh proxy to the state that is measured: the limit spent, the cache filled."""
        with RawClient(port) as client:
            for number in range(self.urls):
                self._prepare(client, self.target(number))

    def _prepare(self, client, target):
        for _ in range(50):
            answer = client.get(target)
            if answer.status == (429 if self.refuses else 200):
                if self.reaches_origin or self.refuses or _is_hit(answer):
                    return
        raise Failure(f"{self.name}: no answer as it should be within 50 requests; the last was {answer}")

    def verify(self, port, proxy):
        """Looks at one answer as a client sees it."""
        answer = get(port, self.target(self.urls - 1))
        if self.refuses:
            expect(answer.status == 429, self, proxy, "status 429", answer)
            return
        expect(answer.status == 200, self, proxy, "status 200", answer)
        expect(answer.body == b"x" * self.body_bytes, self, proxy, f"the origin's {self.body_bytes} bytes", answer)
        expect(_is_hit(answer) != self.reaches_origin, self, proxy,
               "no hit" if self.reaches_origin else "a hit", answer)
        if self.limit_field and proxy == "weir":
            expect(answer.field("x-ratelimit-limit") != "", self, proxy, "X-RateLimit-Limit", answer)

    def verify_load(self, loads, origin_requests, proxy):
        """Looks at what wrk and the origin counted over some loads."""
        requests, refused = sum(load.requests for load in loads), sum(load.refused for load in loads)
        wrong = requests - refused if self.refuses else refused
        if requests == 0 or wrong:
            raise Failure(f"{self.name}: {proxy} gave {wrong} of {requests} answers the wrong status")
        # wrk leaves with a request under way on each connection, so the origin may count more.
        few = requests if self.reaches_origin and not self.refuses else 0
        if not few <= origin_requests <= few + 2 * CONNECTIONS * len(loads):
            raise Failure(f"{self.name}: {origin_requests} requests came to the origin behind {proxy}, "
                          f"expected about {few} of {requests}")


def expect(condition, scenario, proxy, expected, answer):
    """Fails with the answer unless `condition`."""
    if not condition:
        raise Failure(f"{scenario.name}: expected {expected} from {proxy}, found {answer}")


def _is_hit(answer):
    """nginx, HAProxy and Varnish are configured to say X-Cache; Weir says Cache-Status (RFC 9211), Traffic Server a code
    in Via, Envoy the answer's Age."""
    return (answer.field("x-cache") == "HIT"
            or re.search(r"\[\w*c[HR]", answer.field("via")) is not None
            or (answer.field("server") == "envoy" and answer.field("age") != "")
            or re.search(r"(^|,)\s*\S+\s*;\s*hit\b", answer.field("cache-status")) is not None)


SCENARIOS = [
    Scenario("pass-1k", "pass through 1 KB, keep-alive", "/1k"),
    Scenario("pass-limit-1k", "the same with a limit per address", "/1k", limit_field=True),
    Scenario("hit-1k", "cache hit 1 KB", "/cached/1k", reaches_origin=False),
    Scenario("hit-100k", "cache hit 100 KB", "/cached/100k", reaches_origin=False, body_bytes=102400),
    Scenario("hit-10k-urls", "hits over 10,000 URLs by Zipf", "/cached/url/", reaches_origin=False, urls=10000,
             script="zipf.lua"),
    Scenario("refused", "refused by a limit", "/1k", refuses=True),
    Scenario("pass-1m", "pass through 1 MiB, keep-alive", "/1m", body_bytes=1 << 20),
    Scenario("new-connections", "pass through 1 KB, a connection for each request", "/1k", closes=True),
    Scenario("redis-strict", "a limit in Redis, asked on every request", "/1k", limit_field=True, redis=True),
    Scenario("redis-leased", "a limit in Redis, by lease", "/1k", limit_field=True, redis=True),
]
