# Workloads of Python programs; the argument chooses.  Output is repeatable.
import hashlib
import sys


def json_():
    import json
    tree = [{"id": i, "name": "n%d" % i, "list": list(range(i % 50)),
             "text": "\u00e4" * (i % 300)} for i in range(8000)]
    for _ in range(3):
        text = json.dumps(tree, sort_keys=True)
        tree = json.loads(text)
    print(len(text), hashlib.sha256(text.encode()).hexdigest())


def sqlite():
    import sqlite3
    db = sqlite3.connect("work.db")
    db.execute("create table t (a integer primary key, b text, c real)")
    db.executemany("insert into t values (?, ?, ?)",
                   ((i, "row %d" % (i * 7919 % 30011), i / 3)
                    for i in range(30000)))
    db.execute("create index tb on t (b)")
    db.commit()
    print(db.execute("select count(*), sum(c), max(b) from t").fetchone())
    print(db.execute("select b from t where b like 'row 1%' order by b desc "
                     "limit 5").fetchall())
    print(db.execute("pragma integrity_check").fetchone())


def ssl_():
    # A TLS session within the process: memory buffers are the wire.
    import ssl
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain("cert.pem", "key.pem")
    client = ssl.create_default_context(cafile="cert.pem")
    for number in range(20):
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        c = client.wrap_bio(down, up, server_hostname="localhost")
        s = server.wrap_bio(up, down, server_side=True)
        open_ends = [c, s]
        while open_ends:
            for end in list(open_ends):
                try:
                    end.do_handshake()
                    open_ends.remove(end)
                except ssl.SSLWantReadError:
                    pass
        for size in (1, 1000, 16000):
            c.write(b"x" * size)
            assert s.read(20000) == b"x" * size
    print(c.version(), number + 1)


def threads():
    import concurrent.futures
    import threading
    import zlib

    def one(n):
        words = ["%d:%d" % (n, i) for i in range(2000)]
        packed = zlib.compress(" ".join(words).encode())
        return sorted(zlib.decompress(packed).split())[n % 2000]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        print(hashlib.sha256(b"".join(pool.map(one, range(300)))).hexdigest())
    total = []
    for n in range(300):
        t = threading.Thread(target=lambda: total.append(bytes(n * 100)))
        t.start()
        t.join()
    print(sum(map(len, total)))


def ctypes_():
    import ctypes
    libc = ctypes.CDLL(None)
    libc.malloc.restype = libc.realloc.restype = ctypes.c_void_p
    libc.strdup.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    for size in list(range(1, 3000, 7)) + [100000, 3000000]:
        p = libc.malloc(ctypes.c_size_t(size))
        ctypes.memset(p, 65, size)
        p = libc.realloc(p, size * 2)
        assert ctypes.string_at(p, size) == b"A" * size
        libc.free(p)
        p = libc.strdup(b"text" * size)
        assert ctypes.string_at(p) == b"text" * size
        libc.free(p)
    order = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int),
                             ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 3000)(*(i * 7919 % 3001 for i in range(3000)))
    libc.qsort(numbers, 3000, 4, order(lambda a, b: a[0] - b[0]))
    print(list(numbers[:5]), list(numbers[-5:]))


{"json": json_, "sqlite": sqlite, "ssl": ssl_, "threads": threads,
 "ctypes": ctypes_}[sys.argv[1]]()
