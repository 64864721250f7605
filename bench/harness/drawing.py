"""Pictures with matplotlib, as bench/install-drawing puts it into bench/.work: the same numbers make the same file."""
import glob
import io
import os
import sys

from .children import ROOT, WORK

WEIR, OTHERS = "#d9480f", "#8a94a6"
COLOURS = ["#d9480f", "#1c7ed6", "#2b8a3e"]
DOTS_PER_INCH, PALETTE = 110, 64


def pyplot():
    """matplotlib.pyplot, or None where it is not installed."""
    sys.path[:0] = glob.glob(os.path.join(WORK, "drawing", "lib", "python3*", "site-packages"))
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot as found
    except ImportError:
        print("bench: no picture was drawn, as there is no matplotlib; `bench/install-drawing` installs it", file=sys.stderr)
        return None
    matplotlib.rcParams.update({"font.family": "DejaVu Sans", "font.size": 9, "axes.spines.top": False,
                                "axes.spines.right": False, "axes.titlesize": 10, "figure.facecolor": "white"})
    return found


def save(figure, name):
    """Writes docs/NAME, with few colours and without a date or a version in it."""
    from PIL import Image
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, format="png", metadata={"Software": None})
    picture = Image.open(drawn).convert("RGB").quantize(PALETTE, dither=Image.Dither.NONE)
    picture.save(os.path.join(ROOT, "docs", name), optimize=True)
    print(f"bench: drew docs/{name}")
