"""What an image is made of and where from: pure, on folders of its own."""

import pytest

from hactl.lab import image

SUITES = {"bookworm", "bookworm-updates", "bookworm-security"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deb http://m/debian bookworm main contrib", ("deb http://m/debian bookworm main contrib",)),
        (
            "deb [signed-by=/k.gpg] http://m/d bookworm main # ours",
            ("deb [signed-by=/k.gpg] http://m/d bookworm main",),
        ),
        ("deb-src http://m/debian bookworm main", ()),
        ("# deb http://m/debian bookworm main", ()),
        (
            "deb https://other/apt stable main\n  deb http://m bookworm-updates main",
            ("deb http://m bookworm-updates main",),
        ),
        ("", ()),
    ],
)
def test_one_line_sources(text, expected):
    assert image.parse_one_line(text, SUITES) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                "Types: deb deb-src\n# a comment\nURIs: http://m/debian\nSuites: bookworm bookworm-updates sid\n"
                "Components: main\nSigned-By: /k.gpg\n"
            ),
            (
                "deb [signed-by=/k.gpg] http://m/debian bookworm main",
                "deb [signed-by=/k.gpg] http://m/debian bookworm-updates main",
            ),
        ),
        ("Types: deb\nURIs: http://m\nSuites: bookworm\nComponents: main\nEnabled: no\n", ()),
        ("Types: deb-src\nURIs: http://m\nSuites: bookworm\nComponents: main\n", ()),
        (
            (
                "Types: deb\nURIs: http://a\n http://b\nSuites: bookworm\nComponents: main\n\n"
                "Types: deb\nURIs: http://c\nSuites: nodistro\nComponents: main\n"
            ),
            ("deb http://a bookworm main", "deb http://b bookworm main"),
        ),
        (
            (
                "Types: deb\nURIs: http://m\nSuites: bookworm\nComponents: main\n"
                "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"
            ),
            ("deb http://m bookworm main",),
        ),
    ],
)
def test_deb822_sources(text, expected):
    assert image.parse_deb822(text, SUITES) == expected


def test_packages_skip_comments():
    assert image.packages("# all\nsystemd  # init\n\nsudo\n") == ("systemd", "sudo")


@pytest.fixture
def provision(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "packages.txt").write_text("systemd\n")
    (tmp_path / "image.sh").write_text("true\n")
    (tmp_path / "shop" / "app.py").write_text("print()\n")
    (tmp_path / "node.sh").write_text("true\n")
    return tmp_path


@pytest.mark.parametrize("file", ["packages.txt", "image.sh", "repo.sh", "shop/app.py", "shop/new.py"])
def test_the_hash_follows_what_makes_an_image(provision, file):
    before = image.image_hash(provision, "bookworm")
    (provision / file).write_text("changed\n")
    assert image.image_hash(provision, "bookworm") != before


def test_the_hash_follows_the_suite_and_nothing_else(provision):
    before = image.image_hash(provision, "bookworm")
    (provision / "node.sh").write_text("changed\n")
    (provision / "shop" / "__pycache__").mkdir()
    (provision / "shop" / "__pycache__" / "app.pyc").write_bytes(b"x")
    assert image.image_hash(provision, "bookworm") == before
    assert image.image_hash(provision, "trixie") != before


def test_contents_cannot_move_between_files_unnoticed(tmp_path):
    for name, one, two in (("a", "xy", "z"), ("b", "x", "yz")):
        (tmp_path / name / "t").mkdir(parents=True)
        (tmp_path / name / "t" / "1").write_text(one)
        (tmp_path / name / "t" / "2").write_text(two)
    assert image.tree_hash(tmp_path / "a" / "t") != image.tree_hash(tmp_path / "b" / "t")
