"""`unix_user` and `unix_group`: what the image's /etc/passwd and /etc/group say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from nixdock.checks.files.accounts import Accounts, UnixUser
    from nixdock.checks.model import GroupCheck, UserCheck
    from nixdock.checks.subject import Subject


def judge_user(check: UserCheck, subject: Subject) -> CheckResult:
    """Look at a user."""
    result = CheckResult()
    accounts = subject.accounts
    user = accounts.user(check.name)
    if not check.exists:
        if user is not None:
            result.find("exists", f"there is a user {check.name} (uid {user.uid})")
        return result
    if user is None:
        why = "the image has no /etc/passwd" if accounts.users is None else "/etc/passwd has no such line"
        result.find("exists", f"there is no user {check.name}: {why}")
        return result
    _judge_known(check, user, accounts, result)
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


def judge_group(check: GroupCheck, subject: Subject) -> CheckResult:
    """Look at a group."""
    result = CheckResult()
    accounts = subject.accounts
    group = accounts.group(check.name)
    if not check.exists:
        if group is not None:
            result.find("exists", f"there is a group {check.name} (gid {group.gid})")
        return result
    if group is None:
        why = "the image has no /etc/group" if accounts.groups is None else "/etc/group has no such line"
        result.find("exists", f"there is no group {check.name}: {why}")
        return result
    if check.gid is not None:
        result.add("gid", check.gid.judge(group.gid))
    if check.members is not None:
        result.add("members", check.members.judge(list(group.members)))
    return result
