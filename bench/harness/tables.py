"""The tables in which results are told, in Markdown: each from the part of a line of the history that holds them."""
from . import report
from .scenarios import SCENARIOS

TITLES = {scenario.name: scenario.what for scenario in SCENARIOS}
PEERS = [("haproxy", "HAProxy"), ("envoy", "Envoy"), ("varnish", "Varnish"), ("trafficserver", "Traffic Server"),
         ("h2o", "H2O")]
MS_NAMES = ("mean", "p50", "p95", "p99", "p99.9", "max")
QUANTILES = ("p50", "p99", "p99.9")


def table(head, rows):
    """A table of Markdown."""
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [head, ["---"] * len(head), *rows])


def cpu(one):
    """CPU time for one request in µs."""
    return one["user_us"] + one["system_us"]


def _cpu(one):
    return f"{cpu(one):.1f} ({one['user_us']:.1f} + {one['system_us']:.1f})"


def _count(one, key):
    value = one.get(key)
    return "–" if value is None else f"{round(value, 2):g}"


def _mebibytes(one, key):
    return f"{one[key] / 2**20:.0f}" if key in one else "–"


def speed(results):
    """Weir beside all others: ratios to nginx, and what Weir aims at."""
    scenarios = results["scenarios"]
    peers = [(name, title) for name, title in PEERS if any(name in one["peers"] for one in scenarios.values())]
    rows = []
    for name, one in scenarios.items():
        bound = report.thresholds().get(name, {}).get("cpu_ratio")
        missed = bound is not None and one["cpu_ratio"] > bound
        rows.append([TITLES[name], f"{cpu(one['weir']):.1f}", f"**{one['cpu_ratio']:.2f}**",
                     "–" if bound is None else f"{bound:.2f}, missed" if missed else f"{bound:.2f}", "1.00",
                     *(f"{one['peers'][peer]:.2f}" if peer in one["peers"] else "–" for peer, _ in peers)])
    return table(["work", "Weir, µs", "Weir", "aim", "nginx", *(title for _, title in peers)], rows)


def speed_in_detail(results):
    """Weir and nginx with everything that was counted."""
    rows = [[TITLES[name], _cpu(one["weir"]), _cpu(one["nginx"]),
             f"**{one['cpu_ratio']:.2f}** ({' '.join(f'{ratio:.2f}' for ratio in one['cpu_ratio_rounds'])})",
             f"{one['rps_ratio']:.2f}",
             *(f"{_count(one['weir'], key)}, {_count(one['nginx'], key)}"
               for key in ("mallocs", "system_calls", "voluntary_switches"))]
            for name, one in results["scenarios"].items()]
    rows.append(["floor: a C program that writes a fixed answer", _cpu(results["floor"]), "", "", "", "", "", ""])
    return table(["work", "Weir, µs (user + system)", "nginx, µs", "Weir to nginx (rounds)", "requests per second, to nginx",
                  "mallocs: Weir, nginx", "system calls", "voluntary context switches"], rows)


def memory(results):
    """The peak of resident memory of each proxy, in MiB."""
    names = [("weir", "Weir"), ("nginx", "nginx"), *PEERS]
    names = [(name, title) for name, title in names if any(name in one for one in results["scenarios"].values())]
    rows = [[TITLES[name], *(_mebibytes(one.get(proxy, {}), "peak_bytes") for proxy, _ in names)]
            for name, one in results["scenarios"].items()]
    return table(["work", *(title for _, title in names)], rows)


def redis(results):
    """CPU of Redis for one request, where a limit is in Redis, and the calls of scripts for it."""
    rows = [[TITLES[name], f"{one['weir']['redis_us']:.2f}", f"{one['nginx']['redis_us']:.2f}", f"{one['redis_ratio']:.3f}",
             f"{one['weir']['redis_calls']:.3f}", f"{one['nginx']['redis_calls']:.3f}"]
            for name, one in results["scenarios"].items() if "redis_ratio" in one]
    return table(["work", "Redis behind Weir, µs", "behind nginx, µs", "ratio", "calls, Weir", "calls, nginx"], rows)


def latency(found):
    """What is added to the floor, in µs."""
    rows = [[TITLES[name], f"{share}, {one['rate']:.0f}",
             *(" / ".join(f"{one[key][quantile]:.0f}" for quantile in QUANTILES)
               for key in ("floor", "weir_adds", "nginx_adds")),
             " / ".join(f"{one['late_us'][quantile]:.0f}" for quantile in ("p50", "p99"))]
            for name, shares in found.items() for share, one in shares.items()]
    quantiles = " / ".join(QUANTILES)
    return table(["work", "rate", f"floor, µs: {quantiles}", "Weir adds", "nginx adds", "generator late: p50 / p99"], rows)


def milliseconds(one, names, key="latency_us"):
    """The `names` of a distribution in ms, as cells."""
    return [f"{one[key][name] / 1000:.2f}" for name in names]


def users(one):
    """The 10,000 users beside what is promised, in ms."""
    promised = one["promised_us"]
    return table(["ms", *MS_NAMES, "errors"], [
        ["measured", *milliseconds(one, MS_NAMES), one["errors"]["all"]],
        ["promised", *(f"{promised[name] / 1000:g}" if name in promised else "–" for name in MS_NAMES), 0],
        ["generator late", *milliseconds(one, MS_NAMES, "late_us"), ""]])


def spike(one):
    """The three phases, in ms."""
    rows = [[name, f"{part['rate']:.0f}", *(f"{part[key]:.2f}" for key in ("p50", "p95", "p99", "max")), part["errors"]]
            for name, part in one["phases"].items()]
    return table(["ms", "requests a second", "p50", "p95", "p99", "max", "errors"], rows)


def soak(one):
    """Resident memory over time, in MiB."""
    minutes = sorted({1, 2, *range(5, one["minutes"] + 1, 5), one["minutes"]})
    minutes = [minute for minute in minutes if minute <= one["minutes"]]
    return table(["minute", *minutes], [["resident, MiB", *(f"{one['resident_bytes'][minute - 1] / 2**20:.1f}"
                                                            for minute in minutes)]])


def scale(found):
    """A table for each curve."""
    return "\n\n".join(f"**{name}**: {curve['what']}\n\n{_curve(curve)}" for name, curve in found.items())


def _curve(curve):
    first = curve["points"][0]
    has_instructions = any("instructions" in one for one in curve["points"])
    rows = []
    for one in curve["points"]:
        row = [f"{one['size']:,}", _cpu(one), f"{cpu(one) / cpu(first):.2f}", f"{one['rps']:.0f}"]
        if has_instructions:
            row.append(f"{one['instructions']:,}" if "instructions" in one else "–")
        if curve["each"]:
            row += [f"{one['resident_bytes'] / 2**20:.0f}", f"{one['bytes_each']:,}" if "bytes_each" in one else "–"]
        rows.append(row)
    head = ["size", "µs a request (user + system)", "to the smallest", "requests per second"]
    return table(head + (["instructions a request"] if has_instructions else [])
                 + (["resident, MiB", f"bytes for each {curve['each']}"] if curve["each"] else []), rows)


def counts(found, bounds):
    """What one request costs the built program, beside the bounds."""
    rows = [[TITLES[name], f"{one['system_calls']:g}, {bounds[name]['system_calls']:g}",
             f"{one['mallocs']:g}, {bounds[name]['mallocs']:g}", f"{one['instructions']}, {bounds[name]['instructions']}",
             ", ".join(f"{call} {number:g}" for call, number in one["often"].items())]
            for name, one in found.items()]
    return table(["work", "system calls, bound", "mallocs, bound", "instructions, bound", "which calls"], rows)


def stages(found):
    """Work of each stage of a request."""
    return table(["stage", "ns", "instructions", "mallocs"],
                 [[name, f"{one['ns']:.0f}", one["instructions"], f"{one['mallocs']:g}"] for name, one in found.items()])


def micro(found):
    """Single pieces of work; those that count allocations are left out where there were none."""
    rows = []
    for name, one in found.items():
        if name.endswith(": mallocs") and one["value"] == 0:
            continue
        bound = f"≤ {one['bound']:g}" if "bound" in one else f"≥ {one['least']:g}" if "least" in one else "–"
        rows.append([name, f"{one['value']:.4g} {one['unit']}", bound])
    return table(["work", "median", "bound"], rows)


def idle(results):
    """Memory of idle connections, and the latency of others beside them."""
    rows = [[name.removeprefix("idle-"), f"{results['idle_connections']:,}", f"{one['resident_bytes_before'] / 2**20:.1f} MiB",
             f"{one['bytes_per_connection'] / 1024:.2f} KiB", f"{one['p50_us']:.0f} / {one['p99_us']:.0f}",
             f"{one['p50_us_with_idle']:.0f} / {one['p99_us_with_idle']:.0f}"]
            for name, one in results["scenarios"].items()]
    return table(["proxy", "idle connections", "resident before", "for each", "latency of others, µs: p50 / p99, without",
                  "with them"], rows)
