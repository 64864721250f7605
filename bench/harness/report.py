"""What came out: the Markdown table, the line of history, the thresholds."""
import datetime
import json
import os
import platform
import subprocess
import sys

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
        # Of what is measured and how; not of the numbers that a run before this one has written.
        "dirty": bool(_said(["git", "status", "--porcelain", "--untracked-files=no", "--", "Sources", "Package.swift",
                             "Makefile", "bench", ":!bench/history.ndjson"])),
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "congestion": _said(["cat", "/proc/sys/net/ipv4/tcp_congestion_control"]),
        "toolchain": (_said(["swift", "--version"]).splitlines() or [""])[0],
        "nginx": _said(["sh", "-c", "PATH=$PATH:/usr/sbin nginx -v 2>&1"]).split("/")[-1],
    }


def warn_when_busy(results):
    """Says so when others were at work as the run began."""
    if results["load"] > 0.5:
        print(f"bench: the machine is busy (load {results['load']}); the numbers will be noisy", file=sys.stderr)


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
