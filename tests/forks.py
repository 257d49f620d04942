"""Processes of `fastvec` that need not load its modules: they are forked from one that has loaded them all.

Loading takes most of the time of a small command. What is forked does what ``python -m fastvec`` does, in a
process with descriptors, signals, a folder and an end of its own. What Python does before and after that is
done once or not at all: some commands of every kind should have a Python of their own.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

# With one thread it is safe to fork, but on macOS not for the libraries of the system.
POSSIBLE = sys.platform == "linux"
# How the names of variables begin that are read while Python starts and modules are loaded.
READ_BEFORE = ("FASTVEC_BACKEND", "LANG", "LC_", "LD_", "OMP_", "OPENBLAS_", "PYTHON")
AT_FIRST = dict(os.environ)
MESSAGE_BYTES = 100  # at most: a number, or a word beside the descriptors of streams and of a request


def same_before(environment):
    """Return whether the modules would be loaded as they were."""
    names = {name for name in (*environment, *AT_FIRST) if name.startswith(READ_BEFORE)}
    return all(environment.get(name) == AT_FIRST.get(name) for name in names)


def for_shells():
    """Return the command by which a shell runs `fastvec`, and options of the process of that shell."""
    if not POSSIBLE:
        return [sys.executable, "-m", "fastvec"], {}
    descriptor = _forker().fileno()
    return [sys.executable, "-I", "-S", __file__, str(descriptor)], {"pass_fds": [descriptor]}


class Process:
    """A process of `fastvec`, with what tests use of `subprocess.Popen`."""

    def __init__(
        self,
        arguments,
        *,
        stdin=None,
        stdout=None,
        stderr=None,
        cwd=None,
        env=None,
        closed=(),
        forker=None,
    ):
        self.args, self.returncode = ["fastvec", *arguments], None
        request = {
            "arguments": arguments,
            "folder": str(Path(cwd or ".").absolute()),
            "environment": dict(os.environ if env is None else env),
            "closed": closed,
        }
        with contextlib.ExitStack() as until_sent:
            self.stdin, of_stdin = _ends(0, stdin, until_sent)
            self.stdout, of_stdout = _ends(1, stdout, until_sent)
            self.stderr, of_stderr = _ends(2, stderr, until_sent)
            self._connection, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            until_sent.enter_context(remote)
            file = until_sent.enter_context(os.fdopen(os.memfd_create("request"), "wb", buffering=0))
            file.write(json.dumps(request).encode())
            descriptors = [of_stdin, of_stdout, of_stderr, remote.fileno(), file.fileno()]
            socket.send_fds(forker or _forker(), [b"fork"], descriptors)
        self.pid = self._receive()

    def _receive(self):
        message = self._connection.recv(MESSAGE_BYTES)
        assert message, "the process that forks others has ended"
        return json.loads(message)

    def wait(self, timeout=None):
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = self._receive()
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout) from None
            self._connection.close()
        return self.returncode

    def poll(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def communicate(self, input=None, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        read = {}

        def write():
            with contextlib.suppress(BrokenPipeError), self.stdin:
                self.stdin.write(input or b"")

        works = [
            threading.Thread(target=lambda stream=stream: read.update({stream: stream.read()}), daemon=True)
            for stream in (self.stdout, self.stderr)
            if stream
        ]
        if self.stdin:
            works.append(threading.Thread(target=write, daemon=True))
        for work in works:
            work.start()
        for work in works:
            work.join(None if end is None else max(0, end - time.monotonic()))
            if work.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout)
        self.wait(None if end is None else max(0, end - time.monotonic()))
        self._close_streams()
        return read.get(self.stdout), read.get(self.stderr)

    def _close_streams(self):
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close_streams()
        self.wait()


def _ends(number, stream, until_sent):
    """Return our end of a stream if it is a pipe, and the descriptor of the process."""
    if stream is None:
        return None, number
    if stream == subprocess.DEVNULL:
        return None, until_sent.enter_context(Path(os.devnull).open("r+b")).fileno()
    if stream != subprocess.PIPE:
        return None, stream if isinstance(stream, int) else stream.fileno()
    reading, writing = os.pipe()
    ours, theirs, mode = (writing, reading, "wb") if number == 0 else (reading, writing, "rb")
    until_sent.callback(os.close, theirs)
    return os.fdopen(ours, mode), theirs


@functools.cache
def _forker():
    """Start the process that forks others and return the connection to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__], stdin=theirs, env=AT_FIRST | {"OPENBLAS_NUM_THREADS": "1"}
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _fork_on_request(connection):
    """Fork a process for every message; in it, return the request and the descriptors of its streams."""
    running = {}

    def report(*_):
        for pid in [*running]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with running.pop(pid) as reply, contextlib.suppress(OSError):
                    reply.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())

    signal.signal(signal.SIGCHLD, report)
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 5)
        if not message:
            sys.exit()
        *streams, reply, file = descriptors
        with os.fdopen(file, "rb") as content:
            content.seek(0)  # where the next byte would be written, until now
            request = json.load(content)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        running_pid = os.fork()
        if running_pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            for one in running.values():
                one.close()
            os.close(reply)
            return request, streams
        for descriptor in streams:
            os.close(descriptor)
        running[running_pid] = socket.socket(fileno=reply)
        with contextlib.suppress(OSError):
            running[running_pid].send(json.dumps(running_pid).encode())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _run(request, descriptors):
    """Be ``python -m fastvec`` from here on."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        before, stream = getattr(sys, name), None
        os.dup2(descriptors[number], number)
        os.close(descriptors[number])
        if name in request["closed"]:
            os.close(number)
        else:
            like = {"encoding": before.encoding, "errors": before.errors, "newline": "\n"}
            stream = os.fdopen(number, mode, closefd=False, **like)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    if sys.stderr:
        sys.stderr.reconfigure(line_buffering=True)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path[0] = request["folder"]
    sys.argv[1:] = request["arguments"]
    try:
        runpy.run_module("fastvec", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        # As processes of multiprocessing end: to take all modules apart would take longer than most commands.
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(ended.code or 0)


def _serve():
    """Fork what is asked for on standard input, and in what is forked, be that."""
    sys.argv = ["fastvec"]  # by which signals end it at once, as they do while modules are loaded
    from fastvec import cli

    for module, _ in cli.VERBS.values():
        importlib.import_module(f"fastvec.cli.{module}")
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as connection:
        arrived = _fork_on_request(connection)
    _run(*arrived)


def _ask(descriptor, *arguments):
    """Have a process forked by the one to which a shell has a connection, and end as it does."""
    with socket.socket(fileno=int(descriptor)) as forker, Process(arguments, forker=forker) as process:
        status = process.wait()
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    _ask(*sys.argv[1:]) if sys.argv[1:] else _serve()
