"""The lab's apt repository and the shop's packages, as apt and dpkg see them."""

import hashlib
import os
import re
from pathlib import Path

import pytest

from tests.vagrant.places import PROVISION, run

pytestmark = pytest.mark.skipif(not Path("/usr/bin/dpkg-deb").exists(), reason="not Debian: no dpkg-deb, no apt")

SCRIPT = PROVISION / "repo.sh"
BUILD = PROVISION / "shop" / "build.sh"


@pytest.fixture
def repo(tmp_path):
    """Runs repo.sh on a repository of its own below `root`; the first act is `build`."""
    root = tmp_path / "root"

    def ask(*words):
        return run("sh", SCRIPT, *words, env={"REPO_ROOT": str(root), "PATH": os.environ["PATH"]})

    assert ask("build", PROVISION / "shop").returncode == 0
    ask.root = root
    return ask


def candidate(root):
    """The version of the shop that a real apt would install from the repository."""
    state = root / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "list").write_text(f"deb [trusted=yes] file:{root}/srv/apt ./\n")
    (state / "status").touch()
    options = {
        "Dir::Etc::sourcelist": state / "list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "root",
    }
    words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    done = run("apt-get", "update", "-qq", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return re.search(r"Candidate: (\S+)", run("apt-cache", "policy", "shop", *words).stdout)[1]


def test_offers_the_good_releases_until_told_otherwise(repo):
    assert repo("list").stdout.split() == ["1.0.0", "1.1.0"]
    assert candidate(repo.root) == "1.1.0"
    assert repo("offer", "1.2.0").returncode == 0
    assert repo("list").stdout.split() == ["1.0.0", "1.1.0", "1.2.0"]
    assert candidate(repo.root) == "1.2.0"
    assert repo("offer", "1.2.0").returncode == 0  # again
    assert repo("withdraw").returncode == 0
    assert repo("withdraw").returncode == 0
    assert candidate(repo.root) == "1.1.0"


def test_refuses_a_version_that_nobody_made(repo):
    before = repo("list").stdout
    done = repo("offer", "9.9.9")
    assert (done.returncode, done.stderr) == (2, "repo.sh: no shop 9.9.9 here, neither offered nor held back\n")
    assert repo("list").stdout == before


def test_without_a_word_it_explains_itself():
    done = run("sh", SCRIPT)
    assert done.returncode == 2
    assert "repo.sh offer VERSION" in done.stderr


def test_packages_come_out_the_same_every_time(tmp_path, repo):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        done = run("sh", BUILD, version, tmp_path, env={"PATH": os.environ["PATH"], "TZ": "Asia/Tokyo"})
        assert done.returncode == 0, done.stderr
        folder = "apt-held" if version == "1.2.0" else "apt"
        name = f"shop_{version}_all.deb"
        first, second = tmp_path / name, repo.root / "srv" / folder / name
        assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()


def test_a_package_holds_the_shop_and_belongs_to_root(repo):
    deb = repo.root / "srv" / "apt" / "shop_1.0.0_all.deb"
    listing = run("dpkg-deb", "--contents", deb).stdout
    assert {line.split()[1] for line in listing.splitlines()} == {"root/root"}
    files = {line.split()[5].removeprefix(".") for line in listing.splitlines() if line[0] == "-"}
    modules = {f"/usr/lib/shop/{path.name}" for path in (PROVISION / "shop" / "src").glob("*.py")}
    assert files == modules | {"/usr/lib/shop/release.py", "/lib/systemd/system/shop.service"}


def test_an_unknown_release_is_not_built(tmp_path):
    done = run("sh", BUILD, "3.0.0", tmp_path)
    assert (done.returncode, done.stderr) == (2, "build.sh: no release 3.0.0\n")
