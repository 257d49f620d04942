"""The command line as people use it: real processes."""

import os
import signal
import subprocess
import sys

# What asks a process to end, except Ctrl-C. Windows sends none of them, and what nohup starts ignores SIGHUP.
ENDING = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP")
    if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN
]

HANGS = 300  # seconds after which a process is taken for one that hangs, on the slowest and busiest machine


def run(*arguments, **options):
    """Run `fastvec` with these arguments and return the process that has ended."""
    command = [sys.executable, "-m", "fastvec", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=HANGS, **options)


def start(*arguments, **options):
    """Start `fastvec` with these arguments and return the process."""
    command = [sys.executable, "-m", "fastvec", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def interrupt(process, number=signal.SIGINT):
    """Send Ctrl-C, or another signal, to a process and return what it prints up to its end."""
    process.send_signal(number)
    try:
        return process.communicate(timeout=HANGS)
    finally:
        process.kill()


def succeed(*arguments, **options):
    """Return what a command that succeeds prints."""
    done = run(*arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fail(*arguments, **options):
    """Return the line of the error with which a command ends."""
    done = run(*arguments, **options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("fastvec: error: ")
    return last


def wait_for(what, stream):
    """Read a stream up to a text."""
    shown = b""
    while what not in shown:
        block = os.read(stream.fileno(), 4096)
        assert block, shown
        shown += block
