"""Writes docs/reference/status.schema.json, and the tables of status.md beside it, from the classes of the document.

`python -m tests.view.reference` writes both anew; a test says when that is due.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from hactl.view.status_schema import status_schema

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
SCHEMA = FOLDER / "status.schema.json"
PAGE = FOLDER / "status.md"
MARK = "<!-- below: written by `python -m tests.view.reference` from hactl/view/status.py -->"


def schema_text() -> str:
    return json.dumps(status_schema(), indent=2, ensure_ascii=False) + "\n"


def page_text() -> str:
    """The page as it is, with its tables as they should be."""
    head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    return head + MARK + "\n" + "\n".join(_tables()) + "\n"


def _tables() -> Iterator[str]:
    schema = status_schema()
    yield from _table("The document", schema)
    for name, definition in schema["$defs"].items():
        yield from _table(name, definition)


def _table(title: str, definition: Mapping[str, object]) -> Iterator[str]:
    yield from ("", f"## {title}", "", definition["description"], "", "| field | type |", "|---|---|")
    for name, field in definition["properties"].items():
        yield f"| `{name}` | {_type(field)} |"


def _type(field: Mapping[str, object]) -> str:
    match field:
        case {"$ref": str(target)}:
            name = target.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"enum": list(values)}:
            return " or ".join(f"`{json.dumps(value)}`" for value in values)
        case {"anyOf": list(kinds)}:
            return " or ".join(map(_type, kinds))
        case {"items": dict(inner)}:
            return f"array of {_type(inner)}"
        case {"additionalProperties": dict(inner)}:
            return f"object of {_type(inner)}"
        case {"type": str(name)}:
            return name
    raise ValueError(field)


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    PAGE.write_text(page_text(), encoding="utf-8")
    sys.stdout.write(f"{SCHEMA}\n{PAGE}\n")
