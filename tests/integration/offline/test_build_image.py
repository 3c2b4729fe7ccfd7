"""`buildImage`: one layer of copies, and what the image says of itself."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.offline.conftest import Images


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar}


def read(archive: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def test_a_shell_runs_in_an_image_that_has_nothing_else(images: Images) -> None:
    reference = images.example("bash")

    assert reference == "bash:latest"
    assert images.run(reference, "/bin/bash", "-c", "echo $BASH_VERSION").startswith("5.")
    assert images.inspect(reference)["Created"] == "1970-01-01T00:00:01Z"


def test_the_tag_is_the_hash_of_the_own_store_path_and_the_attribute_says_it(images: Images) -> None:
    file = images.examples()
    path = images.build(file, "-A", "bashNoTag")
    [reference] = images.load(file, "-A", "bashNoTag")

    assert path.name == f"{reference.partition(':')[2]}-docker-image-bash-no-tag.tar.gz"
    assert images.evaluate(file, "bashNoTag.imageTag") == reference.partition(":")[2]
    assert images.evaluate(file, "bashNoTag.imageName") == "bash-no-tag"
    images.engine.docker("rmi", reference)


@pytest.mark.parametrize(
    ("name", "file_name", "magic"),
    [
        ("bashUncompressed", "docker-image-bash-uncompressed.tar", b"manifest.json"),
        ("bashZstdCompressed", "docker-image-bash-zstd.tar.zst", b"\x28\xb5\x2f\xfd"),
        ("bash", "docker-image-bash.tar.gz", b"\x1f\x8b"),
    ],
)
def test_compression_shows_in_the_file_and_not_in_the_image(
    name: str,
    file_name: str,
    magic: bytes,
    images: Images,
) -> None:
    path = images.build(images.examples(), "-A", name)

    assert path.name.partition("-")[2] == file_name
    assert path.read_bytes().startswith(magic)
    assert images.run_example(name, "/bin/bash", "-c", "echo runs") == "runs\n"
    assert images.layers(images.example(name)) == images.layers(images.example("bash"))


def test_commands_add_files_of_any_name_and_permission(images: Images) -> None:
    reference = images.example("extraCommands")

    assert images.run(reference) == "written by extraCommands\n"
    assert images.run(reference, "/bin/stat", "-c", "%a %U", "/data") == "1777 UNKNOWN\n"
    assert images.run(reference, "/bin/ls", "/").splitlines()[-1] == "with 'quotes' and spaces"


def test_files_belong_to_whom_uid_and_gid_say_but_the_store_to_root(images: Images) -> None:
    reference = images.example("owned")

    assert images.run(reference) == "1000:100\n"
    assert images.run(reference, "/bin/stat", "-c", "%u:%g %a", "/nix/store") == "0:0 555\n"


def test_a_folder_beside_the_expression_becomes_the_root(images: Images) -> None:
    assert images.run_example("withPath") == "Hello from a file\n"


def test_the_environment_of_the_base_goes_on_and_the_own_comes_last(images: Images) -> None:
    reference = images.example("environment")
    environment = images.run(reference).splitlines()

    assert {"FROM_PARENT=true", "FROM_CHILD=true", "LAST_LAYER=child"} <= set(environment)
    # Both are said: the last one holds.
    assert images.inspect(reference)["Config"]["Env"] == [
        "FROM_PARENT=true",
        "LAST_LAYER=parent",
        "FROM_CHILD=true",
        "LAST_LAYER=child",
    ]


def test_a_file_that_the_base_has_is_not_there_twice(images: Images) -> None:
    archive = gzip.decompress(images.build(images.examples(), "-A", "environment").read_bytes())
    manifest = json.loads(read(archive, "manifest.json"))
    base, own = (members(read(archive, name)) for name in manifest[0]["Layers"])

    assert "./bin/env" in base
    assert set(own) == {"."}


def test_created_now_is_the_time_of_the_build(images: Images) -> None:
    created = images.inspect(images.example("createdNow"))["Created"]

    assert re.match(r"20\d\d-", created)


def test_the_architecture_is_what_is_said(images: Images) -> None:
    run = images.nixdock("load", "-q", images.examples(), "-A", "otherArchitecture")

    assert run.status == 0, run.stderr
    assert images.inspect("other-architecture:latest")["Architecture"] == "arm64"


def test_a_name_may_have_a_registry(images: Images) -> None:
    assert images.example("prefixed") == "registry.example.org/image:latest"
    assert images.run("registry.example.org/image:latest") == "Hello, world!\n"
    assert "registry.example.org/image" in images.engine.docker("images", "--format", "{{.Repository}}")


def test_a_link_to_a_folder_stays_one_where_wanted(images: Images) -> None:
    assert images.run_example("keptLinks") == "found\n"


def test_the_helpers_make_a_small_system(images: Images) -> None:
    lines = images.run_example("helpers").splitlines()

    assert lines[0] == "ann"
    assert lines[1] in {"-----BEGIN CERTIFICATE-----", "## Certificates of the authorities"} or lines[
        1
    ].startswith("#")
    assert images.run("helpers:latest", "/bin/sh", "-c", "id -un 0; id -un 65534") == "root\nnobody\n"


def test_the_archive_has_what_docker_wrote_in_its_day(images: Images) -> None:
    archive = gzip.decompress(images.build(images.examples(), "-A", "bash").read_bytes())
    manifest = json.loads(read(archive, "manifest.json"))
    [layer] = manifest[0]["Layers"]
    identity = layer.partition("/")[0]
    described = json.loads(read(archive, f"{identity}/json"))

    assert json.loads(read(archive, "repositories")) == {"bash": {"latest": identity}}
    assert read(archive, f"{identity}/VERSION") == b"1.0"
    assert described["id"] == identity
    assert described["Size"] == len(read(archive, layer))
    assert described["checksum"].startswith("tarsum.v1+sha256:")
    found = members(archive)
    assert all(member.mtime == 315_532_800 and member.uid == 0 for member in found.values())
    assert all(not member.mode & 0o222 for member in found.values())


def test_the_closure_is_in_the_layer_and_nothing_else_is(images: Images) -> None:
    file = images.write(
        'dockerTools.buildImage { name = "closure"; config.Cmd = [ "${pkgs.hello}/bin/hello" ]; }',
    )
    archive = gzip.decompress(images.build(file).read_bytes())
    [layer] = json.loads(read(archive, "manifest.json"))[0]["Layers"]
    found = members(read(archive, layer))
    paths = {name.split("/")[2].partition("-")[2] for name in found if name.startswith("nix/store/")}

    assert {re.sub(r"-[\d.]+$", "", path) for path in paths} == {"hello", "libc6"}
    assert found["./nix/store"].mode == 0o555
    assert (found["./nix/store"].uid, found["./nix/store"].gid) == (0, 0)


def test_override_changes_arguments_and_the_old_ones_are_known(images: Images) -> None:
    file = images.write(
        """
        let
          image = dockerTools.buildImage { name = "Mixed-Case"; config.Cmd = [ "/bin/hello" ]; };
        in { inherit image; changed = image.override { tag = "changed"; }; }
        """,
    )

    assert images.evaluate(file, "changed.imageTag") == "changed"
    assert images.evaluate(file, "changed.imageName") == "mixed-case"
    assert images.evaluate(file, "image.buildArgs.name") == "Mixed-Case"


def test_the_old_name_of_copy_to_root_works_and_is_told(images: Images) -> None:
    file = images.write(
        """
        dockerTools.buildImage {
          name = "old";
          tag = "1";
          contents = [ pkgs.hello ];
          config.Cmd = [ "/bin/hello" ];
        }
        """,
    )
    run = images.nixdock("load", file)

    assert run.status == 0
    assert "the contents argument is called copyToRoot now" in run.stderr
    assert images.run("old:1") == "Hello, world!\n"


def test_a_command_that_is_a_string_is_a_list_of_one_word(images: Images) -> None:
    file = images.write(
        """
        {
          plain = dockerTools.buildImage {
            name = "word";
            tag = "1";
            config.Cmd = "${pkgs.hello}/bin/hello";
          };
          layered = dockerTools.buildLayeredImage {
            name = "script";
            tag = "1";
            config.Entrypoint = pkgs.writeShellScript "entry" "echo from the script";
          };
        }
        """,
    )
    assert images.load(file) == ["script:1", "word:1"]

    assert images.run("word:1") == "Hello, world!\n"
    assert images.run("script:1") == "from the script\n"
    [command] = images.inspect("word:1")["Config"]["Cmd"]
    # As upstream writes it.
    archive = gzip.decompress(images.build(file, "-A", "plain").read_bytes())
    config = json.loads(read(archive, json.loads(read(archive, "manifest.json"))[0]["Config"]))
    assert config["config"]["Cmd"] == command
    assert "config.Cmd is a text" in images.nixdock("lint", "word:1").stdout
    checked = images.nixdock("check", "word:1", "--expect", "Hello, world!")
    assert checked.status == 0, checked.stdout + checked.stderr


def test_of_two_contents_with_the_same_file_the_last_wins_and_it_is_said_once(images: Images) -> None:
    file = images.write(
        """
        dockerTools.buildImage {
          name = "twice";
          tag = "1";
          copyToRoot = [
            pkgs.busybox
            (pkgs.writeTextDir "etc/who" "first\\n")
            (pkgs.writeTextDir "etc/who" "last\\n")
          ];
          config.Cmd = [ "/bin/busybox" "cat" "/etc/who" ];
        }
        """,
    )
    built = images.by_hand(
        f"nix-build --no-out-link {file}; nix-store --read-log $(nix-instantiate {file} -A layer 2>/dev/null)"
    )
    [reference] = images.load(file)

    assert images.run(reference) == "last\n"
    # As the log of the build has it: told where it is built, and to those who ask later.
    assert built.stdout.count("takes the place of") == 1, built.stderr
