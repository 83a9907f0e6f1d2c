# A large JSON tree: build it, write it, read it back, drop it.
import json
import zlib

PARTS = 9000


def part(i):
    return {"id": i, "name": "part %d" % i, "weight": i / 7,
            "tags": ["t%d" % (i * k % 97) for k in range(i % 13)],
            "place": {"row": i // 50, "column": i % 50, "free": i % 3 == 0},
            "text": "abc " * (i % 60)}


for turn in range(2):
    tree = {"parts": [part(i + turn) for i in range(PARTS)]}
    text = json.dumps(tree, sort_keys=True)
    back = json.loads(text)
    assert back == tree
    del tree
    back["parts"] = [p for p in back["parts"] if p["id"] % 2]
    print(len(text), len(back["parts"]), zlib.crc32(text.encode()))
