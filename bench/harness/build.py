"""What has to be built first, and how a run ends."""
import os
import subprocess
import sys

from .children import HERE, ROOT, WORK, Failure


def add_options(parser):
    """How Weir is named on the command line."""
    parser.add_argument("--binary", metavar="PATH", help="a built weir, instead of building one")
    parser.add_argument("--proxy-command", metavar="COMMAND",
                        help="what to run instead of `weir run`; the configuration's path is added; not recorded")


def tools():
    """The origin, the relay, the pacer and the counter of allocations, in bench/.work."""
    os.makedirs(WORK, exist_ok=True)
    compiler = ["cc", "-O2", "-Wall", "-Wextra", "-Werror"]
    for command in ([*compiler, "-o", "origin", os.path.join(HERE, "origin.c")],
                    [*compiler, "-o", "relay", os.path.join(HERE, "relay.c")],
                    [*compiler, "-o", "pacer", os.path.join(HERE, "pacer", "pacer.c"), "-lm"],
                    [*compiler, "-shared", "-fPIC", "-o", "mallocs.so", os.path.join(HERE, "mallocs.c")]):
        subprocess.run(command, cwd=WORK, check=True)


def weir_command(chosen):
    """The command that runs Weir, built when nothing else was named."""
    if chosen.proxy_command:
        return chosen.proxy_command
    return f"{weir_binary(chosen)} run"


def weir_binary(chosen):
    """The path of Weir, built when none was named."""
    if chosen.binary:
        return os.path.abspath(chosen.binary)
    subprocess.run(["make", "build"], cwd=ROOT, check=True)
    folder = subprocess.run(["swift", "build", "-c", "release", "--show-bin-path"],
                            cwd=ROOT, check=True, capture_output=True, text=True)
    return f"{folder.stdout.strip()}/weir"


def run_main(main):
    """Runs `main`, says what failed in one line, exits with its status."""
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1)
    except subprocess.CalledProcessError as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(failure.returncode)
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        sys.exit(130)
