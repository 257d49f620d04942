"""Tables, as notebooks show objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["FIRST", "table"]

FIRST = 5
"""How many words, sentences, phrases, ... are shown, the first ones."""


def table(title: object, heads: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with a row of heads and a title above it; each row begins with its name."""
    from html import escape  # which is not needed when fastvec is imported

    def escaped(value: object) -> str:
        return escape(str(value).encode(errors="backslashreplace").decode())

    def cells(kind: str, values: Iterable[object]) -> str:
        return "".join(f"<{kind}>{escaped(value)}</{kind}>" for value in values)

    head = cells("th", heads)
    body = "".join(f"<tr>{cells('th', row[:1])}{cells('td', row[1:])}</tr>" for row in rows)
    paragraph = f"<p>{escaped(title)}</p>" if title else ""
    return f"{paragraph}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
