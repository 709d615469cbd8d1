"""Real servers on loopback: OpenSSH with SFTP, and OpenStack Swift with its S3 interface. Both check credentials."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.closures import ROOT

SSHD, PYTHON = Path("/usr/sbin/sshd"), ROOT / ".servers/bin/python"
KEY, READER, SECRET, BUCKET = "test:tester", "test:reader", "testing", "bucket"
KINDS = ("account", "container", "object", "proxy")
_SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
MaxStartups 100:30:200
MaxSessions 100
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""
_DEFAULT = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}/etc
devices = {folder}/srv
mount_check = false
disable_fallocate = true
log_name = {kind}
log_address = {folder}/no-syslog
"""
_STORE = """[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
recon_cache_path = {folder}/cache
"""
_FILTERS = ("catch_errors", "gatekeeper", "listing_formats", "s3api", "tempauth", "copy", "slo", "dlo", "symlink")
_MORE = {
    "s3api": "location = us-east-1\ns3_acl = false\ncheck_bucket_owner = false\n",
    "tempauth": "user_test_tester = testing .admin\nuser_test_reader = testing\n",
}


def port(count: int = 1) -> int:
    """The first of ``count`` ports in a row that are free."""
    for start in range(21000 + os.getpid() % 5000, 32000, 101):
        with suppress(OSError):
            for number in range(start, start + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return start
    raise AssertionError("no free ports")


class Sshd:
    """OpenSSH's server for the user who runs the tests."""

    def __init__(self, folder: Path) -> None:
        if not SSHD.exists():
            pytest.skip("no sshd: run tests/servers/install as root")
        self.folder, self.port = folder, port()
        for name in ("host_key", "user_key", "reader_key", "wrong_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        reader = 'restrict,command="internal-sftp -R" ' + (folder / "reader_key.pub").read_text()
        (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text() + reader)
        (folder / "sshd_config").write_text(_SSHD.format(port=self.port, folder=folder))
        with suppress(OSError):
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # compiled in
        self.start()

    @property
    def url(self) -> str:
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        return f"ssh://{user}@127.0.0.1:{self.port}{self.folder}/store"

    def start(self) -> None:
        told = self.folder / "sshd.pid"
        told.unlink(missing_ok=True)
        subprocess.run([SSHD, "-f", self.folder / "sshd_config", "-E", self.folder / "log"], check=True)
        _wait(self.port)
        while not (told.exists() and told.read_text().endswith("\n")):  # it listens before it tells
            time.sleep(0.01)
        self.pid = int(told.read_text())

    def kill(self) -> None:
        """The listener with all its sessions."""
        _signal_tree(self.pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Stop without closing anything: whoever asks waits."""
        _signal_tree(self.pid, signal.SIGSTOP)

    def wake(self) -> None:
        _signal_tree(self.pid, signal.SIGCONT)

    def bytes(self) -> int:
        """Of all that is stored."""
        return stored(self.folder / "store")

    def full(self) -> AbstractContextManager[None]:
        """Meanwhile the store is a disk too small for what is pushed."""
        return small_disk(self.folder / "store")


class Swift:
    """Four servers of Swift; the proxy speaks S3."""

    def __init__(self, folder: Path) -> None:
        if not PYTHON.exists():
            pytest.skip("no Swift: run tests/servers/install")
        self.folder, self.base = folder, port(81)
        for name in ("etc", "srv/d1", "cache"):
            (folder / name).mkdir(parents=True)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        (folder / "etc/swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n"
            "[storage-policy:0]\nname = p0\ndefault = yes\n"
        )
        for kind, number in self.ports().items():
            head = _DEFAULT.format(port=number, user=user, folder=folder, kind=kind)
            rest = self._proxy() if kind == "proxy" else _STORE.format(kind=kind, folder=folder)
            (folder / f"etc/{kind}-server.conf").write_text(head + rest)
        here = Path(__file__).parent
        subprocess.run([PYTHON, here / "rings.py", folder / "etc", str(self.base)], check=True)
        self.start()
        self.client().create_bucket(Bucket=BUCKET)

    def ports(self) -> dict[str, int]:
        return {"object": self.base, "container": self.base + 1, "account": self.base + 2, "proxy": self.base + 80}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.base + 80}"

    def client(self) -> Any:
        import botocore.session
        from botocore.config import Config

        return botocore.session.Session().create_client(
            "s3", region_name="us-east-1", endpoint_url=self.endpoint, aws_access_key_id=KEY,
            aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip

    def start(self) -> None:
        log = (self.folder / "log").open("ab")
        self.running = [
            subprocess.Popen(
                [PYTHON, Path(__file__).parent / "swiftd.py", self.folder / "etc", kind],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )
            for kind in KINDS
        ]  # fmt: skip
        for number in self.ports().values():
            _wait(number)
        with urllib.request.urlopen(f"{self.endpoint}/healthcheck", timeout=20) as answer:
            assert answer.status == 200

    def kill(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Stop without closing anything: whoever asks waits."""
        for process in self.running:
            process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        for process in self.running:
            process.send_signal(signal.SIGCONT)

    def bytes(self) -> int:
        """Of all that is stored, half-received objects among it."""
        return stored(self.folder / "srv")

    @contextmanager
    def full(self) -> Iterator[None]:
        """Meanwhile objects must leave all of the disk free, so that it is too full for any."""
        conf = self.folder / "etc/object-server.conf"
        plain = conf.read_text()
        self._again(conf, plain.replace("disable_fallocate = true", "fallocate_reserve = 100%"))
        try:
            yield
        finally:
            self._again(conf, plain)

    def _again(self, conf: Path, text: str) -> None:
        self.kill()
        conf.write_text(text)
        self.start()

    def _proxy(self) -> str:
        names = ["catch_errors", "gatekeeper", "healthcheck", "cache", *_FILTERS[2:]]
        text = f"[pipeline:main]\npipeline = {' '.join(names)} proxy-server\n"
        text += "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
        text += "[filter:healthcheck]\nuse = egg:swift#healthcheck\n[filter:cache]\nuse = egg:swift#memcache\n"
        text += f"memcache_servers = 127.0.0.1:{self.base + 11}\n"  # nothing need listen there
        return text + "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n{_MORE.get(name, '')}" for name in _FILTERS)


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A disk of 20 MB at ``place``; skips where none can be mounted."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _wait(number: int, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", number), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {number}")


def stored(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(place) / name).stat().st_size
    return total


def _signal_tree(pid: int, number: int) -> None:
    """Children are looked for while their parent still lives."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    for child in children:
        _signal_tree(int(child), number)
