"""`buildLayeredImage` and `streamLayeredImage`: many layers, shared with other images."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.offline.conftest import Images


def test_a_layered_image_runs_and_has_the_file_of_its_commands(images: Images) -> None:
    reference = images.example("layered")

    assert images.run(reference) == "Hello, world!\n"
    assert images.run(reference, "/bin/cat", "/extra-file") == "layered\n"
    assert images.inspect(reference)["Created"] == "1970-01-01T00:00:01Z"


def test_two_layered_images_share_layers(images: Images) -> None:
    one, other = (set(images.layers(images.example(name))) for name in ("layered", "layeredOther"))

    # The C library, bash and its terminal library, coreutils and what that needs.
    assert len(one & other) >= 4


def test_a_streamed_image_is_an_executable_file(images: Images) -> None:
    file = images.examples()
    path = images.build(file, "-A", "streamed")

    assert path.name.partition("-")[2] == "stream-streamed"
    assert stat.S_IMODE(path.stat().st_mode) == 0o555
    assert images.evaluate(file, "streamed.isExe") is True
    archive = subprocess.run([path], capture_output=True, check=True)
    assert images.engine.docker("load", stdin=archive.stdout) == "Loaded image: streamed:latest\n"
    assert images.run("streamed:latest") == "Hello, world!\n"
    renamed = subprocess.run([path, "-t", "renamed:1"], capture_output=True, check=True)
    assert images.engine.docker("load", stdin=renamed.stdout) == "Loaded image: renamed:1\n"


def test_the_conf_has_upstreams_keys_in_upstreams_order(images: Images) -> None:
    path = images.build(images.examples(), "-A", "nonRootOwner.conf")
    conf = json.loads(path.read_text())

    assert path.name.partition("-")[2] == "non-root-owner-conf.json"
    assert list(conf) == [
        *("architecture", "config", "os", "store_dir", "from_image", "store_layers", "customisation_layer"),
        *("repo_tag", "created", "mtime", "uid", "gid", "uname", "gname"),
    ]
    assert conf["created"] == conf["mtime"] == "1970-01-01T00:00:01+00:00"
    assert (conf["uid"], conf["gid"], conf["uname"]) == ("1000", "1000", "user")
    assert conf["from_image"] is None


@pytest.mark.parametrize("name", ["bashNoTagLayered", "bashNoTagStreamed", "nixLayered"])
def test_the_tag_is_the_hash_of_the_conf_and_the_attribute_says_it(name: str, images: Images) -> None:
    file = images.examples()
    reference = images.example(name)
    stream = name if name == "bashNoTagStreamed" else f"{name}.stream"
    conf = images.build(file, "-A", f"{stream}.conf")

    assert conf.name.startswith(reference.partition(":")[2] + "-")
    assert images.evaluate(file, f"{name}.imageTag") == reference.partition(":")[2]
    images.engine.docker("rmi", reference)


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("bashLayeredUncompressed", "bash-layered-uncompressed.tar"),
        ("bashLayeredZstdCompressed", "bash-layered-zstd.tar.zst"),
        ("layered", "layered.tar.gz"),
    ],
)
def test_compression_shows_in_the_name_of_the_file(name: str, file_name: str, images: Images) -> None:
    assert images.build(images.examples(), "-A", name).name.partition("-")[2] == file_name
    assert images.run_example(name, "/bin/bash", "-c", "echo runs") == "runs\n"


def test_another_user_can_read_the_store(images: Images) -> None:
    assert images.run_example("layeredUser") == "somebody\n755 /nix\n755 /nix/store\n"


def test_with_two_layers_all_store_paths_share_one_and_none_is_missing(images: Images) -> None:
    reference = images.example("twoLayers")

    assert len(images.layers(reference)) == 2
    assert images.run(reference) == "Hello, world!\n"
    assert images.run(reference, "/bin/ls", "/bin/hello") == "/bin/hello\n"


def test_the_layers_of_the_base_count(images: Images) -> None:
    reference = images.example("fourLayers")

    assert len(set(images.layers(reference))) == 4
    assert images.run(reference) == "42\n"


def test_a_pipeline_decides_what_shares_a_layer(images: Images) -> None:
    file = images.examples()
    conf = json.loads(images.build(file, "-A", "pipeline.conf").read_text())
    names = [
        [re.sub(r"^[^-]*-|-[\d.]+.*$", "", path.rpartition("/")[2]) for path in layer]
        for layer in conf["store_layers"]
    ]

    # What jq needs, in two layers; then the rest.
    assert len(names) == 3
    assert names[0] == ["libc6"]
    assert "jq" in names[1]
    assert "bash" in names[2]
    assert images.run_example("pipeline") == "2\n"


def test_only_what_is_referred_to_is_in_the_image(images: Images) -> None:
    """A static program was copied: neither its store path nor any other is needed."""
    assert "nix" not in images.run_example("minimal").split()


def test_a_store_path_that_is_a_link_stays_one(images: Images) -> None:
    lines = images.run_example("storeLink").splitlines()

    assert re.fullmatch(r"/nix/store/[0-9a-z]{32}-target", lines[0])
    assert lines[1:] == ["Content doesn't matter."]


def test_what_is_in_the_store_is_unchanged_whoever_the_image_s_files_are_given_to(images: Images) -> None:
    reference = images.example("contentsUnchanged")

    assert images.run(reference) == "some data\n"
    images.run(reference, "/bin/nix-store", "--verify", "--check-contents")


def test_created_now_is_the_time_of_the_build_or_of_the_run(images: Images) -> None:
    built = images.inspect(images.example("createdNowLayered"))["Created"]
    assert re.match(r"20\d\d-", built)

    path = images.build(images.examples(), "-A", "createdNowLayered.stream")
    ids = []
    for _ in range(2):
        loaded = images.engine.docker(
            "load", "-q", stdin=subprocess.run([path], capture_output=True, check=True).stdout
        )
        ids.append(images.inspect(loaded.split()[-1])["Id"])
        time.sleep(0.01)
    assert ids[0] != ids[1]


def test_a_name_may_have_a_registry(images: Images) -> None:
    assert images.example("prefixedLayered") == "registry.example.org/layered:latest"
    assert images.run("registry.example.org/layered:latest") == "Hello, world!\n"


def test_a_folder_beside_the_expression_is_linked_to_from_the_root(images: Images) -> None:
    assert images.run_example("withPathLayered") == "Hello from a file\n"


def test_the_architecture_is_what_is_said(images: Images) -> None:
    images.example("otherArchitectureLayered")

    assert images.inspect("other-architecture-layered:latest")["Architecture"] == "arm64"


def test_of_a_variable_that_the_base_has_the_last_value_is_the_only_one(images: Images) -> None:
    reference = images.example("environmentLayered")
    environment = images.inspect(reference)["Config"]["Env"]

    assert environment == ["FROM_PARENT=true", "LAST_LAYER=child", "FROM_CHILD=true"]
    assert set(environment) <= set(images.run(reference).splitlines())


def test_certificates_are_where_programs_look(images: Images) -> None:
    assert len(images.run_example("certificates").splitlines()) == 3


def test_the_files_belong_to_whom_is_said(images: Images) -> None:
    assert images.run_example("nonRootOwner") == "1000:1000\n1000:1000\n"


def test_a_web_server_answers(images: Images) -> None:
    reference = images.example("nginx")
    name = images.engine.docker("run", "-d", reference).strip()
    try:
        page = ""
        for _ in range(50):
            address = images.engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name).strip()
            done = subprocess.run(
                ["curl", "-sS", "--noproxy", "*", f"http://{address}:8000/"],
                capture_output=True,
                text=True,
                check=False,
            )
            page = done.stdout
            if page:
                break
            time.sleep(0.1)
        assert "Hello from nginx" in page, images.engine.docker("logs", name)
    finally:
        images.engine.docker("rm", "-f", name)


def test_what_is_not_in_the_image_may_be_mounted(images: Images) -> None:
    assert images.run_example("helloOnRoot") == "Hello, world!\n"
    for name in ("helloOnRootNoStore", "helloOnRootNoStoreFakechroot"):
        reference = images.example(name)

        without = images.nixdock("run", reference)
        assert without.status == 127, without.stderr
        assert images.run(reference, options=("-v", "/nix/store:/nix/store:ro")) == "Hello, world!\n"


@pytest.mark.parametrize("name", ["helloOnRootNoStore", "helloOnRootNoStoreFakechroot"])
def test_an_image_without_store_paths_has_none(name: str, images: Images) -> None:
    conf = json.loads(images.build(images.examples(), "-A", f"{name}.conf").read_text())
    listed = subprocess.run(
        ["tar", "tf", f"{conf['customisation_layer']}/layer.tar"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert conf["store_layers"] == []
    assert [line for line in listed.stdout.splitlines() if "nix/store/" in line] == []
