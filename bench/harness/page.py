"""The tables that runs write into docs/redis.md, each between two marks."""
import os

from .children import Failure, ROOT

PATH = os.path.join(ROOT, "docs", "redis.md")


def write(name, text):
    """Puts `text` between the marks of the table `name`, which `bench/NAME` makes."""
    begin, end = f"<!-- {name}: made by bench/{name} -->", f"<!-- {name}: end -->"
    with open(PATH) as file:
        page = file.read()
    if begin not in page or end not in page:
        raise Failure(f"docs/redis.md has no marks for the table of bench/{name}")
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    with open(PATH, "w") as file:
        file.write(f"{before}{begin}\n{text}\n{end}{after}")
