"""Where chaos is played: a stack on small disks of its own, proxies before its broker and its gateway, and a supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from amqp_client import AmqpClient
from broker_proxy import Proxy
from stack import Stack

DISK_BYTES = 1 << 30
HEARTBEAT_SECONDS = 4
READY_SECONDS = 120
# RabbitMQ 3.10 can lose a quorum queue that is declared so shortly before the node is killed (its issue 10070).
QUEUE_AGE_SECONDS = 5
DISKS = ("splitter", "assembler")


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.02)


def as_root(*command: str) -> None:
    subprocess.run([*(() if os.geteuid() == 0 else ("sudo", "-n")), *command], check=True)


class Supervisor:
    """Starts a part again as soon as it has ended, as systemd or Kubernetes would."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._parts = stack.folder / "state" / "parts"
        self._held: set[str] = set()
        self._expected: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.restarts = 0
        self.surprises: list[str] = []  # parts that ended with nobody's doing

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(READY_SECONDS)

    def names(self) -> list[str]:
        return sorted(record.name for record in self._parts.iterdir() if record.name != "epmd")

    def pid(self, name: str) -> int | None:
        """None when the process has ended."""
        try:
            pid, start = (self._parts / name).read_text().split()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            return None
        return int(pid) if fields[19] == start and fields[0] not in "ZX" else None

    def signal(self, name: str, number: int) -> None:
        pid = self.pid(name)
        if pid is None:
            return
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._expected.add(name)
        os.kill(pid, number)

    def hold(self, name: str) -> None:
        """Nobody starts that part until it is let go."""
        self._held.add(name)

    def let_go(self, name: str) -> None:
        self._held.discard(name)

    def _watch(self) -> None:
        names = self.names()
        while not self._over.wait(0.02):
            for name in names:
                if name not in self._held and self.pid(name) is None:
                    self._revive(name)

    def _revive(self, name: str) -> None:
        if name not in self._expected:
            self.surprises.append(name)
        self._expected.discard(name)
        self.restarts += 1
        try:
            self._stack.script("restart", name)
        except AssertionError as error:
            self._expected.add(name)
            self.surprises.append(f"{name}, which would not start: {str(error).strip().splitlines()[-2:]}")
            self._over.wait(0.5)


class Scene:
    """`with Scene(workers=2) as scene:` is a whole Unbraid that may be broken, and healed with `settle`. Audio travels in the messages,
    or `beside` them."""

    def __init__(self, workers: int = 2, beside: bool = False) -> None:
        self.beside = beside
        self.stack = Stack(workers, ("passthrough",))
        self.state = self.stack.folder / "state"
        self.data = self.stack.folder / "data"
        self.stack.arguments += ["--data", str(self.data)]
        self.supervisor = Supervisor(self.stack)
        self.amqp = Proxy(self._broker_port)
        self.api = Proxy(self._gateway_port)
        self.stack.environment.update(UNBRAID_STACK_AMQP=f"127.0.0.1:{self.amqp.port}", UNBRAID_STALL_AFTER="3s",
                                      UNBRAID_STACK_HEARTBEAT=str(HEARTBEAT_SECONDS),
                                      UNBRAID_STACK_OBJECTS=str(self.state / "objects") if beside else "")
        self.queues_since = 0.0
        self.alarmed = False
        self.known_left: set[str] = set()

    def __enter__(self) -> "Scene":
        try:
            for disk in DISKS:
                (self.data / disk).mkdir(parents=True)
                as_root("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0777", "unbraid-chaos", str(self.data / disk))
            self.stack.__enter__()
            self.gateway = self.stack.environment["UNBRAID_GATEWAY"]
            self.stack.environment["UNBRAID_GATEWAY"] = f"127.0.0.1:{self.api.port}"
            self.queues_declared()
            self.supervisor.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as steps:  # the last one first, and each of them whatever becomes of the others
            steps.callback(self.stack.remove)
            for disk in DISKS:
                steps.callback(self._unmount, self.data / disk)
            steps.callback(self.stack.script, "down")
            steps.callback(self.api.close)
            steps.callback(self.amqp.close)
            steps.callback(self.supervisor.stop)

    def _unmount(self, disk: Path) -> None:
        if os.path.ismount(disk):
            as_root("umount", "-l", str(disk))

    def _broker_port(self) -> int:
        return int((self.state / "broker" / "ports").read_text().split()[0])

    def _gateway_port(self) -> int:
        return int(self.gateway.rpartition(":")[2])

    def broker(self) -> AmqpClient:
        """A client of our own, past the proxy."""
        folder = self.state / "broker"
        return AmqpClient(self._broker_port(), (folder / "user").read_text(), (folder / "password").read_text())

    def queues_declared(self) -> None:
        self.queues_since = time.monotonic()

    def await_old_queues(self) -> None:
        time.sleep(max(0.0, self.queues_since + QUEUE_AGE_SECONDS - time.monotonic()))

    def memory_alarm(self, on: bool) -> None:
        self.stack.script("ctl", "set_vm_memory_high_watermark", "0.00001" if on else "0.4")
        self.alarmed = on

    def fill(self, disk: str) -> None:
        """Leaves not a byte of room."""
        with open(self.data / disk / "ballast", "wb") as ballast:
            while (free := os.statvfs(ballast.fileno()).f_bavail) > 0:
                unit = os.statvfs(ballast.fileno()).f_frsize
                try:
                    os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, max(1, free // 2) * unit)
                except OSError:
                    return

    def make_room(self) -> None:
        for disk in DISKS:
            (self.data / disk / "ballast").unlink(missing_ok=True)

    def is_ready(self, name: str) -> bool:
        if self.supervisor.pid(name) is None:
            return False
        try:
            if name == "rabbitmq":
                self.broker().__exit__()
                return True
            addresses = (self.state / "run" / f"{name}.address").read_text()
            http = next(line[5:] for line in addresses.splitlines() if line.startswith("http="))
            with urllib.request.urlopen(f"http://{http}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (OSError, StopIteration):
            return False

    def heal(self) -> None:
        """Takes back whatever a fault may have left."""
        self.amqp.heal()
        self.api.heal()
        self.make_room()
        for name in self.supervisor.names():
            self.supervisor.signal(name, signal.SIGCONT)
            self.supervisor.let_go(name)
        if self.alarmed:
            self.memory_alarm(False)

    def settle(self) -> None:
        """Heals, and returns when every part is ready again."""
        self.heal()
        for name in self.supervisor.names():
            until(lambda: self.is_ready(name), READY_SECONDS, f"{name} ready again")

    def memory_mb(self) -> dict[str, float]:
        """What each part holds."""
        page = os.sysconf("SC_PAGE_SIZE")
        pids = {name: self.supervisor.pid(name) for name in self.supervisor.names()}
        return {name: int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page / 1e6 for name, pid in pids.items() if pid}

    def left_files(self) -> list[str]:
        """Files of tracks and separations; none when all of them are deleted."""
        kept = ("tracks", "uploads", "spools", "separations")
        files = (path for disk in DISKS for kind in kept for path in (self.data / disk / kind).rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.data)) for path in files)

    def left_objects(self) -> list[str]:
        """Audio beside messages; none when nothing is under way, but for what chunks that nobody took have left for a minute."""
        return [name for _, _, names in os.walk(self.state / "objects") for name in names]

    def left_messages(self) -> list[str]:
        """Queues that are not empty, as NAME READY UNACKNOWLEDGED."""
        listed = self.stack.script("ctl", "--quiet", "list_queues", "--no-table-headers", "name", "messages_ready",
                                   "messages_unacknowledged")
        return [line for line in listed.splitlines() if line and line.split("\t")[1:] != ["0", "0"]]
