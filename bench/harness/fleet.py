"""The picture of what leases cost and use as a fleet grows."""
import re

from . import drawing

NAME = re.compile(r"fleet, (\w+), (\d+) replicas, (\d+) % of the limit wanted: (.*)")
COLOURS = {"fixed_window": "tab:blue", "sliding_window": "tab:orange", "token_bucket": "tab:green"}


def draw(numbers):
    """Draws docs/fleet.png, where there is matplotlib."""
    pyplot = drawing.pyplot()
    if pyplot is None:
        return
    lines = _lines(numbers)
    figure, (orders, used, excess) = pyplot.subplots(1, 3, figsize=(13, 4.2))
    sizes = sorted({size for values in lines.values() for size in values})
    for (algorithm, share, what), values in sorted(lines.items()):
        axes = {"orders": orders, "used of what is usable": used, "admitted too many": excess}.get(what)
        if axes is None:
            continue
        axes.plot(sizes, [values[size] for size in sizes], marker="o", color=COLOURS[algorithm],
                  linestyle="-" if share < 100 else "--", label=f"{algorithm}, {share} % wanted")
    orders.plot(sizes, [100 * size for size in sizes], color="grey", linestyle=":", label="one call a decision")
    orders.set(title="orders to Redis, all replicas", ylabel="per second", xscale="log", yscale="log")
    used.set(title="used of what is usable", ylabel="%", xscale="log", ylim=(90, 101))
    excess.set(title="admitted above the bound", ylabel="units", xscale="log", ylim=(-1, 10))
    for axes in (orders, used, excess):
        axes.set_xlabel("replicas, 100 requests/s each")
        axes.grid(alpha=0.3)
    orders.legend(fontsize=7)
    figure.tight_layout()
    drawing.save(figure, "fleet.png")


def _lines(numbers):
    """`{(algorithm, share, what): {replicas: value}}`."""
    lines = {}
    for one in numbers:
        found = NAME.fullmatch(one["name"])
        if found:
            algorithm, size, share, what = found.groups()
            lines.setdefault((algorithm, int(share), what), {})[int(size)] = one["value"]
    return lines
