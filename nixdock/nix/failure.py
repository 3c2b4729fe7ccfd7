"""Why Nix failed, in one sentence of the user's own words, with the place and the next thing to do."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.errors import BuildError
from nixdock.hints import as_root, join_group
from nixdock.nix.build_log import Message
from nixdock.nix.downloads import DOWNLOAD, explain_download, explain_fetch, hint_for_packages
from nixdock.nix.evaluation import CollectedError, MissingArchitectureError
from nixdock.nix.machine import GROUP, hint_for_daemon
from nixdock.nix.missing import REAL_PACKAGES, explain_lacking, find_asked, find_lacking
from nixdock.nix.sources import OF_ARGUMENTS
from nixdock.nix.store import name_of, store_dir
from nixdock.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nixdock.nix.follower import Follower
    from nixdock.nix.missing import PackageNames
    from nixdock.nix.sources import Sources

_DERIVATION: Final = re.compile(r"'(?P<derivation>/[^']*?\.drv)'")
_OF_A_BUILD: Final = re.compile(
    r"builder for '|Cannot build '|fixed-output derivation '|fixed output derivation '|building of '"
)
_DEPENDENCY: Final = re.compile(r"dependenc(?:y|ies).*failed|build of .* failed", re.DOTALL)
_REASON: Final = re.compile(r"(?:Reason: |builder for '[^']*' )(?P<reason>[^\n]*?)[.;]?(?:\n|$)")
_FULL: Final = re.compile(r"No space left on device|database or disk is full")
_NO_SHELL: Final = re.compile(r"executing '/bin/sh': No such file|getting attributes of path .*bash-static")
_NO_SANDBOX: Final = re.compile(
    r"required for sandboxing|cloning builder process: Operation not permitted|unable to start build process"
)
_MISMATCH: Final = re.compile(r"specified:\s*(?P<wanted>\S+)\s+got:\s*(?P<got>\S+)")
_SOCKET: Final = re.compile(
    r"cannot connect to socket at|daemon-socket/socket\"?'?: |cannot open connection to remote store"
)
_UNWRITABLE: Final = re.compile(
    r"(?:could not set permissions on|creating directory|opening lock file|remounting|opening file"
    r"|changing ownership of|unlinking|cannot link|moving)[^\n]*/nix(?:/|\W)[^\n]*"
    r"(?:Permission denied|Operation not permitted|Read-only file system|Invalid argument)"
    r"|attempt to write a readonly database|unable to open database file"
    r"|the Nix store .*not writable"
)
_NAMELESS: Final = "anonymous lambda"
_LINK_IN_THE_WAY: Final = re.compile(r"cannot create symlink ['\"](?P<link>[^'\"]+)['\"]; already exists")
_LINK_REFUSED: Final = re.compile(
    r"creating symlink (?:from )?['\"](?P<link>[^'\"]+)\.tmp-[\d-]+['\"][^\n]*: (?P<reason>[^\n:]+)(?:\n|$)"
)
_CALL: Final = re.compile(
    r"(?:anonymous function|function '(?P<function>[^']*)'|'(?P<named>[^']*)')(?: at \S+)?"
    r" called (?P<how>with unexpected|without required) argument '(?P<argument>[^']*)'"
)
_NO_OUTPUT: Final = re.compile(r"failed to produce output path for output '(?P<output>[^']+)'")
_SUGGESTION: Final = re.compile(r"Did you mean [^?]*\?")
_COLLECTED: Final = re.compile(
    r"/[^'\"\s]*\.drv['\"]?(?:: No such file| is not valid| does not exist| is required, but)"
)
_ARCHITECTURE: Final = re.compile(
    r"the offline package set has packages for .* so far; `nixdock build` .* those for (?P<name>\w+)"
)
"""What the set's own `default.nix` throws."""
_DIFFERENT: Final = re.compile(
    r"derivation ['\"](?P<derivation>[^'\"]+)['\"] may not be deterministic: "
    r"output ['\"](?P<output>[^'\"]+)['\"] differs(?: from ['\"](?P<other>[^'\"]+)['\"])?"
)
_NO_FILE: Final = re.compile(
    r"getting status of ['\"]?(?P<file>/[^'\"]*)['\"]?: No such file"
    r"|(?:path|file) ['\"](?P<path>/[^'\"]*)['\"] does not exist"
)

_NOT_IN_SET: Final = re.compile(r"file 'nixpkgs/(?P<file>[^']+)' was not found in the Nix search path")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was going on when Nix failed.

    Args:
        program: The program, as in `nix-build`.
        status: How it ended.
        sources: Which files are the user's own.
        package_names: Asks the offline package set for the names in it; None where it is another set.
        is_flake: Whether it was a flake.
        show_trace: Whether the user wants to see every frame.
    """

    program: str
    status: int
    sources: Sources
    package_names: Callable[[], PackageNames] | None = None
    is_flake: bool = False
    show_trace: bool = False


class DifferentOutputError(BuildError):
    """A derivation that was built again made something else.

    Args:
        derivation: The derivation.
        output: The store path that is not the same.
        other: Where what was built now is; None where it was not kept.
    """

    def __init__(self, derivation: str, output: str, other: str | None) -> None:
        super().__init__(
            f"{output} is not the same when {derivation} is built again",
            hint=f"diffoscope {output} {other}" if other else "--keep-failed keeps the other one to compare",
        )
        self.derivation = derivation
        self.output = output
        self.other = other


def explain(follower: Follower, circumstances: Circumstances) -> BuildError:
    """Return the error that says why a Nix process failed.

    Args:
        follower: What it told.
        circumstances: What was going on.
    """
    roots = [error for error in follower.errors if not _DEPENDENCY.search(error.sentence)]
    errors = roots or follower.errors
    if not errors:
        how = (
            f"signal {-circumstances.status}"
            if circumstances.status < 0
            else f"status {circumstances.status}"
        )
        return BuildError(f"{circumstances.program} ended with {how} and said nothing")
    everything = "\n".join([*(error.text for error in errors), *follower.warnings])
    for pattern, tell in _FAULTS:
        found = pattern.search(everything)
        if found:
            return tell(found, errors[0])
    builds = [error for error in errors if _OF_A_BUILD.search(error.text) and _DERIVATION.search(error.text)]
    if builds:
        return _explain_builds(builds, follower)
    return _explain_evaluation(errors[-1], circumstances)


def _tell_socket(_found: re.Match[str], error: Message) -> BuildError:
    forbidden = "Permission denied" in error.text
    return BuildError(
        "the Nix daemon cannot be used: "
        + ("its socket is not for this user" if forbidden else "it does not answer"),
        hint=join_group(GROUP) if forbidden else hint_for_daemon(),
        details=error.sentence,
    )


def explain_text(text: str) -> BuildError | None:
    """Return the error that has a name for why Nix failed; None where it is none of those known.

    Args:
        text: What it wrote to its standard error.
    """
    for pattern, tell in _FAULTS:
        found = pattern.search(text)
        if found:
            return tell(found, Message(0, text, split_lines(text.rstrip())[-1]))
    return None


def _tell_unwritable(_found: re.Match[str], error: Message) -> BuildError:
    return BuildError(
        f"the Nix store {store_dir()} is not writable for this user",
        hint=hint_for_daemon() if os.geteuid() else None,
        details=error.sentence,
    )


def _tell_different(found: re.Match[str], _error: Message) -> BuildError:
    return DifferentOutputError(found["derivation"], found["output"], found["other"])


def _tell_full(found: re.Match[str], error: Message) -> BuildError:
    return BuildError(
        f"the disk is full: {found[0]}",
        hint=f"make room for {store_dir()}: nix-collect-garbage removes what nothing refers to",
        details=error.sentence,
    )


def _tell_link(found: re.Match[str], _error: Message) -> BuildError:
    return BuildError(
        f"'{found['link']}' is in the way: it exists and is no link to a store path",
        hint="name another link: -o NAME, or none: --no-out-link",
    )


def _tell_link_refused(found: re.Match[str], _error: Message) -> BuildError:
    return BuildError(
        f"the link '{found['link']}' cannot be made: {found['reason']}",
        hint="name another place for it: -o NAME, or make none: --no-out-link",
    )


def _tell_collected(_found: re.Match[str], error: Message) -> BuildError:
    return CollectedError(
        f"a derivation is gone before it was built: {split_lines(error.sentence)[-1]}",
        hint="the garbage collector ran at the same time; try again",
    )


def _tell_architecture(found: re.Match[str], _error: Message) -> BuildError:
    return MissingArchitectureError(found[0], found["name"])


def _tell_no_shell(_found: re.Match[str], _error: Message) -> BuildError:
    return BuildError(
        "Nix's sandbox has no /bin/sh, which the builder wants",
        hint=as_root("apt-get install busybox-static"),
    )


def _tell_no_sandbox(_found: re.Match[str], error: Message) -> BuildError:
    return BuildError(
        "Nix's sandbox cannot be set up here: the kernel, or the container this runs in, forbids namespaces",
        hint="without it, where that is acceptable: --option sandbox false",
        details=error.sentence,
    )


_FAULTS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Message], BuildError]], ...]] = (
    (_DIFFERENT, _tell_different),
    (_FULL, _tell_full),
    (_SOCKET, _tell_socket),
    (_UNWRITABLE, _tell_unwritable),
    (_LINK_IN_THE_WAY, _tell_link),
    (_LINK_REFUSED, _tell_link_refused),
    (_COLLECTED, _tell_collected),
    (_ARCHITECTURE, _tell_architecture),
    (_NO_SHELL, _tell_no_shell),
    (_NO_SANDBOX, _tell_no_sandbox),
)


def _explain_builds(errors: Sequence[Message], follower: Follower) -> BuildError:
    """Tell which builds failed, and the last lines that they wrote."""
    failed = {_derivation_of(error): error for error in errors}
    first = next(iter(failed))
    error = failed[first]
    tail = follower.tail(first)
    known = _explain_known(first, error, "\n".join(tail))
    if known is not None and len(failed) == 1:
        return known
    details = [f"{name_of(each)}> {line}" for each in failed for line in follower.tail(each)]
    names = ", ".join(name_of(each) for each in failed)
    why = f": {_reason_of(error)}" if len(failed) == 1 else ""
    return BuildError(
        f"building {names} failed{why}",
        hint=f"the whole log: nix log {first}, or without nix-command: nix-store --read-log {first}",
        details="\n".join(details) or None,
    )


def _reason_of(error: Message) -> str:
    missing = _NO_OUTPUT.search(error.text)
    if missing:
        return f"the builder ended well but made no output '{missing['output']}'"
    reason = _REASON.search(error.text)
    if reason:
        return f"the builder {reason['reason'].removeprefix('builder ')}"
    return split_lines(error.sentence)[0]


def _derivation_of(error: Message) -> str:
    found = _DERIVATION.search(error.text)
    return found["derivation"] if found else ""


def _explain_known(derivation: str, error: Message, tail: str) -> BuildError | None:
    """Return the error of a failure that has a name of its own."""
    full = _FULL.search(tail)
    if full:
        return _tell_full(full, error)
    download = DOWNLOAD.search(tail) or DOWNLOAD.search(error.text)
    if download:
        return explain_download(download)
    mismatch = _MISMATCH.search(error.text)
    if mismatch:
        return BuildError(
            f"what was fetched for {name_of(derivation)} is not what was expected: its hash differs",
            hint=hint_for_packages(name_of(derivation))
            or "correct the hash in the expression if the file may change",
            details=f"expected {mismatch['wanted']}\ngot      {mismatch['got']}",
        )
    no_shell = _NO_SHELL.search(tail)
    return _tell_no_shell(no_shell, error) if no_shell else None


def _explain_evaluation(error: Message, circumstances: Circumstances) -> BuildError:
    sources = circumstances.sources
    lost = explain_fetch(
        error, sources, offline=bool(circumstances.package_names), is_flake=circumstances.is_flake
    )
    if lost is not None:
        return lost
    lacking = find_lacking(error.sentence, sources.find_place(error), sources)
    asked = None if error.told else find_asked(error, sources)
    place = lacking.place if lacking else asked or sources.find_place(error)
    where = sources.tell(place) if place else sources.find_file(error)
    no_file = _NO_FILE.search(error.sentence)
    file = (no_file["file"] or no_file["path"]) if no_file else ""
    sentence = f"there is no file {file}" if no_file else error.sentence
    untracked = sources.find_untracked(file)
    if untracked:
        sentence = f"the flake has no file {untracked}: Git does not track it"
    not_in_set = _NOT_IN_SET.search(error.sentence) if circumstances.package_names else None
    if not_in_set:
        sentence = f"the offline package set has no file {not_in_set['file']}"
    sentence = _CALL.sub(_tell_call, sentence, count=1)
    first, _, rest = sentence.rstrip(".").partition("\n")
    rest, hint = _take_suggestion(rest, error)
    if untracked:
        hint = f"git add {shlex.quote(untracked)}"
    if not_in_set:
        hint = REAL_PACKAGES
    if first == "infinite recursion encountered":
        hint = "what stands there needs itself, perhaps by way of others"
    if where == OF_ARGUMENTS and first.startswith("undefined variable"):
        hint = "--argstr NAME TEXT gives a text as it is"
    if lacking and circumstances.package_names:
        first, hint = explain_lacking(lacking, first, hint, sources, circumstances.package_names)
    shown = f"{where}: {first}" if where else first
    if circumstances.show_trace:
        return BuildError(shown, hint=hint, details=error.text)
    details = [line for line in (rest, sources.excerpt(place) if place else None) if line]
    return BuildError(shown, hint=hint, details="\n".join(details) or None)


def _take_suggestion(rest: str, error: Message) -> tuple[str, str | None]:
    """Return what is told besides the sentence, without the names that Nix suggests, and these as a hint."""
    suggestion = _SUGGESTION.search(error.text)
    if suggestion is None:
        return rest, None
    return rest.replace(suggestion[0], "").rstrip(), suggestion[0][0].lower() + suggestion[0][1:]


def _tell_call(found: re.Match[str]) -> str:
    """Return what is wrong with a call, without the place of the function: that of the call is told."""
    name = found["function"] or found["named"] or _NAMELESS
    function = "the function that is called" if name == _NAMELESS else f"the function '{name}'"
    does = "takes no" if found["how"] == "with unexpected" else "needs an"
    return f"{function} {does} argument '{found['argument']}'"
