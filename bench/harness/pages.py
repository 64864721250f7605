"""Puts the newest numbers of history.ndjson into the pages, between marks, and draws the pictures.

A mark is a line `<!-- bench: NAME -->`; what follows it up to the line `<!-- bench: end -->` is replaced. `render` with
`check` changes nothing and says which pages differ.
"""
import datetime
import json
import os
import re

from . import pictures, report, shared, tables
from .children import HERE, ROOT, Failure

HISTORY = os.path.join(HERE, "history.ndjson")
PAGES = ("README.md", "docs/performance.md", "docs/redis.md")
CURVES = ("![CPU time for one request against workers, connections, routes, limits, limit keys and cache entries]"
          "(scale.png)")
MARK = re.compile(r"(<!-- bench: (?!end)([\w-]+) -->\n).*?(<!-- bench: end -->)", re.DOTALL)

# name: (the command, the key of its lines or what tells them, the text from such a line)
BLOCKS = {
    "speed": ("make bench", "run", tables.speed),
    "speed-in-detail": ("make bench", "run", tables.speed_in_detail),
    "memory": ("make bench", "run", tables.memory),
    "redis": ("make bench", "run", tables.redis),
    "latency": ("make bench-latency", "latency", lambda line: tables.latency(line["latency"])),
    "users": ("bench/load/ten-thousand-users", "users", lambda line: _users(line["users"])),
    "spike": ("bench/load/spike", "spike", lambda line: _spike(line["spike"])),
    "soak": ("bench/load/soak", "soak", lambda line: _soak(line["soak"])),
    "scale": ("make bench-scale", "scale", lambda line: f"{CURVES}\n\n{tables.scale(line['scale'])}"),
    "counts": ("make bench-counts", "counts", lambda line: _counts(line["counts"])),
    "stages": ("make bench-stages", "stages", lambda line: tables.stages(line["stages"])),
    "start": ("make bench-scale", "start", lambda line: _start(line["start"])),
    "idle": ("make bench-idle", "idle_connections", tables.idle),
    "limits": ("make bench-limits", "limits", lambda line: tables.micro(line["limits"])),
    "redis-faults": ("make bench-faults", "redis_faults", lambda line: shared.faults(line["redis_faults"])),
    "redis-calls": ("make bench-calls", "calls", lambda line: shared.calls(line["calls"])),
    "redis-spread": ("make bench-spread", "spread", lambda line: shared.spread(line["spread"])),
    "store": ("make bench-store", "store", lambda line: tables.micro(line["store"])),
}


def _counts(found):
    return tables.counts(found, report.thresholds()["counts"])


def _users(one):
    return (f"{tables.users(one)}\n\n{one['connections']:,} users, {one['rate']:,.0f} requests a second for "
            f"{one['seconds']:g} s; {one['from_cache']:.1%} of the reports from the cache; "
            f"{one['resident_bytes'] / 2**20:.0f} MiB resident; the generator ran or waited for its core for "
            f"{one['saturation']:.0%} of the time.")


def _spike(one):
    return (f"{tables.spike(one)}\n\nLatency was normal again (p95 of {one['normal_us'] / 1000:.2f} ms or less in every "
            f"half second) {one['normal_again_s']:.1f} s after the spike; {one['errors']['all']} errors.")


def _soak(one):
    return (f"{tables.soak(one)}\n\n{one['minutes']} minutes, {one['opened']:,} connections, {one['answered']:,} "
            f"answers, {one['errors']['all']} errors; from minute 2 to the end memory changed by {one['growth']:+.1%}.")


def _start(one):
    return tables.table(["", "MiB"], [["resident at start, one worker", f"{one['resident_bytes'] / 2**20:.1f}"],
                                      ["binary, with the Swift runtime inside", f"{one['binary_bytes'] / 2**20:.1f}"],
                                      ["the same, stripped", f"{one['stripped_bytes'] / 2**20:.1f}"]])


def record(results):
    """Adds a line to the history, and puts its numbers into the pages."""
    report.record(results, HISTORY)
    print("bench: added a line to bench/history.ndjson")
    render()


def newest(history, key):
    """The newest line with `key`, or None; `run` are the comparisons of bench/run."""
    for line in reversed(history):
        if "pass-1k" in line.get("scenarios", {}) if key == "run" else key in line:
            return line
    return None


def circumstances(command, line):
    """Where, when and by what a table was measured, as a sentence."""
    day = datetime.datetime.strptime(line["date"], "%Y-%m-%dT%H:%M:%SZ")
    said = [f"`{command}`", f"{day.day} {day:%B %Y}",
            f"commit {line['commit'][:10]}{' with changes' if line['dirty'] else ''}",
            f"{line['cpu']}, {line['cores']} cores",
            f"Linux {line['kernel']}{' with ' + line['congestion'] if 'congestion' in line else ''}",
            line["toolchain"].split(" (")[0]]
    if "nginx" in line:
        said.append(f"nginx {line['nginx']}")
    if "rounds" in line:
        said.append(f"{line['rounds']} rounds of {line['seconds']} s")
    return "*" + "; ".join(said) + f"; load of the machine as it began {line['load']:g}.*"


def _read_history():
    with open(HISTORY) as file:
        return [json.loads(line) for line in file]


def _block(name, history):
    if name not in BLOCKS:
        raise Failure(f"no table is called {name}; there are {', '.join(BLOCKS)}")
    command, key, text = BLOCKS[name]
    line = newest(history, key)
    if line is None:
        return f"*Not measured yet: `{command}` does it.*"
    return f"{text(line)}\n\n{circumstances(command, line)}"


def render(check=False):
    """Writes the tables into the pages and draws the pictures; with `check` returns the pages that differ."""
    history, differing = _read_history(), []
    for page in PAGES:
        path = os.path.join(ROOT, page)
        with open(path) as file:
            before = file.read()
        after = MARK.sub(lambda mark: f"{mark[1]}\n{_block(mark[2], history)}\n\n{mark[3]}", before)
        if after == before:
            continue
        differing.append(page)
        if not check:
            with open(path, "w") as file:
                file.write(after)
            print(f"bench: wrote the numbers into {page}")
    if not check:
        if run := newest(history, "run"):
            pictures.draw_speed(run, tables.TITLES)
        if curves := newest(history, "scale"):
            pictures.draw_scale(curves["scale"])
    return differing
