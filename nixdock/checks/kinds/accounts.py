"""`unix_user` and `unix_group`: what the image's /etc/passwd and /etc/group say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.checks.kinds.answer import Answer

if TYPE_CHECKING:
    from nixdock.checks.files.accounts import Accounts, User
    from nixdock.checks.model import GroupCheck, UserCheck
    from nixdock.checks.subject import Subject


def answer_user(check: UserCheck, subject: Subject) -> Answer:
    """Look at a user."""
    answer = Answer()
    accounts = subject.accounts
    user = accounts.user(check.name)
    if not check.exists:
        if user is not None:
            answer.find("exists", f"there is a user {check.name} (uid {user.uid})")
        return answer
    if user is None:
        why = "the image has no /etc/passwd" if accounts.users is None else "/etc/passwd has no such line"
        answer.find("exists", f"there is no user {check.name}: {why}")
        return answer
    _judge_user(check, user, accounts, answer)
    return answer


def _judge_user(check: UserCheck, user: User, accounts: Accounts, answer: Answer) -> None:
    for name, matcher, number in (("uid", check.uid, user.uid), ("gid", check.gid, user.gid)):
        if matcher is not None:
            answer.add(name, matcher.judge(number))
    if check.group is not None:
        group = accounts.group_of(user.gid)
        if group is None or group.name != check.group:
            known = group.name if group else f"gid {user.gid}, which /etc/group lacks"
            answer.find("group", f"expected to be {check.group}, found {known}")
    if check.groups is not None:
        answer.add("groups", check.groups.judge(list(accounts.groups_with(user.name))))
    for name, text_matcher, text in (("home", check.home, user.home), ("shell", check.shell, user.shell)):
        if text_matcher is not None:
            answer.add(name, text_matcher.judge(text.encode(errors="surrogateescape")))


def answer_group(check: GroupCheck, subject: Subject) -> Answer:
    """Look at a group."""
    answer = Answer()
    accounts = subject.accounts
    group = accounts.group(check.name)
    if not check.exists:
        if group is not None:
            answer.find("exists", f"there is a group {check.name} (gid {group.gid})")
        return answer
    if group is None:
        why = "the image has no /etc/group" if accounts.groups is None else "/etc/group has no such line"
        answer.find("exists", f"there is no group {check.name}: {why}")
        return answer
    if check.gid is not None:
        answer.add("gid", check.gid.judge(group.gid))
    if check.members is not None:
        answer.add("members", check.members.judge(list(group.members)))
    return answer
