from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nixdock import process
from nixdock.errors import BuildError
from nixdock.nix.store import (
    find_invalid,
    hold_roots,
    lies_elsewhere,
    list_requisites,
    locate,
    name_of,
    store_path_of,
)

HASH = "2y0ckpl0wa9mysccwi9xibcpar6b3kyx"


def test_a_store_path_has_a_hash_and_a_name() -> None:
    path = f"/nix/store/{HASH}-docker-image-hello.tar.gz"
    assert name_of(path) == "docker-image-hello.tar.gz"
    assert name_of(f"{path}.drv") == "docker-image-hello.tar.gz"
    assert name_of("/tmp/plain") == "plain"


def test_the_store_path_of_something_inside_is_found() -> None:
    whole = Path(f"/nix/store/{HASH}-hello")
    assert store_path_of(whole) == whole
    assert store_path_of(whole / "bin" / "hello") == whole
    assert store_path_of(Path("/nix/store")) is None
    assert store_path_of(Path("/nix/store/.links/x")) is None
    assert store_path_of(Path("/tmp") / whole.name) is None


def test_in_a_sandbox_a_file_says_what_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Nix writes it for `exportReferencesGraph`, with what else it knows of each path."""
    valid, other = f"/nix/store/{HASH}-valid", f"/nix/store/{HASH}-other"
    listed = tmp_path / "closure"
    listed.write_text(f"{valid}\n\n1\n{valid}\n")
    monkeypatch.setenv("NIXDOCK_STORE_PATHS", str(listed))
    assert find_invalid([valid, other]) == {other}
    listed.unlink()
    with pytest.raises(BuildError, match="which NIXDOCK_STORE_PATHS names, cannot be read"):
        find_invalid([valid])


def registered(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    os.utime(file, (1, 1))
    return file


def test_a_path_is_found_in_the_root_of_its_store(tmp_path: Path) -> None:
    path = Path(f"/nix/store/{HASH}-x")
    file = registered(tmp_path / "a root" / path.relative_to("/"))
    assert locate(path, f"{tmp_path}/a root") == file
    assert locate(path, f"local?root={tmp_path}/a%20root") == file
    assert locate(path, f"{tmp_path}/another") is None
    assert locate(path, "ssh://elsewhere") is None
    assert locate(path) is None


@pytest.mark.parametrize(
    ("store", "remote", "elsewhere"),
    [
        (None, "", False),
        ("daemon", "", False),
        ("ssh://there", "", False),
        ("/other", "", True),
        ("local?root=/other", "", True),
        (None, "daemon", False),
        (None, "local?root=/other", True),
        ("daemon", "local?root=/other", False),
    ],
)
def test_a_store_with_a_root_of_its_own_lies_elsewhere(
    store: str | None, remote: str, elsewhere: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIX_REMOTE", remote)
    monkeypatch.setenv("NIX_STORE_DIR", str(tmp_path))
    assert lies_elsewhere(store) is elsewhere


def test_a_user_without_a_store_has_it_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NIX_REMOTE", raising=False)
    monkeypatch.setenv("NIX_STORE_DIR", str(tmp_path / "nowhere"))
    assert lies_elsewhere()


def test_the_root_of_the_store_may_come_with_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(f"/nix/store/{HASH}-x")
    file = registered(tmp_path / path.relative_to("/"))
    monkeypatch.setenv("NIX_REMOTE", f"local?root={tmp_path}")
    assert locate(path) == file


def test_a_user_without_daemon_has_a_store_below_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(f"/nix/store/{HASH}-x")
    file = registered(tmp_path / "nix" / "root" / path.relative_to("/"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert locate(path) == file


def test_what_a_broken_build_left_does_not_count(tmp_path: Path) -> None:
    path = Path(f"/nix/store/{HASH}-x")
    file = registered(tmp_path / path.relative_to("/"))
    os.utime(file)
    assert locate(path, str(tmp_path)) is None


def test_a_closure_is_read_in_the_order_of_need(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Path(f"/nix/store/{HASH}-a"), Path(f"/nix/store/{HASH}-b")
    calls: list[list[str]] = []

    def run(argv: list[str]) -> process.Outcome:
        calls.append(argv)
        return process.Outcome(tuple(argv), 0, f"{b}\n{a}\n".encode(), b"")

    monkeypatch.setattr(process, "run", run)
    assert list_requisites([a], store="/root") == (b, a)
    assert calls == [["nix-store", "--query", "--requisites", str(a), "--store", "/root"]]


def test_a_path_that_was_collected_has_no_closure(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"warning: x\nerror: path '/nix/store/{HASH}-a' is not valid\n"
    outcome = process.Outcome((), 1, b"", text.encode())
    monkeypatch.setattr(process, "run", lambda _argv: outcome)
    with pytest.raises(BuildError, match="is not valid") as caught:
        list_requisites([Path(f"/nix/store/{HASH}-a")])
    assert caught.value.hint == "build again; Nix's garbage collector may have removed them"


def test_no_nix_is_told_with_the_package_that_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="Nix is not installed here") as caught:
        list_requisites([Path(f"/nix/store/{HASH}-a")])
    assert caught.value.hint is not None
    assert "apt-get install nix-bin" in caught.value.hint


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"nixdock-roots-{os.getuid()}"


def test_roots_last_as_long_as_their_block(temporary: Path) -> None:
    with hold_roots() as first, hold_roots() as second:
        assert first != second
        (first / "result").symlink_to("/nix/store/x")
        assert first.parent == temporary
        assert temporary.stat().st_mode & 0o777 == 0o700
    assert list(temporary.iterdir()) == []


def test_roots_go_when_the_block_fails(temporary: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold_roots():
        _ = 1 / 0
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_goes_at_the_next_start_and_what_lives_stays(temporary: Path) -> None:
    dead, alive = temporary / "dead", temporary / "alive"
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / "lock").touch()
    with (alive / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with hold_roots():
            assert alive.exists()
            assert not dead.exists()


def test_a_folder_that_was_never_finished_goes_only_when_it_is_old(temporary: Path) -> None:
    young, old = temporary / "new-young", temporary / "new-old"
    young.mkdir(parents=True)
    old.mkdir()
    os.utime(old, (0, 0))
    with hold_roots():
        assert young.exists()
        assert not old.exists()


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.symlink_to(path.parent),
        lambda path: path.symlink_to("/nowhere"),
        lambda path: path.touch(),
        os.mkfifo,
        lambda path: (path.mkdir(), path.chmod(0o777)),
    ],
    ids=["a link", "a link to nothing", "a file", "a pipe", "a folder that all write to"],
)
def test_what_somebody_else_may_have_made_is_not_used(
    make: Callable[[Path], object], temporary: Path
) -> None:
    make(temporary)
    with hold_roots() as folder:
        assert folder.is_dir()
        assert folder.parent == temporary.parent
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()
    assert list(temporary.parent.iterdir()) == [temporary]
