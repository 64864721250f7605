"""The pictures of bench/run and bench/scale, from a line of the history."""
import math
import textwrap

from . import drawing

RATIO_MAX = 2.5
PROXIES = [("weir", "Weir"), ("nginx", "nginx"), ("haproxy", "HAProxy"), ("envoy", "Envoy"), ("varnish", "Varnish"),
           ("trafficserver", "Traffic Server"), ("h2o", "H2O")]


def draw_speed(results, titles):
    """docs/speed.png: a panel for each scenario, a bar for each proxy, nginx is 1."""
    pyplot = drawing.pyplot()
    if pyplot is None:
        return
    scenarios = results["scenarios"]
    columns = (len(scenarios) + 1) // 2
    figure, panels = pyplot.subplots(2, columns, figsize=(2.5 * columns, 5.6), sharex=True, squeeze=False)
    for axes, (name, one) in zip(panels.flat, scenarios.items()):
        _draw_bars(axes, titles[name], {"weir": one["cpu_ratio"], "nginx": 1.0, **one["peers"]})
    for axes in panels.flat[len(scenarios):]:
        axes.set_axis_off()
    figure.suptitle("CPU time for one request, nginx = 1: shorter is better", fontsize=12)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    drawing.save(figure, "speed.png")
    pyplot.close(figure)


def _draw_bars(axes, title, ratios):
    names = [(name, said) for name, said in PROXIES if name in ratios]
    for place, (name, _) in enumerate(names):
        ratio = ratios[name]
        axes.barh(place, min(ratio, RATIO_MAX), color=drawing.WEIR if name == "weir" else drawing.OTHERS, height=0.72)
        inside = ratio > 0.8 * RATIO_MAX
        axes.text(min(ratio, RATIO_MAX) + (-0.05 if inside else 0.05), place,
                  f"{ratio:.2f} →" if ratio > RATIO_MAX else f"{ratio:.2f}", va="center", fontsize=8,
                  ha="right" if inside else "left", color="white" if inside else "black",
                  fontweight="bold" if name == "weir" else "normal")
    axes.axvline(1, color="black", linewidth=0.6, linestyle=":")
    axes.set_yticks(range(len(names)), [said for _, said in names])
    axes.set_title("\n".join(textwrap.wrap(title, 22, break_on_hyphens=False)), loc="left")
    axes.set(xlim=(0, RATIO_MAX), xticks=[0, 1, 2], ylim=(len(PROXIES) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)


def draw_scale(found):
    """docs/scale.png: a panel for each kind of size, a line for each curve."""
    pyplot = drawing.pyplot()
    if pyplot is None:
        return
    by_panel = {}
    for curve in found.values():
        by_panel.setdefault(curve["panel"], []).append(curve)
    columns = (len(by_panel) + 1) // 2
    figure, panels = pyplot.subplots(2, columns, figsize=(3.7 * columns, 5.6), squeeze=False)
    for axes, (panel, curves) in zip(panels.flat, by_panel.items()):
        sizes = sorted({one["size"] for curve in curves for one in curve["points"]})
        for curve, colour in zip(curves, drawing.COLOURS):
            axes.plot([one["size"] for one in curve["points"]],
                      [one["user_us"] + one["system_us"] for one in curve["points"]],
                      marker="o", markersize=4, color=colour, label=curve["label"])
        axes.set(title=panel, xscale="log", ylabel="µs of CPU a request")
        axes.set_ylim(0, 1.35 * axes.get_ylim()[1])
        # Of two sizes close to each other only the larger has room for its name.
        axes.set_xticks(sizes, [_short(size) if size * 2 <= larger else ""
                                for size, larger in zip(sizes, [*sizes[1:], math.inf])])
        axes.minorticks_off()
        axes.grid(alpha=0.25)
        axes.legend(fontsize=7.5, frameon=False, loc="upper left")
    for axes in panels.flat[len(by_panel):]:
        axes.set_axis_off()
    figure.tight_layout()
    drawing.save(figure, "scale.png")
    pyplot.close(figure)


def _short(number):
    """12,000 as 12k."""
    for least, suffix in ((1_000_000, "M"), (1000, "k")):
        if number >= least:
            return f"{number / least:.3g}{suffix}"
    return str(number)
