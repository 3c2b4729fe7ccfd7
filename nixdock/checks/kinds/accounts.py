"""`unix_user` and `unix_group`: what the image's /etc/passwd and /etc/group say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import NUMBER, TEXT, EntriesShape
from nixdock.checks.format.records import key, required
from nixdock.checks.format.shapes import Flag, Text
from nixdock.checks.model import StaticKind
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from nixdock.checks.matchers.algebra import Matcher, Number
    from nixdock.checks.subject import Subject
    from nixdock.outcome import Output


@dataclass(frozen=True, slots=True)
class UserCheck(StaticKind):
    """A user in the image's /etc/passwd."""

    name: str = required(Text(), name="unix_user")
    exists: bool = key(Flag(), "Whether there must be one; true unless told.", default=True)
    uid: Matcher[Number] | None = key(NUMBER, "The user's number.")
    gid: Matcher[Number] | None = key(NUMBER, "The number of the user's own group.")
    group: str | None = key(Text(), "The name of the user's own group.")
    groups: Matcher[object] | None = key(EntriesShape(), "The other groups that the user is in.")
    home: Matcher[Output] | None = key(TEXT, "The home directory.")
    shell: Matcher[Output] | None = key(TEXT, "The login shell.")

    kind = "unix_user"
    about = "a name in /etc/passwd"
    absent = "who must not exist"

    def judge(self, subject: Subject) -> CheckResult:
        """Look at a user."""
        result = CheckResult()
        accounts = subject.accounts
        user = accounts.user(self.name)
        number = None if user is None else f"uid {user.uid}"
        _judge_presence("user", self, number, accounts.users is not None, result)
        if user is None or not self.exists:
            return result
        result.judge("uid", self.uid, user.uid)
        result.judge("gid", self.gid, user.gid)
        if self.group is not None:
            group = accounts.group_of(user.gid)
            if group is None or group.name != self.group:
                known = group.name if group else f"gid {user.gid}, which /etc/group lacks"
                result.find("group", f"expected to be {self.group}, found {known}")
        result.judge("groups", self.groups, list(accounts.groups_with(user.name)))
        result.judge("home", self.home, user.home.encode(errors="surrogateescape"))
        result.judge("shell", self.shell, user.shell.encode(errors="surrogateescape"))
        return result


@dataclass(frozen=True, slots=True)
class GroupCheck(StaticKind):
    """A group in the image's /etc/group."""

    name: str = required(Text(), name="unix_group")
    exists: bool = key(Flag(), "Whether there must be one; true unless told.", default=True)
    gid: Matcher[Number] | None = key(NUMBER, "The group's number.")
    members: Matcher[object] | None = key(EntriesShape(), "Its members by /etc/group.")

    kind = "unix_group"
    about = "a name in /etc/group"

    def judge(self, subject: Subject) -> CheckResult:
        """Look at a group."""
        result = CheckResult()
        accounts = subject.accounts
        group = accounts.group(self.name)
        number = None if group is None else f"gid {group.gid}"
        _judge_presence("group", self, number, accounts.groups is not None, result)
        if group is not None and self.exists:
            result.judge("gid", self.gid, group.gid)
            result.judge("members", self.members, list(group.members))
        return result


def _judge_presence(
    what: str, check: UserCheck | GroupCheck, number: str | None, has_file: bool, result: CheckResult
) -> None:
    if number is not None and not check.exists:
        result.find("exists", f"there is a {what} {check.name} ({number})")
    elif number is None and check.exists:
        file = "/etc/passwd" if what == "user" else "/etc/group"
        why = f"{file} has no such line" if has_file else f"the image has no {file}"
        result.find("exists", f"there is no {what} {check.name}: {why}")
