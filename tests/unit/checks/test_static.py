from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nixdock.checks.format.suite import read_suite, suite_from_value
from nixdock.checks.model import Suite
from nixdock.checks.static import judge_static
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import CheckResult, Finding, Status
from nixdock.image.reference import Digest
from support.images import image_of
from support.layers import MemoryLayer, file, folder, layer_of, link, tar_of

HASHES = [letter * 32 for letter in "abcdfg"]
HELLO, LIBC, GCC, DEV = (
    f"{HASHES[0]}-hello-2.12",
    f"{HASHES[1]}-glibc-2.36",
    f"{HASHES[2]}-gcc-12.2",
    f"{HASHES[3]}-glibc-2.36-dev",
)
CONFIG: dict[str, Any] = {
    "Cmd": [f"/nix/store/{HELLO}/bin/hello"],
    "Env": ["PATH=/bin", "EMPTY=", "URL=a=b"],
    "Labels": {"org.x": "1", "version": "2.12"},
    "ExposedPorts": {"8080/tcp": {}},
    "User": "999",
    "Volumes": None,
    "WorkingDir": "",
}


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    base = layer_of(
        folder("etc"),
        file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nweb:x:999:998::/srv:/bin/false\nbad line\n"),
        file("etc/group", b"root:x:0:\nweb:x:998:\nwheel:x:10:web,root\n"),
        file(f"nix/store/{LIBC}/lib/libc.so.6", b"x" * 1000, 0o555),
    )
    top = layer_of(
        file(f"nix/store/{HELLO}/bin/hello", f"needs /nix/store/{LIBC}/lib".encode(), 0o555),
        file(f"nix/store/{LIBC}/share/built-by", f"/nix/store/{GCC}/bin/gcc".encode()),
        file(f"nix/store/{GCC}/bin/gcc", b"y" * 5000, 0o555),
        link(f"nix/store/{GCC}/include", f"/nix/store/{DEV}/include"),
        folder("tmp", 0o1777),
        link("bin", f"/nix/store/{HELLO}/bin"),
        link("gone", "/nowhere"),
        link("loop", "loop"),
        folder("srv", 0o750),
        file("srv/page", b"<h1>Welcome</h1>\n", 0o640, uid=999, gid=998),
        file("srv/.hidden", b""),
    )
    return Subject(image_of(base, top, config=CONFIG), "it", cache=tmp_path / "cache")


def _suite(check: dict[str, Any]) -> Suite:
    return suite_from_value({"checks": {"x": check}}, "x.nix")


def _judge(subject: Subject, check: dict[str, Any]) -> CheckResult:
    (result,) = judge_static(_suite(check).checks, subject)
    return result


def _said(subject: Subject, check: dict[str, Any]) -> list[str]:
    result = _judge(subject, check)
    assert (result.status is Status.PASS) == (not result.findings)
    return [str(finding) for finding in result.findings]


@pytest.mark.parametrize(
    "check",
    [
        {"file": "/etc/passwd"},
        {"file": "/etc/shadow", "exists": False},
        {"file": "/bin/hello", "mode": "0555", "type": "file"},
        {"file": "/bin/hello", "mode": "-r-xr-xr-x"},
        {"file": "/tmp", "mode": "dtrwxrwxrwx"},
        {"file": "/tmp", "mode": "rwxrwxrwt", "type": "directory"},
        {"file": "/bin", "target": {"contains": "hello-2.12/bin"}},
        {"file": "/bin", "type": "symlink"},
        {"file": "/bin", "follow": True, "type": "directory"},
        {"file": "/srv/page", "uid": 999, "gid": {"min": 1}, "user": "web", "group": "web"},
        {"file": "/srv/page", "size": 17, "content": {"contains": "Welcome"}},
        {"file": "/srv/page", "sha256": Digest.of(b"<h1>Welcome</h1>\n").hex},
        {"file": "/srv", "entries": [".hidden", "page"]},
        {"file": "/srv", "entries": {"contains": "page"}},
        {"file": "/srv/p*", "uid": 999},
        {"file": "/nix/store/*/bin/sh", "exists": False},
        {"file": "/srv/.hidden", "content": {"empty": True}},
        {"unix_user": "web", "uid": 999, "group": "web", "groups": ["wheel"], "home": "/srv"},
        {"unix_user": "nobody", "exists": False},
        {"unix_group": "wheel", "gid": 10, "members": ["root", "web"]},
        {"config": {"Cmd": [f"/nix/store/{HELLO}/bin/hello"], "User": "999", "Entrypoint": None}},
        {"config": {"Env": {"PATH": "/bin", "EMPTY": "", "URL": {"matches": "^a="}, "NOPE": None}}},
        {"config": {"Env": ["EMPTY=", "PATH=/bin", "URL=a=b"]}},
        {"config": {"Env.PATH": "/bin"}},
        {"config": {"Labels": {"org.x": "1", "other": None}, "ExposedPorts": ["8080"]}},
        {"config": {"ExposedPorts": {"8080/tcp": {}}}},
        {"config": {"ExposedPorts": {"not": {"contains": "9090/tcp"}}}},
        {"config": {"Volumes": None, "WorkingDir": None, "Healthcheck": None}},
        {"config": {"architecture": "amd64", "os": {"any": ["linux", "freebsd"]}, "rootfs.type": "layers"}},
        {"size": "10kB"},
        {"size": {"min": "1kB", "layers": 2, "layer": "9kB", "paths": {"glibc-*": "2kB"}}},
        {"closure": {"forbid": ["perl-*"], "count": 3}},
        {"closure": {"allow": ["hello-*", "g*"]}},
        {"closure": {"licences": {"of": {"hello-*": "GPL-3.0-or-later"}, "forbid": ["AGPL-*"]}}},
    ],
)  # fmt: skip
def test_what_holds_passes(subject: Subject, check: dict[str, Any]) -> None:
    assert _said(subject, check) == []


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"file": "/etc/shadow"}, "exists: /etc/shadow is not in the image"),
        ({"file": "/opt/a/b/c"}, "exists: /opt/a/b/c is not in the image"),
        ({"file": "/etc/a/b/c"}, "exists: /etc/a/b/c is not in the image: /etc is all there is of it"),
        ({"file": "/gone"}, "exists: /gone is a symbolic link that leads to nothing: /nowhere"),
        ({"file": "/loop"}, "exists: the symbolic links of /loop lead in a circle"),
        (
            {"file": "/etc/passwd", "exists": False},
            "exists: /etc/passwd is in the image: a file, -rw-r--r--, 0:0, 70 bytes",
        ),
        ({"file": "/srv", "mode": "0755"}, "mode: expected to be 0755, found 0750 (drwxr-x---)"),
        ({"file": "/tmp", "mode": "0777"}, "mode: expected to be 0777, found 1777 (drwxrwxrwt)"),
        ({"file": "/srv", "mode": "-rwxr-x---"}, "mode: expected to be -rwxr-x---, found 0750 (drwxr-x---)"),
        ({"file": "/srv", "type": "file"}, "type: expected to be a file, found a directory"),
        ({"file": "/srv/page", "uid": 0}, "uid: expected to be 0, found 999"),
        ({"file": "/srv/page", "user": "root"}, "user: expected to be root, found web (uid 999)"),
        ({"file": "/srv/page", "group": "wheel"}, "group: expected to be wheel, found web (gid 998)"),
        ({"file": "/srv/page", "size": {"max": 5}}, "size: expected to be at most 5 B, found 17 B"),
        ({"file": "/srv/page", "target": "x"}, "target: expected to be a symlink, found a file"),
        (
            {"file": "/srv/page", "content": {"contains": "Bye"}},
            "content: expected to contain 'Bye', found '<h1>Welcome</h1>\\n'",
        ),
        ({"file": "/srv", "content": "x"}, "content: /srv has no content: it is a directory"),
        ({"file": "/srv", "entries": ["page"]}, "entries: expected to be page; it has .hidden too"),
        ({"file": "/srv/page", "entries": []}, "entries: expected to be a directory, found a file"),
        (
            {"file": "/srv/*", "mode": "0640"},
            "/srv/.hidden: mode: expected to be 0640, found 0644 (-rw-r--r--)",
        ),
        ({"file": "/none/*"}, "no path in the image matches /none/*"),
        ({"file": "/e*", "exists": False}, "there are paths that match /e*: /etc"),
        ({"unix_user": "nobody"}, "exists: there is no user nobody: /etc/passwd has no such line"),
        ({"unix_user": "web", "exists": False}, "exists: there is a user web (uid 999)"),
        ({"unix_user": "web", "uid": 1000}, "uid: expected to be 1000, found 999"),
        ({"unix_user": "web", "shell": "/bin/sh"}, "shell: expected to be '/bin/sh', found '/bin/false'"),
        ({"unix_user": "web", "groups": []}, "groups: expected to be empty; it has wheel too"),
        ({"unix_user": "root", "group": "wheel"}, "group: expected to be wheel, found root"),
        ({"unix_group": "dialout"}, "exists: there is no group dialout: /etc/group has no such line"),
        ({"unix_group": "wheel", "members": ["web"]}, "members: expected to be web; it has root too"),
        ({"unix_group": "wheel", "exists": False}, "exists: there is a group wheel (gid 10)"),
        ({"unix_group": "wheel", "gid": 11}, "gid: expected to be 11, found 10"),
        ({"config": {"User": None}}, 'User: expected to be unset, found "999"'),
        ({"config": {"User": "root"}}, 'User: expected to be "root", found "999"'),
        ({"config": {"Env": {"PATH": None}}}, 'Env: PATH: expected to be unset, found "/bin"'),
        ({"config": {"Env": {"NOPE": "x"}}}, "Env: NOPE: expected text to be 'x', found nothing"),
        ({"config": {"Labels": {"version": "3"}}}, "Labels: version: expected to be '3', found '2.12'"),
        (
            {"config": {"ExposedPorts": ["8080/udp"]}},
            "ExposedPorts: expected to be 8080/udp; it lacks 8080/udp and has 8080/tcp too",
        ),
        ({"config": {"architecture": "arm64"}}, 'architecture: expected to be "arm64", found "amd64"'),
        ({"config": {"Cmd": None}}, f'Cmd: expected to be unset, found ["/nix/store/{HELLO}/bin/hello"]'),
        ({"size": {"layers": 1}}, "layers: expected to be at most 1, found 2"),
        ({"size": {"layer": "2kB"}}, "layer 2 of 2: expected to be at most 2 kB, found 5.141 kB"),
        ({"size": {"paths": {"gcc-*": 4}}}, f"/nix/store/{GCC}: expected to be at most 4 B, found 5 kB"),
        ({"closure": {"forbid": ["gcc-*"]}}, f"forbid: /nix/store/{GCC} is in the image"),
        ({"closure": {"allow": ["hello-*", "glibc-*"]}}, f"allow: /nix/store/{GCC} is in the image"),
        ({"closure": {"count": {"max": 2}}}, "count: expected to be at most 2, found 3"),
        (
            {"closure": {"complete": True}},
            f"complete: /nix/store/{DEV}/include".removesuffix("/include")
            + f" is not in the image, and /nix/store/{GCC}/include names it",
        ),
        (
            {"closure": {"licences": {"of": {"hello-*": "AGPL-3.0-only"}, "forbid": ["agpl-*"]}}},
            f"licences: /nix/store/{HELLO} has the licence AGPL-3.0-only",
        ),
        (
            {"closure": {"licences": {"of": {"[hg]*": "MIT", "gcc*": "GPL-3.0"}, "allow": ["MIT"]}}},
            f"licences: /nix/store/{GCC} has the licence GPL-3.0",
        ),
    ],
)  # fmt: skip
def test_what_does_not_hold_fails_and_says_why(subject: Subject, check: dict[str, Any], said: str) -> None:
    assert _said(subject, check) == [said]


def test_a_path_that_should_not_be_there_is_shown_with_what_brought_it_in(subject: Subject) -> None:
    result = _judge(subject, {"closure": {"forbid": ["gcc-*"]}})

    assert result.findings[0].details == "\n".join(
        [
            f"the image's config -> /nix/store/{HELLO}",
            f"  /nix/store/{HELLO}/bin/hello -> /nix/store/{LIBC}",
            f"    /nix/store/{LIBC}/share/built-by -> /nix/store/{GCC}",
        ]
    )


def test_what_the_history_says_layers_are_made_of_is_no_reference(tmp_path: Path) -> None:
    # As upstream's streamer writes it: of the store path that holds the customisation layer's tar.
    made_of = {"comment": f"store paths: ['/nix/store/{GCC}-customisation-layer']"}
    layer = layer_of(file(f"nix/store/{HELLO}/bin/hello"))
    complete: dict[str, Any] = {"closure": {"complete": True}}

    subject = Subject(image_of(layer, config=CONFIG, history=[made_of]), cache=tmp_path)
    assert _judge(subject, complete).status is Status.PASS

    named = {**CONFIG, "Env": [f"CC=/nix/store/{GCC}/bin/gcc"]}
    assert _said(Subject(image_of(layer, config=named), cache=tmp_path), complete) != []


def test_an_image_that_is_too_large_names_what_is_large(subject: Subject) -> None:
    result = _judge(subject, {"size": "2kB"})

    assert result.findings[0].details is not None
    assert result.findings[0].details.splitlines()[0] == f"     5 kB  /nix/store/{GCC}"


def test_licences_that_are_not_known_are_a_note_unless_forbidden(subject: Subject) -> None:
    licences = {"of": {"hello-*": "MIT"}}

    assert _judge(subject, {"closure": {"licences": licences}}).notes == [
        "licences of 2 of 3 store paths are not known"
    ]
    assert len(_said(subject, {"closure": {"licences": {**licences, "unknown": False}}})) == 2


def test_config_checks_open_no_layer(tmp_path: Path) -> None:
    layer = layer_of(file("a"))
    subject = Subject(image_of(layer, config={"User": "1"}), cache=tmp_path)

    judge_static(_suite({"config": {"User": "1"}}).checks, subject)

    assert layer.opened == 0


def test_a_thousand_file_checks_read_each_layer_once(tmp_path: Path) -> None:
    layers = [layer_of(*(file(f"{n}/{m}", b"%d" % m) for m in range(500)), seekable=False) for n in range(2)]
    subject = Subject(image_of(*layers), cache=tmp_path)
    checks = {f"{n}-{m}": {"file": f"/{n}/{m}", "content": str(m)} for n in range(2) for m in range(500)}

    results = judge_static(suite_from_value({"checks": checks}, "x").checks, subject)

    assert {result.status for result in results} == {Status.PASS}
    assert [layer.opened for layer in layers] == [2, 2]  # once for the index, once for the contents


def test_an_image_that_cannot_be_read_is_an_error_not_a_failure(tmp_path: Path) -> None:
    damaged = MemoryLayer(b"rubbish" * 200)
    subject = Subject(image_of(damaged), cache=tmp_path)

    result = _judge(subject, {"file": "/x"})

    assert result.status is Status.ERROR
    assert "is damaged" in result.findings[0].message
    assert result.findings[0].details is not None
    assert "again" in result.findings[0].details


def test_a_layer_that_shrinks_after_its_index_was_made_is_an_error(tmp_path: Path) -> None:
    layer = layer_of(file("a", b"x" * 10_000))
    subject = Subject(image_of(layer), cache=tmp_path)
    subject.indexes()
    layer.tar = layer.tar[:2000]

    result = _judge(subject, {"file": "/a", "content": {"contains": "x"}})

    assert result.status is Status.ERROR
    assert result.findings == [Finding("", "a layer is shorter than its index says")]


def test_snapshots_of_config_and_files_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "web.checks.yaml"
    path.write_text("checks: {a: {snapshot: files}, b: {snapshot: config}}\n")
    suite = read_suite(path)
    subject = Subject(
        image_of(MemoryLayer(tar_of([file("b"), link("a", f"/nix/store/{HELLO}")])), config={"User": "1"}),
        cache=tmp_path / "cache",
    )
    assert {result.status for result in judge_static(suite.checks, subject)} == {Status.FAIL}

    judge_static(read_suite(path, update=True).checks, subject)

    assert {result.status for result in judge_static(suite.checks, subject)} == {Status.PASS}
    files = (tmp_path / "web.snapshots" / "image-files.txt").read_text()
    assert files.splitlines() == [
        "-rw-r--r-- 0:0 /b",
        "drwxr-xr-x 0:0 /",
        f"lrwxrwxrwx 0:0 /a -> /nix/store/{'x' * 32}-hello-2.12",
    ]
