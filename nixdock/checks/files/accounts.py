"""Users and groups as an image's own /etc/passwd and /etc/group have them (passwd(5), group(5))."""

from __future__ import annotations

from dataclasses import dataclass

from nixdock.text import split_lines

_DIGITS = 20
_HIGHEST = (1 << 32) - 2


@dataclass(frozen=True, slots=True)
class UnixUser:
    """A line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


@dataclass(frozen=True, slots=True)
class UnixGroup:
    """A line of /etc/group."""

    name: str
    gid: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accounts:
    """All users and groups; the first line of a name or number is the one that counts.

    Args:
        users: None where there is no /etc/passwd.
        groups: None where there is no /etc/group.
    """

    users: tuple[UnixUser, ...] | None
    groups: tuple[UnixGroup, ...] | None

    def user(self, name: str) -> UnixUser | None:
        """Return the user of this name."""
        return next((user for user in self.users or () if user.name == name), None)

    def user_of(self, uid: int) -> UnixUser | None:
        """Return the user of this number."""
        return next((user for user in self.users or () if user.uid == uid), None)

    def group(self, name: str) -> UnixGroup | None:
        """Return the group of this name."""
        return next((group for group in self.groups or () if group.name == name), None)

    def group_of(self, gid: int) -> UnixGroup | None:
        """Return the group of this number."""
        return next((group for group in self.groups or () if group.gid == gid), None)

    def groups_with(self, name: str) -> tuple[str, ...]:
        """Return the names of the groups that list a user as a member."""
        return tuple(group.name for group in self.groups or () if name in group.members)


def read_accounts(passwd: bytes | None, group: bytes | None) -> Accounts:
    """Read the two files; lines that are no entries are left out, as libc does.

    Args:
        passwd: The content of /etc/passwd; None where there is none.
        group: The content of /etc/group; None where there is none.
    """
    users = None if passwd is None else tuple(filter(None, map(_user, _lines(passwd))))
    groups = None if group is None else tuple(filter(None, map(_group, _lines(group))))
    return Accounts(users, groups)


def _lines(data: bytes) -> list[list[str]]:
    return [line.split(":") for line in split_lines(data.decode("utf-8", "surrogateescape"))]


def _user(fields: list[str]) -> UnixUser | None:
    if len(fields) < 7:
        return None
    uid, gid = read_id(fields[2]), read_id(fields[3])
    return None if uid is None or gid is None else UnixUser(fields[0], uid, gid, fields[5], fields[6])


def _group(fields: list[str]) -> UnixGroup | None:
    gid = read_id(fields[2]) if len(fields) >= 4 else None
    if gid is None:
        return None
    return UnixGroup(fields[0], gid, tuple(name for name in fields[3].split(",") if name))


def read_id(text: str) -> int | None:
    """Return the number of a user or a group; None where a text is none, or one that no kernel has."""
    if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS:
        return None
    number = int(text)
    return number if number <= _HIGHEST else None
