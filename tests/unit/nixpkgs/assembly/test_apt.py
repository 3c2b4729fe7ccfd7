"""What apt says, recorded on Debian 12, is read right; no apt and no lists are said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nixdock.errors import BuildError
from nixdock.nixpkgs.assembly.apt import Apt, Index, address, fetchable, parse_relations, parse_stanzas

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parents[2] / "data" / "apt"

CONFIG = """#!/bin/sh
# Answers `apt-config shell VARIABLE NAME...` as apt does.
shift
while [ $# -gt 1 ]; do
  case $2 in
    APT::Architecture) echo "$1='amd64'" ;;
    Dir::State::lists/d) echo "$1='/var/lib/apt/lists/'" ;;
  esac
  shift 2
done
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put programs on the PATH that answer as recorded."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str, script: str) -> Path:
        file = folder / name
        file.write_text(script)
        file.chmod(0o755)
        return file

    put("apt-config", CONFIG)
    return put


def print_file(file: Path) -> str:
    return f"#!/bin/sh\necho \"$@\" >> '{file.name}.asked'\ncat '{file}'\n"


def test_indexes_are_read(programs: Callable[[str, str], Path]) -> None:
    programs("apt-get", f"#!/bin/sh\ncat '{DATA}/indextargets.txt'\n")
    first, *rest = Apt().indexes()
    assert first == Index(
        repository="http://mirror.example/debian/",
        release="bookworm",
        component="main",
        architecture="amd64",
        origin="Debian",
        codename="bookworm",
        file=Path("/var/lib/apt/lists/mirror.example_debian_dists_bookworm_main_binary-amd64_Packages.lz4"),
    )
    assert [one.release for one in rest] == ["bookworm-updates", "bookworm-security"]


def test_third_party_repositories_are_left_out(programs: Callable[[str, str], Path]) -> None:
    lines = (DATA / "indextargets.txt").read_text()
    foreign = lines.splitlines()[0].replace("\tDebian\t", "\tNode Source\t").replace("bookworm", "nodistro")
    programs("apt-get", f"#!/bin/sh\ncat <<'END'\n{foreign}\n{lines}END\n")
    assert [one.release for one in Apt().indexes()] == ["bookworm", "bookworm-updates", "bookworm-security"]


def test_only_third_party_repositories_are_an_error(programs: Callable[[str, str], Path]) -> None:
    foreign = (DATA / "indextargets.txt").read_text().replace("\tDebian\t", "\tNode Source\t")
    programs("apt-get", f"#!/bin/sh\ncat <<'END'\n{foreign}END\n")
    with pytest.raises(BuildError, match="no package lists of Debian for amd64, only of: Node Source"):
        Apt().indexes()


def test_missing_lists_are_said_with_the_command_that_mends_it(
    programs: Callable[[str, str], Path],
) -> None:
    programs("apt-get", "#!/bin/sh\n")
    with pytest.raises(BuildError, match="apt has no package lists") as caught:
        Apt().indexes()
    assert caught.value.hint == "run `apt-get update` as root"


def test_no_apt_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="no apt-get on this machine") as caught:
        Apt().indexes()
    assert "--nixpkgs" in str(caught.value.hint)


def test_what_apt_complains_of_is_shown(programs: Callable[[str, str], Path]) -> None:
    programs("apt-get", "#!/bin/sh\necho 'E: Malformed entry 1 in list file' >&2\nexit 100\n")
    with pytest.raises(BuildError, match="apt-get failed") as caught:
        Apt().indexes()
    assert caught.value.details == "E: Malformed entry 1 in list file"


def test_packages_are_read(programs: Callable[[str, str], Path]) -> None:
    programs("apt-get", f"#!/bin/sh\ncat '{DATA}/indextargets.txt'\n")
    programs("apt-cache", f"#!/bin/sh\ncat '{DATA}/dumpavail.txt'\n")
    apt = Apt()
    packages = apt.packages(apt.indexes())
    hello = packages["hello"]
    assert hello.version == "2.10-3"
    assert hello.filename == "pool/main/h/hello/hello_2.10-3_amd64.deb"
    assert len(hello.sha256) == 64
    assert hello.depends == (("libc6",),)
    assert hello.description == "example package based on GNU hello"
    assert packages["bsd-mailx"].depends[0] == ("default-mta", "mail-transport-agent")
    assert "mail-transport-agent" in packages["postfix"].provides


def test_apt_is_asked_of_debians_lists_alone_and_of_no_state(programs: Callable[[str, str], Path]) -> None:
    programs("apt-get", f"#!/bin/sh\ncat '{DATA}/indextargets.txt'\n")
    spy = programs(
        "apt-cache",
        f"""#!/bin/sh
echo "$@" > "$0.asked"
for word; do
  case $word in Dir::Etc::sourcelist=*) cat "${{word#*=}}" > "$0.sources" ;; esac
done
cat '{DATA}/dumpavail.txt'
""",
    )
    apt = Apt()
    apt.packages(apt.indexes())
    asked = spy.with_name("apt-cache.asked").read_text()
    assert "Dir::State::status=/dev/null" in asked
    assert "Dir::Cache::pkgcache= " in asked
    assert "Dir::Etc::sourceparts=/dev/null" in asked
    assert spy.with_name("apt-cache.sources").read_text().splitlines() == [
        "deb http://mirror.example/debian-security/ bookworm-security main",
        "deb http://mirror.example/debian/ bookworm main",
        "deb http://mirror.example/debian/ bookworm-updates main",
    ]


def test_packages_of_other_architectures_are_left_out(programs: Callable[[str, str], Path]) -> None:
    text = (DATA / "dumpavail.txt").read_text()
    foreign = "Package: hello\nVersion: 9\nArchitecture: i386\nFilename: x\nSHA256: 0\n\n"
    programs("apt-get", f"#!/bin/sh\ncat '{DATA}/indextargets.txt'\n")
    programs("apt-cache", f"#!/bin/sh\ncat <<'END'\n{text}{foreign}END\n")
    apt = Apt()
    assert apt.packages(apt.indexes())["hello"].version == "2.10-3"


def test_empty_lists_are_said(programs: Callable[[str, str], Path]) -> None:
    programs("apt-get", f"#!/bin/sh\ncat '{DATA}/indextargets.txt'\n")
    programs("apt-cache", "#!/bin/sh\n")
    apt = Apt()
    with pytest.raises(BuildError, match="apt's package lists are empty"):
        apt.packages(apt.indexes())


def test_the_first_line_of_a_field_counts() -> None:
    text = (
        "Package: a\nDescription: short\n long\n .\n more: Package: b\nVersion: 1\n\nPackage: b\nVersion: 2\n"
    )
    assert parse_stanzas(text) == [
        {"Package": "a", "Description": "short", "Version": "1"},
        {"Package": "b", "Version": "2"},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("libc6 (>= 2.34)", (("libc6",),)),
        ("a (>= 1), a (<< 2), b", (("a",), ("b",))),
        ("python3:any (>= 3.10~)", (("python3",),)),
        ("a | b (>= 1) | c:native", (("a", "b", "c"),)),
        ("libstdc++6, g++-12 [amd64]", (("libstdc++6",), ("g++-12",))),
        ("a, , b,", (("a",), ("b",))),
    ],
)
def test_relations(text: str, expected: tuple[tuple[str, ...], ...]) -> None:
    assert parse_relations(text) == expected


def test_addresses_that_nix_can_fetch_from(tmp_path: Path) -> None:
    mirrors = tmp_path / "mirrors.list"
    mirrors.write_text("# of the cloud\n\nmirror://one.example/x\nhttps://two.example/debian/\tpriority:1\n")
    assert fetchable("http://mirror.example/debian/") == "http://mirror.example/debian"
    assert fetchable("copy:/media/disk/") == "file:/media/disk"
    assert fetchable(f"mirror+file:{mirrors}") == "https://two.example/debian"
    assert fetchable(f"mirror+file:{tmp_path}/none") is None
    assert fetchable("cdrom:[Debian]/") is None


def test_a_files_name_is_quoted_in_its_address() -> None:
    name = "pool/main/g/g++/x_1%3a2~rc1+b_all.deb"
    assert (
        address("http://mirror.example", name)
        == "http://mirror.example/pool/main/g/g++/x_1%253a2~rc1+b_all.deb"
    )
