"""What came out: the Markdown table, the line of history, the thresholds."""
import datetime
import json
import os
import platform
import subprocess

from .children import HERE, ROOT


def _said(command):
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        return done.stdout.strip() if done.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _processor():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def circumstances():
    """What a number means nothing without."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _said(["git", "rev-parse", "--short=12", "HEAD"]),
        "dirty": bool(_said(["git", "status", "--porcelain", "--untracked-files=no"])),
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "toolchain": (_said(["swift", "--version"]).splitlines() or [""])[0],
        "nginx": _said(["sh", "-c", "PATH=$PATH:/usr/sbin nginx -v 2>&1"]).split("/")[-1],
    }


def markdown(results):
    """The table of one run's medians."""
    lines = ["| work | CPU µs/request: Weir | nginx | ratio (rounds) | bound | rps ratio | mallocs: Weir | nginx "
             "| system calls: Weir | nginx |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name, one in results["scenarios"].items():
        rounds = " ".join(f"{ratio:.2f}" for ratio in one["cpu_ratio_rounds"])
        bound = thresholds().get(name, {}).get("cpu_ratio")
        if "redis_ratio" in one:
            name += f" (Redis: {one['weir']['redis_us']:.2f} / {one['nginx']['redis_us']:.2f} = {one['redis_ratio']:.2f})"
        lines.append(
            f"| {name} | {_cpu(one['weir'])} | {_cpu(one['nginx'])} | **{one['cpu_ratio']:.2f}** ({rounds}) "
            f"| {'–' if bound is None else f'≤ {bound:.2f}'} | {one['rps_ratio']:.2f} "
            f"| {_count(one['weir'], 'mallocs')} | {_count(one['nginx'], 'mallocs')} "
            f"| {_count(one['weir'], 'system_calls')} | {_count(one['nginx'], 'system_calls')} |")
    lines.append(f"| floor: a C program that writes a fixed answer | {_cpu(results['floor'])} | | | | | | | | |")
    return "\n".join(lines)


PEERS = [("haproxy", "HAProxy"), ("envoy", "Envoy"), ("varnish", "Varnish"), ("trafficserver", "Traffic Server"),
         ("h2o", "H2O")]


def beside_peers(results):
    """The table of CPU per request as ratios to nginx in the same rounds, for all that were measured."""
    names = [(name, title) for name, title in PEERS
             if any(name in one["peers"] for one in results["scenarios"].values())]
    if not names:
        return ""
    lines = ["| work | nginx | " + " | ".join(title for _, title in names) + " | Weir |",
             "| --- " * (len(names) + 3) + "|"]
    for name, one in results["scenarios"].items():
        others = " | ".join(f"{one['peers'][peer]:.2f}" if peer in one["peers"] else "–" for peer, _ in names)
        lines.append(f"| {name} | 1.00 | {others} | **{one['cpu_ratio']:.2f}** |")
    return "\n".join(lines)


def _cpu(one):
    return f"{one['user_us'] + one['system_us']:.2f} ({one['user_us']:.2f} + {one['system_us']:.2f})"


def _count(one, key):
    return f"{one[key]:.2f}" if one.get(key) is not None else "–"


def thresholds():
    """The bounds of bench/thresholds.json by scenario."""
    with open(os.path.join(HERE, "thresholds.json")) as file:
        return json.load(file)


def beyond_thresholds(results):
    """A sentence for every number that is worse than its bound."""
    found = []
    for name, bounds in thresholds().items():
        one = results["scenarios"].get(name)
        if one is None:
            continue
        values = {"cpu_ratio": one["cpu_ratio"], "mallocs": one["weir"].get("mallocs"),
                  "redis_ratio": one.get("redis_ratio")}
        for key, bound in bounds.items():
            if values[key] is not None and values[key] > bound:
                found.append(f"{name}: {key} is {values[key]:.3f}, the bound is {bound}")
    return found


def record(results, path):
    """Adds one line to the history."""
    with open(path, "a") as file:
        file.write(json.dumps(results, ensure_ascii=False) + "\n")
