"""docs/dashboard.md is true: its settings are valid, and every setting that there is stands in it."""

from __future__ import annotations

import re
from pathlib import Path

from hactl.config.dashboard import load_settings
from hactl.model.dashboard import THEMES
from hactl.tui.names import known

TEXT = (Path(__file__).parents[2] / "docs" / "dashboard.md").read_text("utf-8")


def test_the_example_is_valid_and_says_everything(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    path = tmp_path / "dashboard.toml"
    path.write_text(example)
    found = load_settings(path, known())
    assert found.keys["help"] == "f12,?"
    assert found.columns["nodes"].hide
    assert found.columns["nodes"].show
    for setting in ("theme", "read_only", "bell"):
        assert re.search(rf"^{setting} = ", example, re.MULTILINE)
    for theme in THEMES:
        assert f'"{theme}"' in example
