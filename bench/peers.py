"""The libraries that are measured: found, tried, named with their versions."""
import os
import re
import shutil
import subprocess
from collections import namedtuple

# path: what is preloaded, "-" for nothing.  peer: what ours is compared to.
Library = namedtuple("Library", "name path version peer")

OURS = "hakmem"
LIBC = "libc"
FLOOR = "floor"
DEBIAN = (
    ("jemalloc", "libjemalloc.so.2"),
    ("mimalloc", "libmimalloc.so.2"),
    ("tcmalloc", "libtcmalloc_minimal.so.4"),
    # The proxy defines malloc and needs libtbbmalloc.so.2, found beside it.
    ("tbbmalloc", "libtbbmalloc_proxy.so.2"),
)


class BadLibraries(Exception):
    """BENCH_LIBS is not a list of NAME=PATH."""


def clean_environment():
    """What every measured process gets: nothing that steers an allocator."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C",
            "HOME": "/nonexistent"}


def parse(text):
    """The (name, path) pairs of BENCH_LIBS."""
    taken = {OURS, LIBC, FLOOR} | {name for name, _ in DEBIAN}
    pairs = []
    for word in filter(None, text.split(",")):
        name, equals, path = word.partition("=")
        if not equals or not re.fullmatch(r"[\w.+-]{1,16}", name) or not path:
            raise BadLibraries("%r is not NAME=PATH" % word)
        if name in taken:
            raise BadLibraries("the name %r is taken" % name)
        taken.add(name)
        pairs.append((name, path))
    return pairs


def cached_paths():
    """What ld.so's cache knows: soname to the paths, best first."""
    ldconfig = shutil.which("ldconfig") or "/sbin/ldconfig"
    paths = {}
    try:
        out = subprocess.run([ldconfig, "-p"], capture_output=True, text=True,
                             check=False).stdout
    except OSError:
        out = ""
    for match in re.finditer(r"^\s*(\S+) \(.*\) => (/.*)$", out, re.M):
        paths.setdefault(match[1], []).append(match[2])
    return paths


def refusal(path):
    """Why a program does not run with PATH preloaded, or None."""
    if not os.path.exists(path):
        return "there is no %s" % path
    environment = dict(clean_environment(), LD_PRELOAD=path)
    try:
        run = subprocess.run(["cat", "/proc/self/maps"], capture_output=True,
                             text=True, errors="replace", timeout=20,
                             env=environment, check=False)
    except subprocess.TimeoutExpired:
        return "cat hangs under %s" % path
    if "ERROR: ld.so" in run.stderr:
        return "ld.so refuses %s" % path
    if run.returncode != 0 or run.stderr:
        said = (run.stderr.strip().splitlines() or ["nothing said"])[0]
        return "cat fails under %s (exit status %d): %s" % (
            path, run.returncode, said)
    if os.path.realpath(path) not in run.stdout:
        return "%s is not in the map of a process that preloads it" % path
    return None


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True,
                              check=False).stdout.strip()
    except OSError:
        return ""


def version_of(path):
    """The package's version, or else the name of the file itself."""
    real = os.path.realpath(path)
    for name in {real, path, re.sub("^/usr/", "/", real)}:
        package = output_of("dpkg-query", "-S", name).partition(": ")[0]
        if package:
            return output_of("dpkg-query", "-W", "-f", "${Version}",
                             package.split(",")[0])
    return os.path.basename(real)


def version_of_ours(path):
    """As the library's own report says, if it was built with reports."""
    environment = dict(clean_environment(), LD_PRELOAD=path,
                       HAKMEM_STATS="exit", HAKMEM_STATS_FORMAT="json")
    run = subprocess.run(["cat", "/dev/null"], capture_output=True, text=True,
                         env=environment, check=False)
    found = re.search(r'"version": "([^"]*)"', run.stderr)
    return found[1] if found else os.path.basename(os.path.realpath(path))


def find(ours, extra):
    """(libraries, left out as (name, why)); libc first, then ours."""
    candidates = [(OURS, [ours])]
    cache = cached_paths()
    left_out = []
    for name, soname in DEBIAN:
        if soname in cache:
            candidates.append((name, cache[soname]))
        else:
            left_out.append((name, "%s is not installed" % soname))
    candidates += [(name, [os.path.abspath(path)]) for name, path in extra]
    libraries = [Library(LIBC, "-", os.confstr("CS_GNU_LIBC_VERSION") or "",
                         False)]
    for name, paths in candidates:
        # The cache may hold libraries of other machine types first.
        refusals = {path: refusal(path) for path in paths}
        path = next((p for p in paths if refusals[p] is None), None)
        if path is None:
            left_out.append((name, refusals[paths[0]]))
            continue
        version = version_of_ours if name == OURS else version_of
        libraries.append(Library(name, path, version(path), name != OURS))
    return libraries, left_out
