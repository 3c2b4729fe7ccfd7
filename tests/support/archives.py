"""Image archives made in memory, in every form that nixdock reads."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from nixdock.image.reference import Digest
from support.layers import file, tar_of

Entries = list[tuple[str, bytes]]

BUSYBOX = Path("/bin/busybox")

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": lambda data: gzip.compress(data, 1),
    "zstd": lambda data: zstandard.ZstdCompressor(level=1).compress(data),
    "xz": lambda data: lzma.compress(data, preset=0),
    "bzip2": lambda data: bz2.compress(data, 1),
}

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"


@dataclass(frozen=True)
class Sample:
    """An image: its layers' tars, what its config says, and its names."""

    layers: tuple[bytes, ...]
    tags: tuple[str, ...] = ("sample:1",)
    config: dict[str, Any] = field(default_factory=dict)
    architecture: str = "amd64"

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        return tuple(Digest.of(layer) for layer in self.layers)

    @property
    def config_bytes(self) -> bytes:
        document = {
            "architecture": self.architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:01Z",
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": [str(diff_id) for diff_id in self.diff_ids]},
        }
        return json.dumps(document).encode()

    @property
    def config_digest(self) -> Digest:
        return Digest.of(self.config_bytes)


def layer(*names: str, content: bytes = b"x") -> bytes:
    """Return a layer with small files of these names."""
    return tar_of(file(name, content) for name in names)


def program_layer() -> bytes:
    """Return a layer with a program that runs anywhere."""
    return tar_of([file("bin/busybox", BUSYBOX.read_bytes(), 0o755)])


def runnable(*layers: bytes, tags: tuple[str, ...] = ("sample:1",), says: str = "hello") -> Sample:
    """Return an image that prints a text, on any engine of this machine."""
    return Sample((program_layer(), *layers), tags, {"Cmd": ["/bin/busybox", "echo", says]})


def tar(entries: Entries, form: int = tarfile.GNU_FORMAT) -> bytes:
    """Return a tar of files."""
    return tar_of([file(name, data) for name, data in entries], form)


def docker_archive_entries(*samples: Sample, layer_codec: str = "none") -> Entries:
    """Return the members of a docker-archive: layers, configs, the manifest last."""
    entries: dict[str, bytes] = {}
    documents = []
    for sample in samples:
        names = [f"{diff_id.hex}/layer.tar" for diff_id in sample.diff_ids]
        for name, data in zip(names, sample.layers, strict=True):
            entries[name] = COMPRESSORS[layer_codec](data)
        config = f"{sample.config_digest.hex}.json"
        entries[config] = sample.config_bytes
        documents.append({"Config": config, "RepoTags": list(sample.tags), "Layers": names})
    entries["manifest.json"] = json.dumps(documents).encode()
    return list(entries.items())


def docker_archive(*samples: Sample, codec: str = "none", layer_codec: str = "none") -> bytes:
    """Return a docker-archive."""
    return COMPRESSORS[codec](tar(docker_archive_entries(*samples, layer_codec=layer_codec)))


def descriptor(media_type: str, data: bytes, **more: Any) -> dict[str, Any]:
    """Return an OCI descriptor of some bytes."""
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data), **more}


def oci_manifest(
    sample: Sample, blobs: dict[str, bytes], *, layer_codec: str = "none", docker: bool = False
) -> bytes:
    """Return an image manifest, and put what it names into the blobs."""
    suffix = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}[layer_codec]
    layer_type = f"{OCI}.layer.v1.tar{suffix}"
    config_type, manifest_type = f"{OCI}.config.v1+json", f"{OCI}.manifest.v1+json"
    if docker:
        layer_type = f"{DOCKER}.image.rootfs.diff.tar{suffix.replace('+', '.')}"
        config_type = f"{DOCKER}.container.image.v1+json"
        manifest_type = f"{DOCKER}.distribution.manifest.v2+json"
    packed = [COMPRESSORS[layer_codec](data) for data in sample.layers]
    document = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": descriptor(config_type, sample.config_bytes),
        "layers": [descriptor(layer_type, data) for data in packed],
    }
    manifest = json.dumps(document).encode()
    for data in (*packed, sample.config_bytes, manifest):
        blobs[blob_name(data)] = data
    return manifest


def blob_name(data: bytes) -> str:
    return f"blobs/sha256/{Digest.of(data).hex}"


def oci_entries(*samples: Sample, layer_codec: str = "none", docker: bool = False) -> Entries:
    """Return the files of an OCI layout with an image for each sample, named by its first tag."""
    blobs: dict[str, bytes] = {}
    descriptors = []
    for sample in samples:
        manifest = oci_manifest(sample, blobs, layer_codec=layer_codec, docker=docker)
        media_type = json.loads(manifest)["mediaType"]
        names = {"org.opencontainers.image.ref.name": sample.tags[0]} if sample.tags else {}
        descriptors.append(descriptor(media_type, manifest, annotations=names))
    return [*layout_files({"schemaVersion": 2, "manifests": descriptors}), *blobs.items()]


def layout_files(index: Any) -> Entries:
    """Return the two files that make a folder of blobs a layout."""
    return [
        ("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'),
        ("index.json", json.dumps(index).encode()),
    ]


def write_folder(folder: Path, entries: Entries) -> Path:
    """Write files below a folder."""
    for name, data in entries:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def read_tar(data: bytes) -> dict[str, bytes]:
    """Return the files of a tar by name; links stand for what they point to."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for member in archive:
            extracted = archive.extractfile(member)
            if extracted is not None:
                found[member.name] = extracted.read()
        return found
