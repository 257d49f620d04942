"""Blocks of Python in the documentation that need more than the extra `test` has."""

import re
from pathlib import Path

import fastvec
from fastvec import demo

DOCS = Path(__file__).parents[1] / "docs"


def run(page, word, folder, monkeypatch):
    """Run the blocks of a page that contain a word, in a folder with texts, and return what they define."""
    monkeypatch.chdir(folder)
    lines = [" ".join(words) for _, words in zip(range(3000), demo.sentences(), strict=False)]
    for name, part in (("your.txt", lines), ("shards/0.txt", lines[:1000]), ("shards/1.txt", lines[1000:])):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("\n".join([*part, ""]), encoding="utf-8")
    fastvec.Cooccurrence(window=5, min_count=5).fit("shards/*.txt").save("one.fvcounts")
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.S | re.M)
    chosen = [block for block in blocks if word in block]
    assert chosen
    names = {"fastvec": fastvec, "Path": Path}
    for block in chosen:
        exec(block, names)
    return names
