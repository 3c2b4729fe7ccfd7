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
    from nixdock.checks.files.accounts import Accounts, UnixUser
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
        if not self.exists:
            if user is not None:
                result.find("exists", f"there is a user {self.name} (uid {user.uid})")
            return result
        if user is None:
            why = "the image has no /etc/passwd" if accounts.users is None else "/etc/passwd has no such line"
            result.find("exists", f"there is no user {self.name}: {why}")
            return result
        _judge_known(self, user, accounts, result)
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
        if not self.exists:
            if group is not None:
                result.find("exists", f"there is a group {self.name} (gid {group.gid})")
            return result
        if group is None:
            why = "the image has no /etc/group" if accounts.groups is None else "/etc/group has no such line"
            result.find("exists", f"there is no group {self.name}: {why}")
            return result
        if self.gid is not None:
            result.add("gid", self.gid.judge(group.gid))
        if self.members is not None:
            result.add("members", self.members.judge(list(group.members)))
        return result


def _judge_known(check: UserCheck, user: UnixUser, accounts: Accounts, result: CheckResult) -> None:
    for name, matcher, number in (("uid", check.uid, user.uid), ("gid", check.gid, user.gid)):
        if matcher is not None:
            result.add(name, matcher.judge(number))
    if check.group is not None:
        group = accounts.group_of(user.gid)
        if group is None or group.name != check.group:
            known = group.name if group else f"gid {user.gid}, which /etc/group lacks"
            result.find("group", f"expected to be {check.group}, found {known}")
    if check.groups is not None:
        result.add("groups", check.groups.judge(list(accounts.groups_with(user.name))))
    for name, text_matcher, text in (("home", check.home, user.home), ("shell", check.shell, user.shell)):
        if text_matcher is not None:
            result.add(name, text_matcher.judge(text.encode(errors="surrogateescape")))
