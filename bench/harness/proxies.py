"""The programs that are measured: how each is started on a free port with a scenario's configuration."""
import os
import shlex
import shutil
import tempfile

from . import load
from .children import Child, Failure, HERE, WORK, free_port, wait_until

PROXY_CORE, LOAD_CORE = 0, 1


def start_origin(core=LOAD_CORE):
    """The origin, which is the floor when it is measured itself."""
    port = free_port()
    return _ready(Child("origin", [os.path.join(WORK, "origin"), str(port)], core), port)


class Weir:
    """Weir, or what stands in for it: a command that takes a configuration file as its last argument."""

    name = "weir"

    def __init__(self, command):
        self.command = command

    def start(self, scenario, origin_port, environment=None):
        """Starts it before the origin."""
        port = free_port()
        settings = {"BENCH_PORT": str(port), "BENCH_ADMIN_PORT": str(free_port()),
                    "BENCH_ORIGIN_PORT": str(origin_port)}
        config = os.path.join(HERE, "weir", f"{scenario}.yaml")
        child = Child("weir", [*shlex.split(self.command), config], PROXY_CORE,
                      {**settings, **(environment or {})})
        return _ready(child, port)


class Nginx:
    """nginx with one worker; its cache lies in memory (tmpfs)."""

    name = "nginx"

    def start(self, scenario, origin_port, environment=None):
        """Starts it before the origin."""
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if program is None:
            raise Failure("no nginx; `scripts/install-packages bench` installs it")
        port = free_port()
        folder = tempfile.mkdtemp(prefix="weir-bench-", dir="/dev/shm")
        with open(os.path.join(HERE, "nginx", "nginx.conf")) as file:
            text = file.read()
        with open(os.path.join(HERE, "nginx", f"{scenario}.conf")) as file:
            text = text.replace("@SCENARIO@", file.read())
        user = "user root;" if os.getuid() == 0 else ""
        for name, value in (("@PORT@", port), ("@ORIGIN@", origin_port), ("@USER@", user), ("@FOLDER@", folder)):
            text = text.replace(name, str(value))
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w") as file:
            file.write(text)
        try:
            child = _NginxChild([program, "-p", folder, "-e", "stderr", "-c", config], environment, folder)
            return _ready(child, port)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


class _NginxChild(Child):
    """Takes its folder with it."""

    def __init__(self, command, environment, folder):
        self.folder = folder
        super().__init__("nginx", command, PROXY_CORE, environment)

    def stop(self):
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _ready(child, port):
    child.port = port
    try:
        wait_until(lambda: load.can_connect(port), child, 10, f"listening on port {port}")
    except BaseException:
        child.stop()
        raise
    return child
