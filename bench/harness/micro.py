"""The micro-benchmarks in bench/micro: built, run part by part, told as a table and a line of history."""
import argparse
import json
import os
import subprocess
import sys

from . import build, pages, report, tokens
from .children import HERE, WORK, Failure, leave_on_signals

PACKAGE = os.path.join(HERE, "micro")
CORE = 1


def main(description, subject, parts, finish=None):
    """Runs `parts`, or those named on the command line; `subject` is their key in history.ndjson. `finish` is
    given the numbers."""
    chosen = _options(description, parts)
    leave_on_signals()
    program = built()
    build.tools()
    tokens.make()
    results = report.circumstances()
    del results["nginx"]
    report.warn_when_busy(results)
    numbers = [one for part in chosen.parts or parts for one in run(program, part, chosen.core)]
    print("\n" + _markdown(numbers) + "\n")
    if finish is not None:
        finish(numbers)
    if not chosen.parts:
        results[subject] = {one.pop("name"): one for one in map(dict, numbers)}
        pages.record(results)
    worse = [one for one in numbers if _beyond(one)]
    for one in worse:
        bound = one.get("bound", one.get("least"))
        print(f"bench: beyond its bound: {one['name']}: {one['value']:g} {one['unit']}, the bound is {bound:g}",
              file=sys.stderr)
    return 1 if worse and chosen.check else 0


def _options(description, parts):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", metavar="PART", nargs="*",
                        help=f"what to run instead of all: {', '.join(parts)}; `{parts[0]}=NAME` runs only the "
                             "work whose name begins so; not recorded")
    parser.add_argument("--check", action="store_true", help="fail when a number is beyond its bound")
    parser.add_argument("--core", type=int, default=CORE, help=f"the core of single threads ({CORE})")
    chosen = parser.parse_args()
    for part in chosen.parts:
        if part.split("=")[0] not in parts:
            parser.error(f"no part `{part}`; there are {', '.join(parts)}")
    return chosen


def script():
    """The script of shared limits."""
    return subprocess.run([built(), "script"], check=True, capture_output=True, text=True).stdout


def built():
    """The path of the built program."""
    command = ["swift", "build", "-c", "release", "--package-path", PACKAGE]
    subprocess.run(command, check=True, stdout=sys.stderr)
    folder = subprocess.run([*command, "--show-bin-path"], check=True, capture_output=True, text=True)
    return os.path.join(folder.stdout.strip(), "weir-bench")


def run(program, part, core):
    """The numbers of one part, as it says them."""
    counts = os.path.join(WORK, "micro.count")
    with open(counts, "wb") as file:
        file.write(bytes(8))
    environment = {**os.environ, "LD_PRELOAD": os.path.join(WORK, "mallocs.so"), "WEIR_BENCH_MALLOCS": counts,
                   "WEIR_BENCH_TOKENS": tokens.folder()}
    pinned = [] if part.startswith("threads") else ["taskset", "-c", str(core)]
    found = []
    with subprocess.Popen([*pinned, program, part], stdout=subprocess.PIPE, text=True, env=environment) as child:
        for line in child.stdout:
            one = json.loads(line)
            if "failure" in one:
                raise Failure(one["failure"])
            found.append(one)
            print(f"{one['name']:64} {one['value']:10.2f} {one['unit']}", file=sys.stderr, flush=True)
    if child.returncode != 0:
        raise Failure(f"weir-bench {part} ended with status {child.returncode}")
    return found


def _markdown(numbers):
    """The table: a row per number, without the allocations that are none."""
    lines = ["| work | median | lowest | bound |", "| --- | --- | --- | --- |"]
    for one in numbers:
        if one["name"].endswith(": mallocs") and one["value"] == 0:
            continue
        bound = "–"
        if "bound" in one:
            bound = f"≤ {one['bound']:g}"
        elif "least" in one:
            bound = f"≥ {one['least']:g}"
        bound += " **beyond**" if _beyond(one) else ""
        lowest = f"{min(one['rounds']):.2f}" if one.get("rounds") and one["unit"] == "ns" else "–"
        lines.append(f"| {one['name']} | {one['value']:.2f} {one['unit']} | {lowest} | {bound} |")
    silent = sum(1 for one in numbers if one["name"].endswith(": mallocs") and one["value"] == 0)
    lines.append(f"| work that allocated nothing when warm | {silent} | – | – |")
    return "\n".join(lines)


def _beyond(one):
    return one["value"] > one.get("bound", float("inf")) or one["value"] < one.get("least", float("-inf"))
