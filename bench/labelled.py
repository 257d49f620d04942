"""Make two labelled sets from what a Debian machine has: sentences in many languages, and tags of packages.

    python bench/labelled.py --data FOLDER

- `languages` are the translated messages of programs, in /usr/share/locale, or in ``--locale FOLDER``: a
  sentence in each line, with its language. Programs such as git, coreutils and gnupg-l10n, and the package
  iso-codes, bring messages in dozens of languages, unless dpkg is set to leave translations out.
- `packages` are the descriptions of Debian's packages with their tags, several each, as apt-cache prints
  them after ``apt-get update``, or the file ``--packages FILE`` with what ``apt-cache dumpavail`` prints.

Each becomes three files in FOLDER/labelled, NAME.train.txt, NAME.valid.txt and NAME.test.txt, in which lines
begin with their labels as fastText has them. A text is in one of them only: where it goes depends on the
text, or for packages on the source that they are built from.
"""

import argparse
import itertools
import os
import re
import struct
import subprocess
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PARTS = {"valid": range(1), "test": range(1, 3), "train": range(3, 10)}  # tenths
LENGTHS = range(20, 201)  # of sentences, in characters
SENTENCES = range(1000, 2001)  # of a language, or it is left out
LETTERS = 0.7  # of a sentence, at least: no tables, no options
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=。)|\n\s*\n")
PLACEHOLDER = re.compile(r"%[-+#0-9.$*]*(?:\(\w+\))?[hljztL]*[a-zA-Z]|\{\w*\}|<\w+>")
TAGGED = 20  # packages that have a tag, or it is left out


class Line(NamedTuple):
    """A text, its labels, and what says to which part it goes."""

    text: str
    labels: tuple[str, ...]
    key: str


def languages(locale: Path) -> list[Line]:
    """Return sentences with their languages: those of one language only, and as many of each as are there."""
    found: dict[str, dict[str, str]] = defaultdict(dict)  # sentences of a language by their letters
    owners: dict[str, set[str]] = defaultdict(set)
    for path in sorted(locale.glob("*/LC_MESSAGES/*.mo")):
        name = path.parts[-3]
        if "@" in name:  # in another script
            continue
        for messages, language in zip(
            catalog(path.read_bytes()), ("en", re.split("[_.]", name)[0]), strict=True
        ):
            for sentence in itertools.chain.from_iterable(map(sentences, messages)):
                letters = "".join(filter(str.isalpha, sentence.lower()))
                found[language].setdefault(letters, sentence)
                owners[letters].add(language)
    lines = []
    for language, of_language in sorted(found.items()):
        own = [letters for letters in of_language if len(owners[letters]) == 1]
        own.sort(key=lambda letters: zlib.crc32(letters.encode()))
        if len(own) >= SENTENCES.start:
            lines += [Line(of_language[key], (language,), key) for key in own[: SENTENCES[-1]]]
    return lines


def catalog(content: bytes) -> tuple[list[str], list[str]]:
    """Return the messages of a .mo file, and their translations."""
    order = "<" if content[:4] == b"\xde\x12\x04\x95" else ">"
    _, n, *tables = struct.unpack_from(f"{order}4I", content, 4)
    texts = []
    for table in tables:
        places = struct.iter_unpack(f"{order}2I", content[table : table + 8 * n])
        texts.append([content[start : start + length] for length, start in places])
    charset = re.search(rb"charset=([\w.-]+)", texts[1][0]) if n else None
    encoding = charset[1].decode() if charset else "utf-8"
    # messages with a context, or with a plural, have several parts
    return tuple(
        [part for text in column for part in re.split("[\0\4]", text.decode(encoding, "replace"))]
        for column in texts
    )


def sentences(message: str) -> Iterator[str]:
    """Yield the sentences of a message, without what a program fills in."""
    for part in SENTENCE_END.split(message):
        sentence = " ".join(PLACEHOLDER.sub(" ", part).split())
        if len(sentence) in LENGTHS and sum(map(str.isalpha, sentence)) >= LETTERS * len(sentence):
            yield sentence


def packages(available: str) -> list[Line]:
    """Return descriptions of packages with their tags."""
    found: dict[str, Line] = {}
    for paragraph in available.split("\n\n"):
        fields = dict(re.findall(r"^(\S+): *(.*(?:\n[ \t].*)*)", paragraph, re.MULTILINE))
        description = fields.get("Description", "").split("\n")[0]
        tags = tuple(sorted(tag for tag in re.split(r"[,\s]+", fields.get("Tag", "")) if tag))
        words = " ".join(re.findall(r"\w+|[^\w\s]", description.lower()))
        if words and tags:
            source = fields.get("Source", fields["Package"]).split()[0]
            found.setdefault(words, Line(words, tags, source))
    counts = Counter(tag for line in found.values() for tag in line.labels)
    kept = (
        line._replace(labels=tuple(tag for tag in line.labels if counts[tag] >= TAGGED))
        for line in found.values()
    )
    return [line for line in kept if line.labels]


def write(folder: Path, name: str, lines: Iterable[Line]) -> None:
    """Write lines in an order that has nothing to do with their labels, those of a part to its file."""
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for line in sorted(lines, key=lambda line: zlib.crc32(line.text.encode())):
        tenth = zlib.crc32(line.key.encode(), 1) % 10
        part = next(part for part, tenths in PARTS.items() if tenth in tenths)
        parts[part].append(" ".join([*(f"__label__{label}" for label in line.labels), line.text]) + "\n")
    folder.mkdir(parents=True, exist_ok=True)
    for part, content in parts.items():
        (folder / f"{name}.{part}.txt").write_text("".join(content), encoding="utf-8")
    labels = len({label for line in lines for label in line.labels})
    sizes = ", ".join(f"{len(content):,} to {part}" for part, content in parts.items())
    print(f"{name}: {labels} labels; {sizes}")


def available(path: Path | None) -> str:
    if path is not None:
        return path.read_text(encoding="utf-8")
    return subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout


def main(arguments: list[str] | None = None) -> int:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("FASTVEC_DATA")
    cli.add_argument("--data", type=Path, default=data, metavar="FOLDER", help="default: $FASTVEC_DATA")
    cli.add_argument("--locale", type=Path, default="/usr/share/locale", metavar="FOLDER")
    cli.add_argument("--packages", type=Path, metavar="FILE")
    options = cli.parse_args(arguments)
    if options.data is None:
        cli.error("the folder to write to must be named: --data FOLDER, or FASTVEC_DATA")
    made: dict[str, Callable[[], list[Line]]] = {
        "languages": lambda: languages(options.locale),
        "packages": lambda: packages(available(options.packages)),
    }
    failed = 0
    for name, make in made.items():
        try:
            lines = make()
        except (OSError, subprocess.CalledProcessError) as error:
            lines = []
            print(error, file=sys.stderr)
        if lines:
            write(options.data / "labelled", name, lines)
        else:
            failed = 1
            print(f"{name} is not made: see what it needs in --help", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
