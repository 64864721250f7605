"""The tables of what three kinds of runs tell about a shared Redis, as Markdown."""
from .faults import FAULTS
from .tables import table

PATHS = ("strict", "leased", "cached")
LIMITED = ("strict", "leased")


def _cell(one, name, digits=1, paths=PATHS):
    """A number of each path."""
    return " / ".join(f"{one[path][name]:.{digits}f}" for path in paths)


def _title(fault):
    words = FAULTS[fault].__doc__.rstrip(".")
    return f"{fault}: {words[0].lower()}{words[1:]}"


def faults(results):
    """Of bench/faults: a row a fault, cells by path."""
    heads = ["fault", "lasted, s", "requests", "errors", "p99 before, ms", "p99 added, ms", "longest, ms",
             "admitted above the bound", "asked again after, s"]
    return table(heads, [
        [_title(fault), one["lasted_s"], f"{sum(one[path]['requests'] for path in PATHS):,}", _cell(one, "errors", 0),
         _cell(one, "p99_ms"), _cell(one, "added_p99_ms"), _cell(one, "longest_ms", 0), _cell(one, "above", 0, LIMITED),
         one["recovered_s"]] for fault, one in results.items()])


def calls(results):
    """Of bench/calls: a row a limit."""
    heads = ["consistency", "algorithm", "decisions", "calls of Redis", "calls a decision", "turns of the loops",
             "calls a turn"]
    rows = []
    for name, one in results.items():
        consistency, algorithm = name.split("/")
        rows.append([f"`{consistency}`", f"`{algorithm}`", f"{one['requests']:,}", f"{one['calls']:,}",
                     f"{one['calls_per_decision']:.3f}", f"{one['turns']:,}", f"{one['calls_per_turn']:.2f}"])
    return table(heads, rows)


def spread(parts):
    """Of bench/spread: fetches of one key, and purges."""
    keys = [[title, f"{parts[name]['requests']:,}", f"{parts[name]['rps']:,}", parts[name]["expiries"],
             parts[name]["fetches"], parts[name]["p99_ms"]]
            for name, title in (("expiring", "all wait for the fetch"), ("stale", "`stale_while_revalidate`"))]
    purges = [[title, f"{parts[name]['requests']:,}", parts[name]["purges"], parts[name]["median_ms"],
               parts[name]["longest_ms"]]
              for name, title in (("purged", "while all are connected"),
                                  ("reconnecting", "right after the others lost their connection"))]
    return "\n\n".join([
        table(["one key, fresh for a second", "requests", "requests/s", "expiries", "fetches at the origin", "p99, ms"], keys),
        table(["from a purge in one process to the last old answer anywhere", "requests", "purges", "median, ms",
               "longest, ms"], purges)])
