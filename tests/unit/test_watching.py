"""Being told when files change: which events matter, and when what goes on is over."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from nixdock import watching
from nixdock.watching import LONGEST, QUIET, Coverage, FileWatch, Places, follow_names, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Clock(SimpleQueue[None]):
    """A queue whose events come at certain seconds, and the clock that goes with it."""

    def __init__(self, *times: float) -> None:
        self.times = [*times]
        self.now = 0.0

    def get(self, block: bool = True, timeout: float | None = None) -> None:
        assert timeout is not None
        if self.times and self.times[0] <= self.now + timeout:
            self.now = max(self.now, self.times.pop(0))
            return
        self.now += timeout
        raise Empty


@pytest.mark.parametrize(
    ("times", "over"),
    [
        ([], QUIET),
        ([0.01, 0.02, 0.03], 0.03 + QUIET),
        ([QUIET - 0.001, 2 * QUIET - 0.002], 3 * QUIET - 0.002),
        # After a moment of quiet what comes is another change.
        ([0.01, 0.5], 0.01 + QUIET),
    ],
)
def test_a_change_is_over_once_it_is_quiet(times: list[float], over: float) -> None:
    clock = Clock(*times)
    settle(clock, lambda: clock.now)
    assert clock.now == pytest.approx(over)


def test_a_change_that_never_ends_is_waited_out_no_longer_than_that() -> None:
    clock = Clock(*(number / 100 for number in range(100_000)))
    settle(clock, lambda: clock.now)
    assert clock.now == pytest.approx(LONGEST, abs=0.02)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "listed").mkdir()
    for name in ("app.py", "other.py", "tree/deep/file", "listed/file"):
        (tmp_path / name).write_text("1")
    return tmp_path


def cover(root: Path, *, files: str = "", directories: str = "", trees: str = "") -> Coverage:
    parts = (frozenset(str(root / name) for name in text.split()) for text in (files, directories, trees))
    return Coverage(Places(*parts))


def test_of_a_file_s_folder_its_name_alone_matters(root: Path) -> None:
    covered = cover(root, files="app.py")
    assert covered.concerns(str(root / "app.py"))
    # The folder itself may go, and come again.
    assert covered.concerns(str(root))
    for name in ("other.py", ".app.py.swp", "app.py~", "4913", "listed/file", "app.py/x"):
        assert not covered.concerns(str(root / name)), name
    assert set(covered.folders) == {str(root), str(root.parent)}
    assert covered.trees == {}


def test_of_a_listed_directory_every_entry_matters_and_nothing_below(root: Path) -> None:
    covered = cover(root, directories="listed")
    assert covered.concerns(str(root / "listed" / "new"))
    assert not covered.concerns(str(root / "listed" / "sub" / "new"))
    assert not covered.concerns(str(root / "app.py"))


def test_of_a_tree_all_matters(root: Path) -> None:
    covered = cover(root, trees="tree")
    assert covered.concerns(str(root / "tree" / "deep" / "new"))
    assert covered.concerns(str(root / "tree"))
    assert not covered.concerns(str(root / "tree2"))
    assert list(covered.trees) == [str(root / "tree")]


def test_what_is_not_there_is_awaited_where_it_will_begin(root: Path) -> None:
    covered = cover(root, files="none/of/this")
    assert list(covered.folders) == [str(root)]
    assert covered.concerns(str(root / "none"))
    assert not covered.concerns(str(root / "app.py"))


def test_a_link_is_a_name_and_leads_to_another(root: Path) -> None:
    (root / "current").symlink_to("listed")
    names = [*follow_names(str(root / "current" / "file"))]
    assert names == [str(root / "current"), str(root / "listed"), str(root / "listed" / "file")]
    (root / "circle").symlink_to("circle")
    assert str(root / "circle") in [*follow_names(str(root / "circle"))]


class Looks:
    """Counts the looks that a watch calls for."""

    def __init__(self) -> None:
        self._looks: SimpleQueue[None] = SimpleQueue()
        self.watch = FileWatch(lambda: self._looks.put(None))

    def over(self, places: Places) -> Looks:
        self.watch.watch(places)
        # Beginning to watch is itself a reason to look.
        self._looks.get(timeout=30)
        return self

    def after(self, act: Callable[[], object]) -> None:
        """Act, and wait for the look that follows."""
        act()
        self._looks.get(timeout=30)


@pytest.fixture
def looks() -> Iterator[Looks]:
    found = Looks()
    yield found
    found.watch.close()


def replace(file: Path) -> None:
    other = file.with_name(".4913")
    other.write_text("2")
    other.replace(file)


def make_again(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("3")


def test_the_kernel_tells_of_every_way_to_save(
    looks: Looks, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without it, looking every so often would do, too.
    monkeypatch.setattr("nixdock.watching._LOOK_AGAIN", 600.0)
    file = root / "tree" / "deep" / "file"
    looks.over(Places(frozenset([str(file)])))
    looks.after(lambda: file.write_text("2"))
    looks.after(lambda: replace(file))
    looks.after(file.unlink)
    looks.after(lambda: file.write_text("3"))
    # The folder with it; what has its name then is watched in its place.
    looks.after(lambda: shutil.rmtree(file.parent))
    looks.after(lambda: make_again(file))
    looks.after(lambda: file.write_text("4"))


def test_where_the_kernel_tells_nothing_it_is_looked_all_the_same(
    looks: Looks, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nixdock.watching._LOOK_AGAIN", 0.05)
    monkeypatch.setattr("nixdock.watching._KernelWatch", refuse)
    looks.over(Places(frozenset([str(root / "app.py")])))
    assert looks.watch.fault == "[Errno 28] No space left on device"
    looks.after(lambda: None)
    looks.after(lambda: None)


@pytest.mark.parametrize("recursive", [False, True])
def test_what_the_kernel_refuses_is_told(root: Path, *, recursive: bool) -> None:
    with pytest.raises(FileNotFoundError):
        watching._KernelWatch({str(root / "gone"): 1}, recursive=recursive, tell=lambda _told: None)


def test_a_directory_that_goes_meanwhile_leaves_no_watch_without_the_kernel(
    looks: Looks, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_once(*words: Any, **more: Any) -> Any:
        monkeypatch.setattr("nixdock.watching._KernelWatch", real)
        raise FileNotFoundError(2, "No such file or directory")

    real = watching._KernelWatch
    monkeypatch.setattr("nixdock.watching._KernelWatch", refuse_once)
    monkeypatch.setattr("nixdock.watching._LOOK_AGAIN", 600.0)
    looks.over(Places(frozenset([str(root / "app.py")])))
    assert looks.watch.fault is None
    looks.after(lambda: (root / "app.py").write_text("2"))


def count_kernel_watches() -> int:
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += "inotify" in str(descriptor.readlink())
    return found


def test_a_watch_that_is_closed_holds_nothing(root: Path) -> None:
    before = count_kernel_watches()
    looks = Looks().over(Places(trees=frozenset([str(root)])))
    assert count_kernel_watches() > before
    looks.watch.close()
    end = time.monotonic() + 30
    while count_kernel_watches() > before:
        assert time.monotonic() < end, "a watch of the kernel is left"
        time.sleep(0.01)
