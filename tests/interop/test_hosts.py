"""A cluster of Ray on three hosts: network namespaces, each with an address, and a token for all."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import hosts
import numpy as np
import pytest
from commands import HANGS

import fastvec

pytest.importorskip("ray", reason="needs the extra test-interop")

pytestmark = pytest.mark.any_backend(trains=True)

HEAD, *WORKERS = NAMES = [f"fastvec-{os.getpid()}-{name}" for name in ("head", "a", "b")]
ADDRESSES = {name: f"10.77.0.{number}" for number, name in enumerate(NAMES, 1)}
PORT = 6379


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def namespaces():
    """Make three hosts that reach each other and nothing else, and remove them with all that runs there."""
    try:
        ip("netns", "add", HEAD)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"network namespaces may not be made here: {getattr(error, 'stderr', error)}")
    try:
        ip("-n", HEAD, "link", "add", "bridge", "type", "bridge")
        for name in NAMES:
            if name != HEAD:
                ip("netns", "add", name)
                ip(
                    "-n",
                    HEAD,
                    "link",
                    "add",
                    f"to-{name[-1]}",
                    "type",
                    "veth",
                    "peer",
                    "name",
                    "net",
                    "netns",
                    name,
                )
                ip("-n", HEAD, "link", "set", f"to-{name[-1]}", "master", "bridge", "up")
            device = "bridge" if name == HEAD else "net"
            ip("-n", name, "address", "add", f"{ADDRESSES[name]}/24", "dev", device)
            for up in (device, "lo"):
                ip("-n", name, "link", "set", up, "up")
        yield
    finally:
        for name in NAMES:
            kill_all(name)
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def kill_all(name):
    """Kill all processes of a host."""
    found = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True)
    for number in found.stdout.split():
        os.kill(int(number), signal.SIGKILL)


@pytest.fixture(scope="module")
def cluster(namespaces):
    """Start Ray on all hosts, and return the environment in which programs can use it."""
    folder = tempfile.mkdtemp(prefix="ray-")  # whose path is short enough for sockets
    token = Path(folder, "token")
    token.write_text(secrets.token_hex(32), encoding="utf-8")
    paths = os.pathsep.join(map(str, [Path(hosts.__file__).parent, Path(fastvec.__file__).parents[1]]))
    environment = os.environ | {
        "PYTHONPATH": paths,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_TMPDIR": folder,
        "MARKER": str(Path(folder, "marker")),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_health_check_period_ms": "1000",  # so that a host that is lost is known to be after seconds
        "RAY_health_check_timeout_ms": "5000",
    }
    ray = [
        sys.executable,
        "-c",
        "from ray.scripts.scripts import main; main()",
        "start",
        "--object-store-memory",
        "100000000",
    ]
    of_head = ["--head", "--port", str(PORT), "--num-cpus", "0", "--include-dashboard", "false"]
    of_worker = ["--address", f"{ADDRESSES[HEAD]}:{PORT}", "--num-cpus", "1"]
    for name in NAMES:
        options = [*(of_head if name == HEAD else of_worker), "--node-ip-address", ADDRESSES[name]]
        subprocess.run(
            ["ip", "netns", "exec", name, *ray, *options],
            env=environment,
            check=True,
            timeout=HANGS,
            stdin=subprocess.DEVNULL,
        )
    yield environment
    for name in NAMES:
        kill_all(name)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started(environment, *arguments):
    """Run a program on the head, and kill it at the end."""
    command = ["ip", "netns", "exec", HEAD, sys.executable, hosts.__file__, f"{ADDRESSES[HEAD]}:{PORT}"]
    with subprocess.Popen(
        [*command, *arguments], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def round_of(path):
    """Return the round that has begun, according to a file that is there then."""
    return int(path.read_text(encoding="utf-8") or 0) if path.exists() else 0


def test_hosts_count_and_train_the_same_and_one_is_lost(cluster, tmp_path):
    words = np.random.default_rng(8).zipf(1.3, (900, 10)) % 150
    for number, lines in enumerate(np.split(words, 3)):
        text = "".join(f"{' '.join(f'w{word}' for word in line)}\n" for line in lines)
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "there").mkdir()
    expected = hosts.found(f"{tmp_path}/*.txt", None, tmp_path)
    with started(cluster, f"{tmp_path}/*.txt", tmp_path / "there") as process:
        begun, deadline = tmp_path / "there" / "round", time.monotonic() + HANGS
        while round_of(begun) < 4 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None
        kill_all(WORKERS[0])
        _, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 0, errors
    found = [(tmp_path / "there" / name).read_bytes() for name in ("counts", "learned")]
    assert found == [*expected]
    assert Path(cluster["MARKER"]).exists()  # lanes were sent the rows that they use


def test_without_the_token_nobody_is_let_in(cluster, tmp_path):
    (tmp_path / "a.txt").write_text("a b a\n", encoding="utf-8")
    (tmp_path / "other").write_text(secrets.token_hex(32), encoding="utf-8")
    with started(
        cluster | {"RAY_AUTH_TOKEN_PATH": str(tmp_path / "other")}, tmp_path / "a.txt", tmp_path
    ) as process:
        _, errors = process.communicate(timeout=HANGS)
    assert process.returncode and "token" in errors
