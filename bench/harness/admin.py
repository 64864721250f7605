"""What a process says about itself on its admin address."""
import re
import urllib.error
import urllib.request

from .children import Failure


def metrics(port):
    """The text of /metrics; empty when it cannot be had."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return answer.read().decode()
    except (OSError, urllib.error.URLError):
        return ""


def values(text, name, label=""):
    """The whole numbers of a metric, of the samples whose labels contain `label`."""
    samples = re.findall(rf"^{name}(?:{{(.*)}})? (\d+)$", text, re.MULTILINE)
    return [int(value) for labels, value in samples if label in labels]


def metric(port, name):
    """A metric of one sample."""
    found = values(metrics(port), name)
    if len(found) != 1:
        raise Failure(f"/metrics of port {port} has {len(found)} samples of {name}")
    return found[0]
