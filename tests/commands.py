"""The command line as people use it: real processes."""

import os
import signal
import subprocess
import sys

import forks

# What asks a process to end, except Ctrl-C. Windows sends none of them, and what nohup starts ignores SIGHUP.
ENDING = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP")
    if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN
]

CLOSE = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-"}  # by a shell

HANGS = 300  # seconds after which a process is taken for one that hangs, on the slowest and busiest machine


def run(*arguments, input=None, stdin=None, **options):
    """Run `fastvec` with these arguments and return the process that has ended."""
    stdin = stdin if input is None else subprocess.PIPE
    with start(*arguments, stdin=stdin, **options) as process:
        try:
            shown = process.communicate(input and input.encode(), timeout=HANGS)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, *map(_text, shown))


def _text(shown):
    """Return what a process has printed, if it was into a pipe."""
    return None if shown is None else shown.decode("utf-8").replace(os.linesep, "\n")


def start(*arguments, closed=(), forked=True, **options):
    """Start `fastvec` with these arguments and return the process.

    Parameters
    ----------
    *arguments
        What follows the name.
    closed : sequence of {"stdin", "stdout", "stderr"}
        Streams that are closed.
    forked : bool
        Whether a process will do that need not load modules; False for one that starts as users' do.
    **options
        As those of `subprocess.Popen`.
    """
    arguments = [*map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    if forked and forks.POSSIBLE and forks.same_before(options.get("env") or os.environ):
        return forks.Process(arguments, closed=closed, **options)
    command = [sys.executable, "-m", "fastvec", *arguments]
    if closed:
        command = ["sh", "-c", f'exec "$@" {" ".join(CLOSE[name] for name in closed)}', "sh", *command]
    return subprocess.Popen(command, **options)


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
