"""Archives that mean harm, each with the words of the sentence that it ends with."""

from __future__ import annotations

import gzip
import json
import lzma
import tarfile
import zlib
from collections.abc import Callable
from typing import Any

from nixdock.image.reference import Digest
from support.archives import (
    OCI,
    Sample,
    descriptor,
    docker_archive,
    docker_archive_entries,
    layer,
    layout_files,
    oci_manifest,
    tar,
)
from support.layers import device, file, folder, hardlink, link, tar_of

SAMPLE = Sample((layer("a"), layer("b")))
ENTRIES = dict(docker_archive_entries(SAMPLE))
CONFIG = f"{SAMPLE.config_digest.hex}.json"
LAYERS = [f"{diff_id.hex}/layer.tar" for diff_id in SAMPLE.diff_ids]


def docker(manifest: Any, **files: bytes) -> bytes:
    """A docker-archive with this manifest, and these files beside those of the sample."""
    data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return tar([*(ENTRIES | files | {"manifest.json": data}).items()])


def document(**changes: Any) -> dict[str, Any]:
    return {"Config": CONFIG, "RepoTags": ["sample:1"], "Layers": LAYERS, **changes}


def with_config(config: Any) -> bytes:
    data = config if isinstance(config, bytes) else json.dumps(config).encode()
    return docker([document(Config="c")], c=data)


def members(*some: tuple[tarfile.TarInfo, bytes], layers: list[str] | None = None) -> bytes:
    """A docker-archive of one layer, made of members."""
    config = Sample((layer("a"),)).config_bytes
    manifest = [{"Config": "c", "RepoTags": None, "Layers": layers or ["l"]}]
    return tar_of([*some, file("c", config), file("manifest.json", json.dumps(manifest).encode())])


def oci(index: Any, *more: bytes) -> bytes:
    """An OCI layout with this index, the sample's blobs, and these."""
    blobs: dict[str, bytes] = {}
    oci_manifest(SAMPLE, blobs)
    for data in more:
        blobs[f"blobs/sha256/{Digest.of(data).hex}"] = data
    return tar([*layout_files(index), *blobs.items()])


MANIFEST_TYPE = f"{OCI}.manifest.v1+json"


INDEX_TYPE = f"{OCI}.index.v1+json"


GOOD = oci_manifest(SAMPLE, {})


def described(data: bytes = GOOD, media_type: str = MANIFEST_TYPE, **more: Any) -> dict[str, Any]:
    return descriptor(media_type, data, **more)


def changed_manifest(**changes: Any) -> bytes:
    """A layout whose manifest says something else."""
    data = json.dumps({**json.loads(GOOD), **changes}).encode()
    return oci({"manifests": [described(data)]}, data)


def chain(length: int) -> bytes:
    """Indexes that lead from one to another."""
    documents = [json.dumps({"manifests": [described()]}).encode()]
    for _ in range(length):
        documents.append(json.dumps({"manifests": [described(documents[-1], INDEX_TYPE)]}).encode())
    return oci({"manifests": [described(documents[-1], INDEX_TYPE)]}, *documents)


def header(name: str, kind: bytes, size: int, data: bytes = b"", **more: Any) -> bytes:
    """A member that claims a size, and has other data."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


def pax(text: bytes) -> bytes:
    return header("x", b"x", len(text), text) + header("f", b"0", 0)


def renumbered(field: bytes) -> bytes:
    """A header with another size field, and the right sum."""
    block = bytearray(header("f", b"0", 0))
    block[124:136] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


END = bytes(1024)
LONG = b"n" * (1 << 20)
ROWS: dict[str, tuple[Callable[[], bytes], str]] = {
    # Lists.
    "more images than any": (
        lambda: docker([document(Layers=[f"l{n}"]) for n in range(2001)]),
        "more images",
    ),
    "more names than any": (lambda: docker([document(RepoTags=["a:1"] * 10_001)]), "more names"),
    "more names, by and by": (lambda: docker([document(RepoTags=["a:1"] * 101)] * 100), "more names"),
    "more layers than can be stacked": (lambda: docker([document(Layers=LAYERS * 251)]), "has 502 layers"),
    "more layers in all": (
        lambda: docker([document(Layers=[f"l{n}"] * 500) for n in range(101)]),
        "more layers",
    ),
    "a manifest of many values": (
        lambda: docker(b"[" + b"0," * 2_000_000 + b"0]"),
        "more than 2000000 values",
    ),
    "a history of many values": (
        lambda: with_config(b'{"history":[' + b"{}," * 2_000_000 + b"{}]}"),
        "more than 2000000 values",
    ),
    "a config of many layers": (
        lambda: with_config({"rootfs": {"diff_ids": [f"sha256:{'0' * 64}"] * 100_000}}),
        "has 100000 layers",
    ),
    "a config that is too large": (lambda: with_config(b" " * (16 * 1024 * 1024 + 1)), "has 16777217 bytes"),
    "one large config by many names": (
        lambda: tar_of(
            [
                file("c0", b'{"rootfs":{"diff_ids":[]},"x":"' + b"x" * 16_000_000 + b'"}'),
                *(hardlink(f"c{n}", "c0") for n in range(1, 20)),
                file(
                    "manifest.json",
                    json.dumps([{"Config": f"c{n}", "Layers": []} for n in range(20)]).encode(),
                ),
            ]
        ),
        "more bytes of configs",
    ),
    "an index of many manifests": (lambda: oci({"manifests": [described()] * 2001}), "lists 2001 manifests"),
    "an index of many values": (
        lambda: oci({"manifests": [], "x": [0] * 2_000_001}),
        "more than 2000000 values",
    ),
    "indexes without end": (lambda: chain(6), "lead from one to another"),
    "a manifest of many layers": (
        lambda: changed_manifest(layers=[descriptor(f"{OCI}.layer.v1.tar", layer("a"))] * 501),
        "has 501 layers",
    ),
    "many other platforms": (
        lambda: oci(
            {"manifests": [described(platform={"os": "linux", "architecture": f"a{n}"}) for n in range(1000)]}
        ),
        "has no image for linux/amd64",
    ),
    "another platform of two lines": (
        lambda: oci({"manifests": [described(platform={"os": "a\nb", "architecture": n}) for n in "xy"]}),
        "has no image for linux/amd64",
    ),
    # Headers.
    "many long names": (lambda: b"".join(header("x", b"L", len(LONG), LONG) for _ in range(17)), "too many"),
    "many extended headers": (
        lambda: header("x", b"x", 0) * 17 + header("f", b"0", 0),
        "too many extensions",
    ),
    "names that fill the memory": (
        lambda: b"".join(
            header("x", b"L", len(LONG), LONG[:-4] + b"%04d" % n) + header("f", b"0", 0) for n in range(17)
        ),
        "has names of",
    ),
    "a long name that claims much": (lambda: header("x", b"L", 1 << 30, b"x"), "claims 1073741824 bytes"),
    "a long target that claims much": (lambda: header("x", b"K", 1 << 30, b"x"), "claims 1073741824 bytes"),
    "an extended header that claims much": (lambda: header("x", b"x", 1 << 30, b"x"), "claims 1073741824"),
    "a global header that claims much": (lambda: header("x", b"g", 1 << 30, b"x"), "claims 1073741824"),
    "a record without a length": (lambda: pax(b"size=1\n"), "an extended header"),
    "a record that is longer than all": (lambda: pax(b"999 size=1\n"), "an extended header"),
    "a record of no length": (lambda: pax(b"0 size=1\n"), "an extended header"),
    "a size that is none": (lambda: pax(b"11 size=-1\n"), "a size of '-1'"),
    "a size of many digits": (lambda: pax(b"41 size=" + b"9" * 32 + b"\n"), "a size of"),
    "a negative size": (lambda: renumbered(b"\xff" * 12), "a negative size"),
    "a size beyond all disks": (lambda: renumbered(b"\x80" + b"\x7f" * 11), "a size of"),
    "a size that is no number": (lambda: renumbered(b"zzzzzzzzzzz\0"), "a size that is no number"),
    "a member longer than the file": (lambda: header("f", b"0", 1 << 40, b"x"), "is truncated"),
    "a second header that is none": (lambda: header("f", b"0", 0) + b"x" * 512, "is no tar header"),
    "a sparse member": (lambda: header("f", b"S", 0) + END, "sparse member"),
    "a sparse member in an extended header": (lambda: pax(b"22 GNU.sparse.major=1\n"), "sparse member"),
    # Paths.
    "a layer above": (
        lambda: docker([document(Layers=["../../etc/passwd", LAYERS[1]])]),
        "outside of the archive",
    ),
    "an absolute layer": (
        lambda: docker([document(Layers=["/etc/passwd", LAYERS[1]])]),
        "outside of the archive",
    ),
    "an absolute config": (lambda: docker([document(Config="/etc/passwd")]), "outside of the archive"),
    "a config in /proc": (lambda: docker([document(Config="/proc/self/environ")]), "outside of the archive"),
    "a NUL in a name": (lambda: docker([document(Layers=["a\0b", LAYERS[1]])]), "outside of the archive"),
    "half a character in a name": (lambda: docker([document(Layers=["\ud800", LAYERS[1]])]), "is not in it"),
    "a link above": (lambda: members(link("l", "../../../etc/passwd")), "outside of the archive"),
    "an absolute link": (lambda: members(link("l", "/etc/passwd")), "outside of the archive"),
    "a hard link above": (lambda: members(hardlink("l", "../etc/passwd")), "outside of the archive"),
    "links in a circle": (lambda: members(link("l", "m"), link("m", "l")), "leads nowhere"),
    "a link to nothing": (lambda: members(link("l", "nothing")), "is not in it"),
    "a layer that is a folder": (lambda: members(folder("l")), "is not in it"),
    "a layer that is a device": (lambda: members(device("l")), "is not in it"),
    "a layer that is a pipe": (lambda: members(device("l", tarfile.FIFOTYPE)), "is not in it"),
    "a layer below a link": (lambda: members(link("d", "/etc"), layers=["d/passwd"]), "is not in it"),
    # Documents.
    "no manifest": (lambda: tar([("a", b"b")]), "is a tar, but no image"),
    "a manifest that is none": (lambda: docker(b"\x1b[2J\n"), "is no JSON"),
    "a manifest nested without end": (lambda: docker(b"[" * 500_000), "is no JSON"),
    "a manifest in another encoding": (lambda: docker(b"\xff\xfe[\x001\x00"), "is no JSON"),
    "a manifest of numbers": (lambda: docker([1]), "is no JSON object"),
    "names that are numbers": (lambda: docker([document(RepoTags=[1])]), "no list of strings"),
    "a name that would be obeyed": (
        lambda: docker([document(RepoTags=["\x1b[2J:1"])]),
        "names its image wrongly",
    ),
    "a name of two lines": (lambda: docker([document(RepoTags=["a\nb:1"])]), "names its image wrongly"),
    "a config that is a number": (lambda: with_config(5), "is no JSON object"),
    "a config of a long number": (lambda: with_config(b'{"x":' + b"9" * 5000 + b"}"), "is no JSON"),
    "a diff ID that is a path": (
        lambda: with_config({"rootfs": {"diff_ids": ["sha256:../../../../etc/passwd", "sha256:"]}}),
        "a diff ID",
    ),
    # Compression.
    "gzip cut short": (lambda: docker_archive(SAMPLE, codec="gzip")[:300], "truncated|damaged"),
    "gzip with another sum": (lambda: gzip.compress(docker_archive(SAMPLE))[:-8] + bytes(8), "damaged"),
    "gzip of much nothing": (lambda: gzip.compress(gzip.compress(bytes(1 << 26))), "is compressed, but"),
    "gzip of nothing": (lambda: gzip.compress(b""), "is compressed, but"),
    "xz that wants much memory": (lambda: wide_xz(SAMPLE), "cannot be decompressed"),
    # A frame whose header states a window of 2 GiB (RFC 8878, 3.1.1.1.2).
    "zstd with a wide window": (
        lambda: b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00x",
        "cannot be decompressed|is compressed, but",
    ),
    "bzip2 that is none": (lambda: b"BZh9" + b"x" * 600, "cannot be decompressed"),
    # OCI layouts.
    "a layout of another time": (
        lambda: tar([("oci-layout", b'{"imageLayoutVersion":"2.0.0"}'), ("index.json", b"{}")]),
        "which nixdock does not know",
    ),
    "an index that is a list": (lambda: oci([]), "has no list of manifests"),
    "an index of nothing": (lambda: oci({"manifests": []}), "lists none"),
    "a digest that is a path": (
        lambda: oci({"manifests": [{**described(), "digest": "sha256:../../../../etc/passwd"}]}),
        "not a sha256 digest",
    ),
    "a digest of another kind": (
        lambda: oci({"manifests": [{**described(), "digest": "sha512:0"}]}),
        "not a sha256",
    ),
    "a size that is a truth": (lambda: oci({"manifests": [{**described(), "size": True}]}), "has no size"),
    "a manifest that is not there": (lambda: oci({"manifests": [described(b"none")]}), "is not in it"),
    "a manifest of another size": (
        lambda: oci({"manifests": [{**described(), "size": 1}]}),
        "has other content",
    ),
    "a layer of another kind": (
        lambda: changed_manifest(layers=[descriptor("x", data) for data in SAMPLE.layers]),
        "unknown media type 'x'",
    ),
    "a layer of another size": (
        lambda: changed_manifest(
            layers=[{**descriptor(f"{OCI}.layer.v1.tar", data), "size": 1} for data in SAMPLE.layers]
        ),
        "bytes instead of 1",
    ),
    "a config of another kind": (
        lambda: changed_manifest(config=descriptor("application/x", SAMPLE.config_bytes)),
        "its config is a 'application/x'",
    ),
}


def wide_xz(sample: Sample) -> bytes:
    """An xz file whose filter states a dictionary of 1.5 GiB; nobody needs one to write it."""
    data = bytearray(lzma.compress(docker_archive(sample), preset=0))
    # Block header (xz-file-format, 3.1): size, flags, filter 0x21 with one byte of properties, a CRC32.
    assert data[14:16] == b"\x21\x01"
    data[16] = 37
    length = (data[12] + 1) * 4
    data[12 + length - 4 : 12 + length] = zlib.crc32(bytes(data[12 : 12 + length - 4])).to_bytes(4, "little")
    return bytes(data)
