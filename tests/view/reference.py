"""Writes the schemas in docs/reference, and the tables of the pages beside them, from the classes of the documents.

`python -m tests.view.reference` writes all anew; a test says when that is due.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from hactl.view import (
    backups_document,
    drills_document,
    plan_document,
    replication_document,
    role_history,
    run_document,
    vips,
)
from hactl.view.status_schema import document_schema, status_schema

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def _schemas() -> Mapping[str, Mapping[str, object]]:
    return {
        "status": status_schema(),
        "plan": document_schema(plan_document.PlanDocument, plan_document.SCHEMA, "hactl drain --plan"),
        "run": document_schema(run_document.RunDocument, run_document.SCHEMA, "hactl runs show"),
        "db-status": document_schema(
            replication_document.ReplicationDocument, replication_document.SCHEMA, "hactl db status"
        ),
        "db-history": document_schema(role_history.HistoryDocument, role_history.SCHEMA, "hactl db history"),
        "backups": document_schema(backups_document.BackupsDocument, backups_document.SCHEMA, "hactl backup list"),
        "drills": document_schema(drills_document.DrillsDocument, drills_document.SCHEMA, "hactl drill list"),
        "vips": document_schema(vips.VipsDocument, vips.SCHEMA, "hactl vip status"),
    }


SCHEMAS = _schemas()
# What each page's tables are made from: a schema, and what its document is called there.
PAGES = {"status": {"The document": "status"}, "run": {"The plan": "plan", "The run": "run"}}
_SOURCES = {"status": "hactl/view/status.py", "run": "hactl/view/plan_document.py and run_document.py"}


def schema_path(name: str) -> Path:
    return FOLDER / f"{name}.schema.json"


def page_path(name: str) -> Path:
    return FOLDER / f"{name}.md"


def schema_text(name: str) -> str:
    return json.dumps(SCHEMAS[name], indent=2, ensure_ascii=False) + "\n"


def page_text(name: str) -> str:
    """The page as it is, with its tables as they should be."""
    mark = f"<!-- below: written by `python -m tests.view.reference` from {_SOURCES[name]} -->"
    head = page_path(name).read_text(encoding="utf-8").partition(mark)[0]
    return head + mark + "\n" + "\n".join(_tables(PAGES[name])) + "\n"


def _tables(documents: Mapping[str, str]) -> Iterator[str]:
    """The documents, then what they are made of, each once."""
    parts: dict[str, Mapping[str, object]] = {}
    for title, name in documents.items():
        yield from _table(title, SCHEMAS[name])
        parts |= SCHEMAS[name]["$defs"]
    for name, definition in sorted(parts.items()):
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
        case {"const": value}:
            return f"`{json.dumps(value)}`"
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
    for each in SCHEMAS:
        schema_path(each).write_text(schema_text(each), encoding="utf-8")
        sys.stdout.write(f"{schema_path(each)}\n")
    for each in PAGES:
        page_path(each).write_text(page_text(each), encoding="utf-8")
        sys.stdout.write(f"{page_path(each)}\n")
