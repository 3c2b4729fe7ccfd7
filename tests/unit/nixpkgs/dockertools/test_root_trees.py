"""Trees that become the root of an image: copied, compared, and put together of layers."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from nixdock.nixpkgs.dockertools import closure_tar, layer_stack, tarsum
from nixdock.nixpkgs.dockertools.base_image import BaseImageError, BaseLayer
from nixdock.nixpkgs.dockertools.root_tree import RootTree, RootTreeError, Snapshot


def make(folder: Path, files: dict[str, str]) -> Path:
    """Write files; what begins with an arrow is a link."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            path.symlink_to(content[3:])
        else:
            path.write_text(content)
    return folder


def listed(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_text()
    return found


def copy(tmp_path: Path, *sources: Path, keep_links: bool = False) -> tuple[dict[str, str], list[str]]:
    root = tmp_path / "root"
    root.mkdir()
    told: list[str] = []
    tree = RootTree(root, keep_links=keep_links, tell=told.append)
    for source in sources:
        tree.add(source)
    tree.finish()
    return listed(root), told


def test_several_folders_come_together_and_the_last_file_wins(tmp_path: Path) -> None:
    one = make(tmp_path / "one", {"etc/a": "1", "etc/b": "1"})
    two = make(tmp_path / "two", {"etc/b": "2", "bin/c": "2"})
    found, told = copy(tmp_path, one, two)

    assert found == {"etc/a": "1", "etc/b": "2", "bin/c": "2"}
    assert told == [f"{two}/etc/b takes the place of {one}/etc/b: the last content wins"]


def test_a_link_to_a_folder_becomes_the_folder_unless_links_are_kept(tmp_path: Path) -> None:
    target = make(tmp_path / "package", {"tool": "x"})
    source = make(tmp_path / "source", {"bin": f"-> {target}", "file": "-> bin/tool"})

    assert copy(tmp_path, source)[0] == {"bin/tool": "x", "file": "-> bin/tool"}
    (tmp_path / "root").rename(tmp_path / "first")
    assert copy(tmp_path, source, keep_links=True)[0] == {"bin": f"-> {target}", "file": "-> bin/tool"}


def test_a_kept_link_is_written_through_only_within_the_root(tmp_path: Path) -> None:
    links = make(tmp_path / "links", {"lib/x": "x", "lib64": "-> lib"})
    more = make(tmp_path / "more", {"lib64/y": "y"})
    assert copy(tmp_path, links, more, keep_links=True)[0] == {"lib/x": "x", "lib/y": "y", "lib64": "-> lib"}

    (tmp_path / "root").rename(tmp_path / "first")
    outside = make(tmp_path / "outside", {"lib64": f"-> {more}"})
    with pytest.raises(RootTreeError, match="with keepContentsDirlinks = false it becomes a folder"):
        copy(tmp_path, outside, more, keep_links=True)


def test_permissions_are_those_of_the_source(tmp_path: Path) -> None:
    source = make(tmp_path / "source", {"closed/file": "x"})
    (source / "closed" / "file").chmod(0o555)
    (source / "closed").chmod(0o500)
    copy(tmp_path, source)

    assert (tmp_path / "root" / "closed").stat().st_mode & 0o777 == 0o500
    assert (tmp_path / "root" / "closed" / "file").stat().st_mode & 0o777 == 0o555


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        ({"a": "file"}, {"a/b": "x"}, "is a file in its place"),
        ({"a/b": "x"}, {"a": "file"}, "another content has a folder in its place"),
    ],
)
def test_a_file_and_a_folder_cannot_be_in_one_place(
    first: dict[str, str],
    second: dict[str, str],
    complaint: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(RootTreeError, match=complaint):
        copy(tmp_path, make(tmp_path / "1", first), make(tmp_path / "2", second))


def test_a_snapshot_tells_what_is_new_changed_and_gone(tmp_path: Path) -> None:
    root = make(
        tmp_path / "root", {"kept": "1", "changed": "1", "gone": "1", "old/a": "1", "old/b": "1", "d/x": "1"}
    )
    layer = tmp_path / "layer"
    layer.mkdir()
    before = Snapshot.take(root)
    (root / "changed").write_text("22")
    make(root, {"new/file": "n", "d/y": "y"})
    (root / "gone").unlink()
    for name in ("a", "b"):
        (root / "old" / name).unlink()
    (root / "old").rmdir()
    before.move_new(layer)

    assert listed(layer) == {"changed": "22", "new/file": "n", "d/y": "y", ".wh.gone": "", ".wh.old": ""}


def test_a_folder_whose_permissions_change_is_new_without_what_is_in_it(tmp_path: Path) -> None:
    root = make(tmp_path / "root", {"d/x": "1"})
    layer = tmp_path / "layer"
    layer.mkdir()
    before = Snapshot.take(root)
    (root / "d").chmod(0o700)
    before.move_new(layer)

    assert listed(layer) == {}
    assert (layer / "d").stat().st_mode & 0o777 == 0o700


def layer(entries: dict[str, str], number: int = 0) -> BaseLayer:
    """A layer; a name that ends in a slash is a folder, what begins with an equals sign a hard link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            elif content.startswith("-> "):
                info.type, info.linkname = tarfile.SYMTYPE, content[3:]
            elif content.startswith("= "):
                info.type, info.linkname = tarfile.LNKTYPE, content[2:]
            else:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content.encode()) if info.size else None)
    return BaseLayer(f"{number}/layer.tar", f"{hash(tuple(entries.items()))}", len(out.getvalue()), out, 0)


def seen(*layers: BaseLayer) -> dict[str, str]:
    return {
        place: f"-> {file.member.linkname}" if file.member.issym() else b"".join(file.chunks()).decode()
        for place, file in layer_stack.flatten(layers).items()
        if not file.member.isdir()
    }


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{"./": "", "./a": "1"}, {"./a": "2", "./b": "2"}], {"a": "2", "b": "2"}),
        ([{"d/": "", "d/a": "1", "d/b": "1"}, {"d/.wh.a": ""}], {"d/b": "1"}),
        ([{"d/": "", "d/a": "1"}, {".wh.d": ""}], {}),
        ([{"d/": "", "d/a": "1"}, {"d/": "", "d/.wh..wh..opq": "", "d/b": "2"}], {"d/b": "2"}),
        ([{"d/": "", "d/a": "1"}, {"d": "file"}], {"d": "file"}),
        ([{"d": "file"}, {"d/": "", "d/a": "1"}], {"d/a": "1"}),
        ([{"d/": "", "d/a": "1"}, {"d/": "", "d/b": "2"}], {"d/a": "1", "d/b": "2"}),
        ([{"a": "1", "b": "= a", "c": "-> a"}], {"a": "1", "b": "1", "c": "-> a"}),
        ([{"a": "1"}, {"b": "= a"}], {"a": "1", "b": "1"}),
    ],
    ids=str,
)
def test_what_is_seen_through_layers(layers: list[dict[str, str]], expected: dict[str, str]) -> None:
    assert seen(*(layer(entries, number) for number, entries in enumerate(layers))) == expected


def test_of_a_repeated_layer_the_last_counts() -> None:
    again = {"a": "again"}

    assert seen(layer(again, 1), layer({"a": "between"}, 2), layer(again, 3)) == {"a": "again"}


@pytest.mark.parametrize("name", ["../out", "a/../../out"])
def test_a_layer_cannot_name_what_is_outside_of_its_root(name: str) -> None:
    with pytest.raises(BaseImageError, match="outside of its root"):
        seen(layer({name: "x"}))


def test_a_closure_is_completed_by_what_it_lacks(tmp_path: Path) -> None:
    own = tmp_path / "layer.tar"
    with tarfile.open(own, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("./bin"))
    package = make(tmp_path / "package", {"a": "1", "b": "2"})
    below = {f"{package}/a".lstrip("/"), "nix"}
    completed = closure_tar.complete(str(own), [str(package)], below)
    data = b"".join(completed.chunks())

    assert len(data) == completed.size
    assert len(data) % 10240 == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = [member.name for member in tar]
    plain = str(package).lstrip("/")
    assert names == ["./bin", "./nix/store", plain, f"{plain}/b"]


def test_without_a_closure_nothing_is_added(tmp_path: Path) -> None:
    own = tmp_path / "layer.tar"
    with tarfile.open(own, "w", format=tarfile.GNU_FORMAT):
        pass

    assert closure_tar.complete(str(own), [], ()).size == 10240


def test_a_tarsum_knows_neither_order_nor_time() -> None:
    def archive(*names: str, mtime: int) -> io.BytesIO:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size, info.mtime = 1, mtime
                tar.addfile(info, io.BytesIO(b"x"))
        return io.BytesIO(out.getvalue())

    one, other = tarsum.compute(archive("a", "b", mtime=1)), tarsum.compute(archive("b", "a", mtime=2))
    assert one == other
    assert one != tarsum.compute(archive("a", "c", mtime=1))
    assert one.startswith("tarsum.v1+sha256:")
    # Of nothing at all it is the hash of nothing.
    empty = tarsum.compute(io.BytesIO(bytes(os.sysconf("SC_PAGE_SIZE") * 3)))
    assert empty == "tarsum.v1+sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
