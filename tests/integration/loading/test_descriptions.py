"""Images that are descriptions: made while they are sent, in one pass where nothing is known of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from nixdock.engine.connection.address import choose
from nixdock.engine.connection.api import connect
from nixdock.engine.loading.ledger import Ledger
from nixdock.engine.loading.ledger import open_database as open_ledger
from nixdock.engine.loading.load import load_image
from nixdock.formats import nix2container_tar, open_images
from nixdock.formats.memory import Memory, open_database
from nixdock.formats.nix2container_tar import LayerPath
from nixdock.image.reference import Digest
from support.archives import BUSYBOX, docker_archive, layer, runnable

from .conftest import Loader

MOMENT = "1970-01-01T00:00:01+00:00"


def add(folder: Path, name: str, files: dict[str, bytes]) -> str:
    """Add a tree to the Nix store."""
    tree = folder / name
    for path, data in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
        (tree / path).chmod(0o555)
    words = ["nix-store", "--add", str(tree)]
    environment = {**os.environ, "NIX_CONFIG": "build-users-group ="}
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()


def write_conf(load: Loader, salt: bytes, tag: str, **changes: Any) -> Path:
    """Write the conf of a streamed image of three layers."""
    custom = layer("custom", content=salt)
    program = add(load.folder, "program", {"bin/busybox": BUSYBOX.read_bytes()})
    data = add(load.folder, f"data-{salt.hex()}", {"data": salt * 1000})
    checksum = f"{Digest.of(custom).hex}\n".encode()
    top = add(load.folder, f"custom-{salt.hex()}", {"layer.tar": custom, "checksum": checksum})
    conf = {
        "architecture": "amd64",
        "config": {"Cmd": [f"{program}/bin/busybox", "echo", "streamed"]},
        "os": "linux",
        "store_dir": "/nix/store",
        "from_image": None,
        "store_layers": [[program], [data]],
        "customisation_layer": top,
        "repo_tag": tag,
        "created": MOMENT,
        "mtime": MOMENT,
        "uid": "0",
        "gid": "0",
        "uname": "root",
        "gname": "root",
    }
    path = load.folder / f"{tag.replace(':', '-')}.json"
    path.write_text(json.dumps({**conf, **changes}))
    return path


def test_a_streamed_image_is_loaded_in_one_pass_and_known_again(load: Loader, salt: bytes) -> None:
    """The engine is empty, and nothing is known of the layers: they are hashed while they are sent."""
    conf = write_conf(load, salt, "streamed:1")
    (first,) = load(conf)
    assert (first["sent_layers"], first["layers"]) == (3, 3)
    assert load.says("streamed:1") == "streamed"
    (second,) = load(conf)
    assert (second["was_there"], second["engine_id"]) == (True, first["engine_id"])
    other = write_conf(load, salt, "streamed:2", config={"Cmd": ["/none"]})
    (third,) = load(other)
    assert (third["sent_layers"], third["sent"]) == (0, 0)


def test_a_streamed_image_upon_a_base(load: Loader, salt: bytes) -> None:
    packed = docker_archive(runnable(layer("base", content=salt)), codec="gzip")
    base = add(load.folder, f"base-{salt.hex()}", {"base.tar.gz": packed})
    conf = write_conf(load, salt, "upon:1", from_image=f"{base}/base.tar.gz")
    (loaded,) = load(conf)
    assert loaded["layers"] == 5
    assert load.says("upon:1") == "streamed"


def test_a_layer_that_is_no_longer_what_it_was_is_described_anew(load: Loader, salt: bytes) -> None:
    """What is remembered of a layer is wrong, as after a path was collected and built again otherwise."""
    memory = Memory(open_database(load.folder / "cache"))
    conf = write_conf(load, salt, "anew:1")
    (image,) = open_images(conf, memory=memory)
    _ = image.diff_ids
    memory.database.write("UPDATE layers SET diff_id = ?", [(f"sha256:{'1' * 64}",)])
    (image,) = open_images(conf, memory=memory)
    assert f"sha256:{'1' * 64}" in map(str, image.diff_ids)
    told: list[Any] = []
    with connect(choose(host=load.engine.host)) as engine:
        ledger = Ledger(engine, open_ledger(load.folder / "state"))
        loaded = load_image(engine, image, listener=told.append, ledger=ledger)
    assert any("made anew" in getattr(event, "text", "") for event in told)
    (right,) = open_images(conf, memory=Memory(open_database(load.folder / "other")))
    assert loaded.config_digest == right.config_digest
    assert load.says("anew:1") == "streamed"


def write_plan(load: Loader, diff_id: Digest, size: int) -> Path:
    """Write a plan of nix2container of one layer."""
    program = add(load.folder, "program", {"bin/busybox": BUSYBOX.read_bytes()})
    described = {
        "digest": str(diff_id),
        "diff_ids": str(diff_id),
        "size": size,
        "mediatype": "application/vnd.oci.image.layer.v1.tar",
        "paths": [{"path": program}],
    }
    config = {"Cmd": [f"{program}/bin/busybox", "echo", "planned"]}
    plan = {"version": 1, "image-config": config, "layers": [described], "arch": "amd64"}
    path = load.folder / f"{'0' * 32}-image-planned.json"
    path.write_text(json.dumps(plan))
    return path


def test_a_plan_of_nix2container(load: Loader) -> None:
    program = add(load.folder, "program", {"bin/busybox": BUSYBOX.read_bytes()})
    content = b"".join(nix2container_tar.chunks([LayerPath(program)]))
    (loaded,) = load(write_plan(load, Digest.of(content), len(content)))
    assert loaded["references"] == [f"planned:{'0' * 32}"]
    assert load.says(f"planned:{'0' * 32}") == "planned"
    # The digest is the plan's word, and it is kept, whether the size is right or not.
    before = load.images()
    for size, words in ((len(content), "its bytes have the digest"), (1024, "has not the 1024 bytes")):
        run = load.program("load", write_plan(load, Digest("1" * 64), size))
        assert (run.status, run.stdout) == (121, "")
        assert f"the layer of {program} in" in run.stderr
        assert words in run.stderr
        assert load.images() == before
