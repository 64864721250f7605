"""Measures a curve of bench/scale, size by size."""
import os
import re
import statistics
import subprocess

from .children import WORK, Failure, cpu_between
from .counters import LONG, SHORT, UnderCallgrind, instructions_between
from .load import CONNECTIONS, get, wrk
from .paced import Pacer, errors, pace
from .proxies import LOAD_CORE, PROXY_CORE, Backends, Weir

FILLING_SECONDS_MAX = 300


def before_any_request(command, binary):
    """What a process takes before it has done anything, and the size of the program."""
    with Backends() as behind, Weir(command).start("pass-1k", behind) as child:
        resident = child.resident_bytes()
    stripped = os.path.join(WORK, "weir.stripped")
    subprocess.run(["strip", "-o", stripped, binary], check=True)
    return {"resident_bytes": resident, "binary_bytes": os.path.getsize(binary), "stripped_bytes": os.path.getsize(stripped)}


def measure_curve(curve, command, chosen):
    """The numbers of every size, the smallest first."""
    sizes = curve.quick_sizes() if chosen.quick else curve.sizes
    taken = {size: [] for size in sizes}
    for _ in range(curve.rounds):
        for size in sizes:
            one = _measure(curve, size, command, chosen.seconds)
            taken[size].append(one)
            print(f"{curve.name:20} {size:8,d} {_cpu(one):6.2f} µs/request ({one['user_us']:.2f} + {one['system_us']:.2f}) "
                  f"{one['rps']:8.0f} rps "
                  + (f"{one['bytes_each']:.0f} bytes for each {curve.each}" if "bytes_each" in one else ""), flush=True)
    points = [{"size": size} | _together(ones) for size, ones in taken.items()]
    for one in points:
        if one["size"] <= curve.counted_max and not chosen.no_counts:
            one["instructions"] = round(_instructions(curve, one["size"], command))
            print(f"{curve.name:20} {one['size']:8,d} {one['instructions']:6,d} instructions", flush=True)
    return {"what": curve.what, "panel": curve.panel, "label": curve.label, "each": curve.each, "points": points}


def _measure(curve, size, command, seconds):
    """One size: CPU per request in each second, and the memory that the size took."""
    cores = set(range(PROXY_CORE, PROXY_CORE + curve.workers(size)))
    with Backends() as behind, Weir(command).start_with(_written(curve, size), behind, cores=cores) as child:
        at_start = child.resident_bytes()
        # A first load, so that what every proxy needs under load is not taken for what the size needs.
        _send(child, {**curve.load(size), "numbers": 1}, 2000, 64)
        empty = child.resident_bytes()
        # Each number once: every answer is stored, every key charged, every route used.
        _send(child, curve.load(size), curve.numbers(size), 64)
        at_origin = int(get(behind.origin.port, "/count").body)
        rounds, whole, resident = (_pipelined if curve.pipelined else _rounds)(curve, size, child, seconds)
        reached = int(get(behind.origin.port, "/count").body) - at_origin
        _verify(curve, size, child, whole, reached)
        child.check()
    numbers = {key: round(statistics.median(one[key] for one in rounds), 3) for key in rounds[0]}
    numbers["cpu_us_rounds"] = [round(_cpu(one), 3) for one in rounds]
    numbers |= {"resident_bytes": resident, "resident_bytes_at_start": at_start}
    # Below, what grew is what buffers and tables hold in advance.
    if curve.each and size >= 1000:
        numbers["bytes_each"] = round((resident - empty) / size)
    return numbers


def _together(ones):
    """Of several measurements of one size each number's median, and CPU per request of every second."""
    return {key: sum((one[key] for one in ones), []) if key == "cpu_us_rounds"
            else round(statistics.median(one[key] for one in ones), 3) for key in ones[0]}


def _rounds(curve, size, child, seconds):
    """(the numbers of each second, what pacer counted in all, resident bytes under load)."""
    rounds = []
    with Pacer(child.port, seconds + 1, in_flight=curve.in_flight, connections=curve.connections(size), slice=1,
               **curve.load(size)) as pacer:
        pacer.next_slice()
        before = child.cpu()
        for _ in range(seconds):
            answered = pacer.next_slice()["answered"]
            now = child.cpu()
            if answered == 0:
                raise Failure(f"{curve.name}, {size}: no answer for a second")
            user, system = (1e6 * spent / answered for spent in cpu_between(before, now))
            rounds.append({"user_us": user, "system_us": system, "rps": answered})
            before = now
        resident = child.resident_bytes()
        whole, _ = pacer.result()
    return rounds, whole, resident


def _pipelined(curve, size, child, seconds):
    """The same with wrk, a run for each second."""
    rounds, requests, refused = [], 0, 0
    for _ in range(seconds + 1):
        before = child.cpu()
        load = wrk(child.port, curve.target, 1, LOAD_CORE, "pipelined.lua")
        if load.requests == 0:
            raise Failure(f"{curve.name}, {size}: no answer for a second")
        user, system = (1e6 * spent / load.requests for spent in cpu_between(before, child.cpu()))
        rounds.append({"user_us": user, "system_us": system, "rps": load.rps})
        requests, refused = requests + load.requests, refused + load.refused
    whole = {"answered": requests, "errors": {"of another status": refused}, "first_wrong_status": 0,
             "opened": CONNECTIONS}
    return rounds[1:], whole, child.resident_bytes()


def _verify(curve, size, child, whole, reached):
    """What must be true for the numbers to count."""
    if errors(whole):
        raise Failure(f"{curve.name}, {size}: {errors(whole)}")
    if curve.hits and reached:
        raise Failure(f"{curve.name}, {size}: {reached} of {whole['answered']} requests reached the origin, expected hits")
    if not curve.hits and reached < whole["answered"]:
        raise Failure(f"{curve.name}, {size}: only {reached} of {whole['answered']} requests reached the origin")
    if whole["opened"] != curve.connections(size):
        raise Failure(f"{curve.name}, {size}: {whole['opened']} connections were opened, expected {curve.connections(size)}")
    if curve.gauge:
        text = get(child.admin_port, "/metrics").body.decode()
        held = re.search(rf"(?m)^{curve.gauge}(?:{{.*}})? (\d+)", text)
        if not held or int(held.group(1)) < size:
            raise Failure(f"{curve.name}, {size}: {curve.gauge} is {held and held.group(1)}")


def _instructions(curve, size, command):
    """Instructions in user space for one request, one at a time on one connection."""
    def counted(requests):
        with Backends() as behind, UnderCallgrind(command).start_with(_written(curve, size), behind) as weir:
            _send(weir, curve.load(size), max(curve.numbers(size), 200), 1)
            _send(weir, curve.load(size), requests, 1)
        return weir.said()

    return instructions_between(counted(SHORT), counted(LONG)) / (LONG - SHORT)


def _send(child, load, requests, in_flight):
    whole, _ = pace(child.port, FILLING_SECONDS_MAX, in_flight=in_flight, connections=in_flight, requests=requests, **load)
    if errors(whole) or whole["answered"] != requests:
        raise Failure(f"{child.name} gave {whole['answered']} of {requests} answers while it was prepared: {errors(whole)}")


def _written(curve, size):
    path = os.path.join(WORK, "scale.yaml")
    with open(path, "w") as file:
        file.write(curve.configuration(size))
    return path


def _cpu(one):
    return one["user_us"] + one["system_us"]


def beyond(found, bounds):
    """A sentence for each curve that grows more than it may, from its smallest size to its largest."""
    worse = []
    for name, bound in bounds.items():
        points = found.get(name, {}).get("points", [])
        if len(points) > 1:
            ratio = _cpu(points[-1]) / _cpu(points[0])
            if ratio > bound:
                worse.append(f"{name}: {points[-1]['size']:,} cost {ratio:.2f} times what {points[0]['size']:,} costs, "
                             f"the bound is {bound}")
    return worse
