"""A Redis server under redis-benchmark: the server alone has the library."""
import os
import subprocess
import time

import measure
import peers

SOCKET = "socket"
LOADS = (
    ("-n", "40000", "-r", "20000", "-d", "64", "-t",
     "set,get,lpush,rpush,lpop,sadd,hset,zadd"),
    ("-n", "15000", "-r", "3000", "-d", "2000", "-t", "set,lpush,lpop"),
)


def await_ready(out):
    """Read the server's log up to the line that says it listens."""
    for line in out:
        if b"eady to accept connections" in line:
            return
    raise measure.Failed("the server did not start")


def client(directory, *command):
    """Run a client where the server's socket is: its name must be short."""
    return subprocess.run(
        [command[0], "-s", SOCKET, *command[1:]], cwd=directory,
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=measure.LIMIT, env=peers.clean_environment(), check=False)


def load(directory):
    """Run the clients; the seconds they took."""
    before = time.monotonic()
    for arguments in LOADS:
        done = client(directory, "redis-benchmark", "-q", "-c", "20", "-P",
                      "4", *arguments)
        if done.returncode != 0 or "requests per second" not in done.stdout:
            raise measure.Failed("redis-benchmark failed")
    return time.monotonic() - before


def run(bench, library, directory):
    """A sample: time is the clients', all else the server's."""
    figures = os.path.join(directory, "figures")
    if library.name == peers.LIBC:
        library = library._replace(path=bench.libc_file)
    command = ["redis-server", "--port", "0", "--unixsocket", SOCKET,
               "--save", "", "--appendonly", "no", "--dir", directory,
               "--logfile", ""]
    child = bench.start(library, command, 1, {},
                        (figures, subprocess.PIPE, subprocess.STDOUT))
    try:
        await_ready(child.stdout)
        seconds = load(directory)
        client(directory, "redis-cli", "shutdown", "nosave")
        child.stdout.read()
        child.wait()
    except subprocess.TimeoutExpired:
        raise measure.Failed("no answer for %d s" % measure.LIMIT) from None
    finally:
        bench.stop()
        child.stdout.close()
    return dict(measure.sample_of(measure.read(figures), ""), time=seconds)
