"""`file`: a path in the image, or every path that a pattern matches."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nixdock.checks.files.tree import TooManyLinksError, is_pattern
from nixdock.checks.format.matcher_shapes import NUMBER, TEXT, EntriesShape, NumberShape
from nixdock.checks.format.records import key, required
from nixdock.checks.format.shapes import Flag, OneOf, Parsed, Text
from nixdock.checks.matchers.algebra import BYTES
from nixdock.checks.model import StaticKind
from nixdock.checks.modes import ModeMatcher, symbolic
from nixdock.checks.verdict import CheckResult, Finding, findings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.files.accounts import UnixGroup, UnixUser
    from nixdock.checks.files.entry import LayerEntry
    from nixdock.checks.matchers.algebra import Matcher, Number
    from nixdock.checks.subject import Subject
    from nixdock.outcome import Output

_MANY = 5
_PIECE = 1 << 20
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_TYPES = ("file", "directory", "symlink", "fifo", "character", "block")


def _read_path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not a path in the image: it must begin with '/'")
    return text


def _read_sha256(text: str) -> str:
    match = _SHA256.fullmatch(text.lower())
    if match is None:
        raise ValueError(f"{text!r} is not a sha256: it has 64 hexadecimal digits")
    return match[1]


@dataclass(frozen=True, slots=True)
class FileCheck(StaticKind):
    """A path in the image; with `*`, `?` or `[...]` every path that matches."""

    path: str = required(Parsed(_read_path, "a path in the image"), name="file")
    exists: bool = key(Flag(), "Whether it must be there; true unless told.", default=True)
    follow: bool | None = key(Flag(), "Whether a symbolic link is followed, within the image.")
    type: str | None = key(OneOf(_TYPES), "What it is.")
    mode: ModeMatcher | None = key(
        Parsed(ModeMatcher.parse, "a mode"), "'0755', or 'rwxr-xr-x' as ls shows it."
    )
    uid: Matcher[Number] | None = key(NUMBER, "Its owner's number.")
    gid: Matcher[Number] | None = key(NUMBER, "Its group's number.")
    user: str | None = key(Text(), "Its owner's name by the image's /etc/passwd.")
    group: str | None = key(Text(), "Its group's name by the image's /etc/group.")
    size: Matcher[Number] | None = key(NumberShape(BYTES), "Its size.")
    target: Matcher[Output] | None = key(TEXT, "What a symbolic link says.")
    sha256: str | None = key(Parsed(_read_sha256, "a sha256"), "Of its content.")
    content: Matcher[Output] | None = key(TEXT, "Its content.")
    entries: Matcher[object] | None = key(EntriesShape(), "The names in a directory.")

    kind = "file"
    about = "a path in the image, or a pattern (`*`, `**`)"

    def judge(self, subject: Subject) -> CheckResult:
        """Look at a path, or at each path that matches."""
        if not is_pattern(self.path):
            return _judge_one(self, subject)
        result = CheckResult()
        found = subject.tree().glob(self.path)
        if not self.exists:
            if found:
                shown = ", ".join(entry.absolute for entry in found[:_MANY])
                more = f" and {len(found) - _MANY} more" if len(found) > _MANY else ""
                result.find("", f"there are paths that match {self.path}: {shown}{more}")
            return result
        if not found:
            result.find("", f"no path in the image matches {self.path}")
        for entry in found:
            one = _judge_one(replace(self, path=entry.absolute), subject)
            result.findings += [
                replace(finding, subject=f"{entry.absolute}: {finding.subject}") for finding in one.findings
            ]
            result.wanted += one.wanted
        return result


def _judge_one(check: FileCheck, subject: Subject) -> CheckResult:
    result = CheckResult()
    tree = subject.tree()
    try:
        itself = tree.find(check.path, follow=False)
        if not check.exists:
            if itself is not None:
                result.find("exists", f"{check.path} is in the image: {_describe(itself)}")
            return result
        if itself is None:
            result.find("exists", f"{check.path} is not in the image{_how_far(check.path, subject)}")
            return result
        entry = tree.find(check.path) if _follows(check) else itself
    except TooManyLinksError:
        result.find("exists", f"the symbolic links of {check.path} lead in a circle")
        return result
    if entry is None:
        result.find("exists", f"{check.path} is a symbolic link that leads to nothing: {itself.target}")
        return result
    _judge_properties(check, entry, subject, result)
    _judge_content(check, entry, subject, result)
    return result


def _follows(check: FileCheck) -> bool:
    if check.follow is not None:
        return check.follow
    return check.type != "symlink" and check.target is None


def _judge_properties(check: FileCheck, entry: LayerEntry, subject: Subject, result: CheckResult) -> None:
    if check.type is not None and check.type != entry.kind:
        result.find("type", f"expected to be a {check.type}, found a {entry.kind}")
    if check.mode is not None and not check.mode.accepts(entry.kind, entry.mode):
        found = f"{entry.mode:04o} ({symbolic(entry.kind, entry.mode)})"
        result.find("mode", f"expected to be {check.mode.text}, found {found}")
    result.judge("uid", check.uid, entry.uid)
    result.judge("gid", check.gid, entry.gid)
    result.judge("size", check.size, entry.size)
    if check.target is not None and entry.kind != "symlink":
        result.find("target", f"expected to be a symlink, found a {entry.kind}")
    else:
        result.judge("target", check.target, entry.target.encode(errors="surrogateescape"))
    if check.user is not None:
        user = subject.accounts.user_of(entry.uid)
        _judge_owner("user", check.user, user, f"uid {entry.uid}", result)
    if check.group is not None:
        group = subject.accounts.group_of(entry.gid)
        _judge_owner("group", check.group, group, f"gid {entry.gid}", result)


def _judge_owner(
    what: str, wanted: str, owner: UnixUser | UnixGroup | None, number: str, result: CheckResult
) -> None:
    if owner is None or owner.name != wanted:
        file = "/etc/passwd" if what == "user" else "/etc/group"
        known = f"{owner.name} ({number})" if owner else f"{number}, which {file} lacks"
        result.find(what, f"expected to be {wanted}, found {known}")


def _judge_content(check: FileCheck, entry: LayerEntry, subject: Subject, result: CheckResult) -> None:
    if check.entries is not None:
        if entry.is_directory:
            result.judge("entries", check.entries, list(subject.tree().list(entry)))
        else:
            result.find("entries", f"expected to be a directory, found a {entry.kind}")
    if check.content is None and check.sha256 is None:
        return
    if entry.kind != "file":
        result.find("content", f"{check.path} has no content: it is a {entry.kind}")
        return

    def judge(content: Output) -> Iterable[Finding]:
        if check.content is not None:
            yield from findings_of("content", check.content.judge(content))
        if check.sha256 is not None and (found := _sha256(content)) != check.sha256:
            yield Finding("sha256", f"expected to be {check.sha256}, found {found}")

    result.wanted.append((entry, judge))


def _sha256(content: Output) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(content), _PIECE):
        digest.update(content[start : start + _PIECE])
    return digest.hexdigest()


def _describe(entry: LayerEntry) -> str:
    if entry.kind == "symlink":
        return f"a symlink to {entry.target}"
    return f"a {entry.kind}, {symbolic(entry.kind, entry.mode)}, {entry.uid}:{entry.gid}, {entry.size} bytes"


def _how_far(path: str, subject: Subject) -> str:
    """Say where on the way to a path the image has nothing any more."""
    parts = path.strip("/").split("/")
    for count in range(len(parts) - 1, 0, -1):
        folder = "/" + "/".join(parts[:count])
        try:
            entry = subject.tree().find(folder)
        except TooManyLinksError:
            return f": the symbolic links of {folder} lead in a circle"
        if entry is not None:
            if count == len(parts) - 1:
                return ""
            return f": {folder} is all there is of it"
    return ""
