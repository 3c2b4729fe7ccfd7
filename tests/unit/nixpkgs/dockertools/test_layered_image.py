"""Streamed images have the identity that nixpkgs' own streamer gives them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from nixdock.nixpkgs.dockertools import base_image, image_config, layered_image
from nixdock.nixpkgs.dockertools.layered_conf import ConfError, LayeredConf
from nixdock.nixpkgs.dockertools.layered_image import LayeredImage

Goldens = dict[str, Any]

CASES = ("bare", "base", "base-no-env", "owner", "plain")


@pytest.fixture
def files() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def build(conf_path: Path, files: ExitStack, *, repo_tag: str | None = None) -> LayeredImage:
    conf = LayeredConf.read(str(conf_path))
    base = files.enter_context(base_image.read(conf.from_image)) if conf.from_image else None
    sources = layered_image.sources(conf, base)
    layers = [(source, source.digest()) for source in sources]
    return layered_image.complete(conf, base, layers, repo_tag=repo_tag)


@pytest.mark.parametrize("case", CASES)
def test_the_image_id_and_all_layers_are_upstreams(
    case: str, stream_golden: Goldens, files: ExitStack
) -> None:
    golden = stream_golden[case]
    image = build(golden.conf, files)

    assert [f"sha256:{digest}" for _, digest in image.layers] == golden.diff_ids
    assert [source.size() for source, _ in image.layers] == golden.layer_sizes
    assert json.loads(image.config_bytes)["config"].get("Env") == golden.env
    assert len(image.config_bytes) == golden.config_bytes
    assert f"sha256:{image.config_digest}" == golden.image_id


def test_the_archive_tells_of_the_image_before_its_layers(stream_golden: Goldens, files: ExitStack) -> None:
    image = build(stream_golden["base"].conf, files)
    out = io.BytesIO()
    steps: list[str] = []
    layered_image.write(image, out, tell=steps.append)

    assert len(out.getvalue()) % 10240 == 0
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        names = archive.getnames()
        manifest = json.load(archive.extractfile("manifest.json") or io.BytesIO())
        config = (archive.extractfile(manifest[0]["Config"]) or io.BytesIO()).read()

    assert names[:2] == ["manifest.json", f"{image.config_digest}.json"]
    assert config == image.config_bytes
    assert manifest[0]["RepoTags"] == ["golden:1"]
    # The base names its first layer twice: it is listed twice, and there once.
    assert manifest[0]["Layers"][0] == manifest[0]["Layers"][2]
    assert sorted(names[2:]) == sorted(set(manifest[0]["Layers"]))
    assert len(steps) == 5


def test_another_name_does_not_make_another_image(stream_golden: Goldens, files: ExitStack) -> None:
    image = build(stream_golden["plain"].conf, files, repo_tag="other:2")

    assert image.repo_tag == "other:2"
    assert f"sha256:{image.config_digest}" == stream_golden["plain"].image_id


def test_an_environment_keeps_first_places_and_takes_last_values() -> None:
    merged = image_config.merge_env(["PATH=/base", "A=1", "A=2"], ["B=3", "PATH=/own", "EMPTY="])

    assert merged == ["PATH=/own", "A=2", "B=3", "EMPTY="]


def test_now_is_told_with_its_zone() -> None:
    assert image_config.timestamp("now").tzinfo is not None
    assert image_config.timestamp("1970-01-01T00:00:01Z").isoformat() == "1970-01-01T00:00:01+00:00"


def conf_json(**changes: object) -> str:
    plain = {
        "architecture": "amd64",
        "config": {},
        "store_layers": [],
        "customisation_layer": "/nix/store/x",
        "repo_tag": "a:b",
        "created": "2020-01-01T00:00:00+00:00",
    }
    return json.dumps(plain | changes)


def test_an_old_conf_takes_the_creation_time_and_root() -> None:
    conf = LayeredConf.from_json(conf_json())

    assert conf.mtime == conf.created
    assert (conf.uid, conf.gid, conf.uname, conf.gname) == (0, 0, "root", "root")
    assert conf.stamp().mtime == 1_577_836_800


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ("[]", "is not the conf of a streamed image"),
        ("{}", "'architecture'|'created'"),
        (conf_json(uid="x"), "is not the conf of a streamed image"),
        (conf_json(store_layers=[["/etc/passwd"]]), "names /etc/passwd, which is not in /nix/store"),
    ],
)
def test_what_is_no_conf_is_refused_with_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ConfError, match=complaint):
        LayeredConf.from_json(text)
