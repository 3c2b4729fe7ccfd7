"""The tar of a layer that nix2container describes by paths, byte for byte as its own tool makes it.

The files of all paths of a layer form one tree by their destination: the source path, in which a
regular expression may be replaced (usually the store path itself, to put its content at `/`). Directories
that only lead to something are made up. The tree is written depth first, children sorted by bytes, with
absolute names, time 1, hard links as files, and two empty blocks at the end.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from nixdock.errors import LoadError
from nixdock.formats import go_tar
from nixdock.formats.go_tar import BLOCK, GoHeader, write_header
from nixdock.formats.source import explain_os_error
from nixdock.nixpkgs.dockertools.layer_tar import content, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FILES_LIMIT: Final = 2_000_000
"""Files that a layer may have: a plan may name a path again and again, each time for another place."""

_REFERENCE: Final = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Permission:
    """Owner and mode for the files whose source path matches.

    Args:
        regex: Searched for anywhere in the source path, in RE2's dialect.
        mode: Permission bits, or None to leave them.
        uid: Owner.
        gid: Group.
        uname: Owner's name; empty to leave it.
        gname: Group's name; empty to leave it.
    """

    regex: str
    mode: int | None = None
    uid: int = 0
    gid: int = 0
    uname: str = ""
    gname: str = ""


@dataclass(frozen=True, slots=True)
class LayerPath:
    """A path of a layer, and where it is to stand.

    Args:
        path: The source.
        regex: What is replaced in every source path below it; empty to replace nothing.
        replacement: What it is replaced by, with Go's references (`$1`).
        permissions: Applied in order.
    """

    path: str
    regex: str = ""
    replacement: str = ""
    permissions: tuple[Permission, ...] = ()


@dataclass(slots=True)
class _Node:
    """A place in the tree."""

    header: GoHeader
    source: str | None = None
    children: dict[bytes, _Node] = field(default_factory=dict)


def chunks(paths: Sequence[LayerPath]) -> Iterator[bytes]:
    """Yield the bytes of a layer's tar.

    Raises:
        LoadError: A path is not there, or two files that differ are to stand in one place; or there are
            too many.
    """
    return joined(_pieces(plan(paths)))


def plan(paths: Sequence[LayerPath]) -> _Node:
    """Return the tree that a layer's paths make.

    Raises:
        LoadError: As for `chunks`.
    """
    root = _Node(_made_up(b"/"))
    count = 0
    for layer_path in paths:
        rewrite = _rewriter(layer_path)
        permissions = [(_compile(permission.regex), permission) for permission in layer_path.permissions]
        for source, info in _walk(layer_path.path):
            destination = rewrite(source)
            if not destination:
                continue
            count += 1
            if count > FILES_LIMIT:
                raise LoadError(f"a layer is refused: it has more than {FILES_LIMIT} files")
            header = _describe(os.fsencode(destination), source, info)
            for pattern, permission in permissions:
                if pattern.search(source):
                    header = _permit(header, permission)
            _insert(root, header, source)
    return root


def _insert(root: _Node, header: GoHeader, source: str) -> None:
    node = root
    reached = b""
    for component in filter(None, header.name.split(b"/")):
        reached += b"/" + component
        node = node.children.setdefault(component, _Node(_made_up(reached)))
    if node.source is not None:
        _compare(node, header, source)
    node.header, node.source = header, source


def _compare(node: _Node, header: GoHeader, source: str) -> None:
    """Refuse two files in one place, unless they are alike as far as can be seen."""
    old = node.header
    if (old.kind, old.mode, old.uid, old.gid) != (header.kind, header.mode, header.uid, header.gid) or (
        header.kind == go_tar.FILE and old.size != header.size
    ):
        raise LoadError(
            f"{node.source} and {source} are different files for the same place in the image, "
            f"{os.fsdecode(header.name)}"
        )


def _describe(name: bytes, source: str, info: os.stat_result) -> GoHeader:
    if stat.S_ISLNK(info.st_mode):
        link = os.fsencode(os.readlink(source))  # noqa: PTH115  # one for each file
        return GoHeader(name, go_tar.SYMLINK, 0o777, 0, 0, b"root", b"root", link=link)
    mode = info.st_mode & 0o777
    if stat.S_ISDIR(info.st_mode):
        return GoHeader(name, go_tar.DIRECTORY, mode, 0, 0, b"root", b"root")
    return GoHeader(name, go_tar.FILE, mode, 0, 0, b"root", b"root", size=info.st_size)


def _made_up(name: bytes) -> GoHeader:
    return GoHeader(name, go_tar.DIRECTORY, 0o755, 0, 0, b"root", b"root")


def _permit(header: GoHeader, permission: Permission) -> GoHeader:
    return replace(
        header,
        mode=header.mode if permission.mode is None else permission.mode,
        uid=permission.uid,
        gid=permission.gid,
        uname=permission.uname.encode() or header.uname,
        gname=permission.gname.encode() or header.gname,
    )


def _rewriter(path: LayerPath) -> Callable[[str], str]:
    if not path.regex:
        return lambda source: source
    pattern = _compile(path.regex)
    if "$" not in path.replacement:
        text = path.replacement
        return lambda source: str(pattern.sub(lambda _match: text, source))
    return lambda source: str(pattern.sub(lambda match: _expand(path.replacement, match), source))


def _expand(template: str, match: Any) -> str:  # noqa: ANN401  # re2 has no types
    def value(reference: re.Match[str]) -> str:
        dollar, braced, plain = reference.groups()
        if dollar:
            return "$"
        name = braced or plain
        try:
            return match.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(value, template)


def _compile(regex: str) -> Any:  # noqa: ANN401  # re2 has no types
    import re2  # noqa: PLC0415  # Go's dialect; only these images need it

    try:
        return re2.compile(regex)
    except re2.error as error:
        raise LoadError(
            f"a layer is described by a regular expression that is none: {regex!r} ({error})"
        ) from error


def _walk(path: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        info = os.lstat(path)
        waiting = [(path, info)]
        while waiting:
            source, info = waiting.pop()
            yield source, info
            if stat.S_ISDIR(info.st_mode):
                with os.scandir(source) as entries:
                    waiting += [(entry.path, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError as error:
        raise explain_os_error(error, str(error.filename or path)) from error


def _flatten(root: _Node) -> Iterator[_Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [node.children[name] for name in sorted(node.children, reverse=True)]


def _pieces(root: _Node) -> Iterator[bytes]:
    for node in _flatten(root):
        yield write_header(node.header)
        if node.header.size and node.source is not None:
            try:
                yield from content(node.source, node.header.size)
            except OSError as error:
                raise explain_os_error(error, node.source) from error
    yield bytes(2 * BLOCK)
