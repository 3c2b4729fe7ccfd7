from __future__ import annotations

from typing import Any

from nixdock.checks.files.entry import LayerEntry
from nixdock.checks.structure_test.container_files import ContainerFiles, Fault
from nixdock.checks.subject import Subject
from support.images import image_of
from support.layers import file, folder, hardlink, layer_of, link


def _files(*members: Any, **config: Any) -> ContainerFiles:
    return ContainerFiles(Subject(image_of(layer_of(*members), config=config)))


def _kind(found: LayerEntry | Fault) -> str:
    return found.kind if isinstance(found, LayerEntry) else found.name


def test_an_empty_image_has_what_the_engine_puts_there() -> None:
    files = _files(file("a"))
    kinds = {
        path: _kind(files.look_at(path))
        for path in (
            "/proc",
            "/sys",
            "/dev/pts",
            "/dev/shm",
            "/etc/hosts",
            "/.dockerenv",
            "/etc/mtab",
            "/etc",
        )
    }
    assert kinds == {
        "/proc": "directory",
        "/sys": "directory",
        "/dev/pts": "directory",
        "/dev/shm": "directory",
        "/etc/hosts": "file",
        "/.dockerenv": "file",
        "/etc/mtab": "symlink",
        "/etc": "directory",
    }
    hosts = files.look_at("/etc/hosts")
    assert isinstance(hosts, LayerEntry)
    assert files.read(hosts) == b""
    assert files.look_at("/run") is Fault.MISSING


def test_what_the_image_has_in_its_place_is_hidden() -> None:
    files = _files(folder("real"), file("real/passwd", b"x"), link("etc", "real"), file("proc", b"y"))
    assert _kind(files.look_at("/etc")) == "directory"
    assert files.look_at("/etc/passwd") is Fault.MISSING
    assert _kind(files.look_at("/real/passwd")) == "file"
    assert _kind(files.look_at("/proc")) == "directory"


def test_a_folder_where_a_file_would_be_put_stays() -> None:
    assert _kind(_files(folder("etc/hosts", 0o711)).look_at("/etc/hosts")) == "directory"


def test_volumes_and_the_working_directory_are_there_through_links_too() -> None:
    files = _files(
        link("srv", "/data/srv"),
        link("loop", "loop"),
        file("plain"),
        Volumes={"/srv/one": {}, "/loop/x": {}, "/plain/x": {}},
        WorkingDir="/up/../w/x",
    )
    for path in ("/data/srv/one", "/srv/one", "/w/x"):
        assert _kind(files.look_at(path)) == "directory"
    assert files.look_at("/up") is Fault.MISSING
    assert _kind(files.look_at("/plain")) == "file"


def test_paths_are_tidied_up_before_links_are_followed() -> None:
    files = _files(folder("a/b"), link("l", "/a/b"), file("x"), file("a/x", b"inner"))
    found = files.look_at("/l/../x")
    assert isinstance(found, LayerEntry)
    assert found.path == "x"


def test_links_lead_on_from_their_own_folder() -> None:
    files = _files(file("etc/a", b"etc"), file("a", b"root"), link("etc/l", "a"), link("etc/chain", "/etc/l"))
    for path in ("/etc/l", "/etc/chain"):
        found = files.find_file(path)
        assert isinstance(found, LayerEntry)
        assert found.path == "etc/a"


def test_links_in_a_circle_lead_to_no_file() -> None:
    assert _files(link("etc/l", "l")).find_file("/etc/l") is Fault.CIRCLE


def test_hard_links_are_files_with_their_content() -> None:
    files = _files(file("a", b"content"), hardlink("b", "a"))
    found = files.find_file("/b")
    assert isinstance(found, LayerEntry)
    assert files.read(found) == b"content"


def test_directories_in_a_folder_are_those_that_are_no_links() -> None:
    members = (folder("doc/a"), file("doc/f"), link("doc/l", "a"), link("linked", "doc"))
    assert _files(*members).directories_in("/doc") == ("a",)
    assert _files(*members).directories_in("/linked") == ("a",)
    assert _files(*members).directories_in("/nope") is Fault.MISSING
    assert _files(*members).directories_in("/doc/f") == ()
