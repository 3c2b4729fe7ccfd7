"""What is wrong with what an image starts, and with what its programs expect around them.

The first are its command, its health check and the directory that they work in; the others a shell,
certificates, /tmp, users and time zones.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from nixdock.checks.files.accounts import read_id
from nixdock.checks.lint.programs import EXECUTE, Gravity, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.checks.lint.programs import Programs

_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where TLS libraries and Go (crypto/x509/root_linux.go) look for certificates."""

_BUNDLE_VARIABLES: Final = ("SSL_CERT_FILE", "NIX_SSL_CERT_FILE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
_TLS_LIBRARIES: Final = ("libssl.so", "libgnutls.so", "libmbedtls.so", "libnss3.so")
_TEMPORARY: Final = "/tmp"  # noqa: S108 - a path in the image
_EVERYBODY: Final = 0o1777
_HIGHEST_ID: Final = (1 << 31) - 1  # runc takes no higher number


def find_command(programs: Programs) -> Iterator[Remark]:
    """Look for the program that the image starts."""
    config = programs.subject.run_config
    for key in programs.subject.texts:
        yield Remark(
            "command",
            Gravity.ADVICE,
            f"{key} is a text: Docker takes it for one word, its containerd store and Podman take lists only",
            f'{key} = [ "PROGRAM" "ARGUMENT" ];',
        )
    yield from _judge_directory(programs)
    test: list[str] = (config.get("Healthcheck") or {}).get("Test") or []
    if test and test[0] not in {"NONE", "CMD", "CMD-SHELL"}:
        message = f"the HEALTHCHECK begins with {test[0]!r}, not with CMD or CMD-SHELL: engines run none"
        yield Remark("command", Gravity.FAULT, message, f'Healthcheck.Test = [ "CMD" "{test[0]}" ... ];')
    elif test[:1] == ["CMD"] and len(test) > 1:
        yield from _judge_program(programs, "the HEALTHCHECK", test[1])
    elif test[:1] == ["CMD-SHELL"] and config.get("Shell"):
        yield from _judge_program(programs, "the HEALTHCHECK", config["Shell"][0])
    if programs.command:
        yield from _judge_program(programs, "the image", programs.command[0])
    else:
        yield Remark(
            "command",
            Gravity.ADVICE,
            "the image has neither Entrypoint nor Cmd: it starts nothing by itself",
            'config.Cmd = [ "${pkgs.hello}/bin/hello" ];',
        )


def _judge_program(programs: Programs, who: str, word: str) -> Iterator[Remark]:
    entry = programs.find_program(word)
    starts = f"{who} starts {word or 'an empty word'}, which"
    if entry is None:
        message = f"{starts} is not in it{'' if '/' in word else ' in PATH'}"
        yield Remark("command", Gravity.FAULT, message, "put its package into the image, or name its path")
    elif entry.kind != "file":
        yield Remark("command", Gravity.FAULT, f"{starts} is a {entry.kind}")
    elif not entry.mode & EXECUTE:
        yield Remark("command", Gravity.FAULT, f"{starts} nobody may execute", "chmod +x")
    elif (fact := programs.facts.get(entry.path)) is None or not (fact.elf or fact.shebang):
        message = f"{starts} is neither an ELF program nor a script with '#!'"
        yield Remark("command", Gravity.FAULT, message, "begin the script with #!/path/to/its/interpreter")


def _judge_directory(programs: Programs) -> Iterator[Remark]:
    """Look at the working directory: engines make one that is missing, for root."""
    directory = programs.subject.run_config.get("WorkingDir") or "/"
    if not directory.startswith("/"):
        message = f"WorkingDir is {directory!r}, which is no absolute path: the image cannot be started"
        yield Remark("command", Gravity.FAULT, message)
        return
    way = posixpath.normpath(directory)
    while way != "/" and programs.find(way) is None:
        way = posixpath.dirname(way)
    found = programs.find(way)
    if found is not None and not found.is_directory:
        message = f"WorkingDir is {directory}, and {way} is a {found.kind}: the image cannot be started"
        yield Remark("command", Gravity.FAULT, message)
    elif way != posixpath.normpath(directory) and programs.is_unprivileged:
        missing = f"WorkingDir {directory} is not in the image"
        message = f"{missing}: Docker makes it for root, and the user may not write"
        yield Remark(
            "command", Gravity.ADVICE, message, f'extraCommands = "mkdir -p .{directory}";, and its owner'
        )


def find_references(programs: Programs) -> Iterator[Remark]:
    """Look for store paths that are named but not there."""
    tree = programs.tree
    for missing in programs.subject.store_paths.missing():
        entry = tree.entries.get(missing.origin.lstrip("/"))
        # What stands in a file that nobody may ever read is no fault; the config is read by the engine.
        is_asked_for = (
            entry is None
            or entry.path in programs.commands
            or (entry.kind == "symlink" and posixpath.dirname(entry.absolute) in programs.path)
        )
        yield Remark(
            "references",
            Gravity.FAULT if is_asked_for else Gravity.ADVICE,
            f"/nix/store/{missing.name} is not in the image, and {missing.origin} names it",
            "put it into contents, or remove the reference (pkgs.removeReferencesTo)",
        )


def find_shell(programs: Programs) -> Iterator[Remark]:
    """Look for /bin/sh."""
    if programs.find("/bin/sh") is not None:
        return
    config = programs.subject.run_config
    test = (config.get("Healthcheck") or {}).get("Test") or ()
    by_shell = test[:1] == ["CMD-SHELL"] and not config.get("Shell")
    message = "there is no /bin/sh"
    if by_shell:
        message += ", and the HEALTHCHECK is a line for a shell: it always fails"
    else:
        message += ": `docker exec ... sh`, system(3) and health checks that are a line for a shell fail"
    remedy = "pkgs.dockerTools.binSh in contents" + (
        ', or Healthcheck.Test = [ "CMD" ... ]' if by_shell else ""
    )
    yield Remark("shell", Gravity.FAULT if by_shell else Gravity.ADVICE, message, remedy)


def find_certificates(programs: Programs) -> Iterator[Remark]:
    """Look for CA certificates, where something may want them."""
    remedy = "pkgs.dockerTools.caCertificates in contents"
    env = programs.subject.env
    named = [(name, env[name]) for name in _BUNDLE_VARIABLES if env.get(name)]
    for name, path in named:
        if programs.find(path) is None:
            yield Remark(
                "certificates", Gravity.FAULT, f"{name} is {path}, which is not in the image", remedy
            )
    if named or any(programs.find(path) is not None for path in _BUNDLES):
        return
    users = sorted(
        entry.absolute
        for entry, fact in programs.executables()
        if fact.elf is not None and any(_is_tls(name) for name in fact.elf.needed)
    )
    libraries = sorted(
        f"/{path}"
        for path, fact in programs.facts.items()
        if fact.elf is not None and _is_tls(fact.elf.soname)
    )
    found = users or libraries
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        message = f"there are no CA certificates, and {found[0]}{more} can speak TLS: a client trusts nobody"
        yield Remark("certificates", Gravity.ADVICE, message, remedy)
    elif any(fact.elf is not None and not fact.elf.interpreter for _, fact in programs.executables()):
        message = "there are no CA certificates: a static program that speaks TLS will trust nobody"
        yield Remark("certificates", Gravity.ADVICE, message, remedy)


def _is_tls(library: str) -> bool:
    return library.startswith(_TLS_LIBRARIES)


def find_temporary(programs: Programs) -> Iterator[Remark]:
    """Look for /tmp."""
    volumes = programs.subject.run_config.get("Volumes") or {}
    entry = programs.find(_TEMPORARY)
    if entry is None:
        if _TEMPORARY not in volumes:
            yield Remark(
                "tmp",
                Gravity.ADVICE,
                f"there is no {_TEMPORARY}: programs that make temporary files fail",
                'extraCommands = "mkdir -m 1777 tmp";, or run it with --tmpfs /tmp',
            )
    elif not entry.is_directory:
        yield Remark("tmp", Gravity.ADVICE, f"{_TEMPORARY} is a {entry.kind}, not a directory")
    elif entry.mode != _EVERYBODY:
        yield Remark(
            "tmp",
            Gravity.ADVICE,
            f"{_TEMPORARY} has the mode {entry.mode:04o}, not 1777: not everybody may write into it safely",
            'extraCommands = "mkdir -m 1777 tmp";',
        )


def find_users(programs: Programs) -> Iterator[Remark]:
    """Look for the user that the image runs as."""
    accounts = programs.subject.accounts
    user, _, group = (programs.subject.run_config.get("User") or "").partition(":")
    remedy = "pkgs.dockerTools.fakeNss in contents (its extraPasswdLines and extraGroupLines add to it)"
    for name, known, by_number, file in (
        (user, accounts.user, accounts.user_of, "/etc/passwd"),
        (group, accounts.group, accounts.group_of, "/etc/group"),
    ):
        if not name or known(name) is not None:
            continue
        number = read_id(name)
        if number is None or number > _HIGHEST_ID:
            message = f"the image runs as {name!r}, unknown to {file}: it cannot be started"
            yield Remark("users", Gravity.FAULT, message, remedy)
        elif by_number(number) is None:
            message = (
                f"the image runs as number {name}, unknown to {file}: programs that ask who they are fail"
            )
            yield Remark("users", Gravity.ADVICE, message, remedy)
    if not user and accounts.users is None:
        message = "there is no /etc/passwd: programs that ask for root's name or home folder fail"
        yield Remark("users", Gravity.ADVICE, message, remedy)


def find_timezones(programs: Programs) -> Iterator[Remark]:
    """Look for the zone that TZ names."""
    env = programs.subject.env
    zone = env.get("TZ", "").removeprefix(":")
    if not zone or zone == "UTC" or ("/" not in zone and any(sign.isdigit() for sign in zone)):
        return  # a rule such as CET-1CEST needs no file
    if zone.startswith("/"):
        candidates = [zone]
    else:
        directories = [env.get("TZDIR", ""), "/usr/share/zoneinfo", "/etc/zoneinfo"]
        candidates = [posixpath.join(directory, zone) for directory in directories if directory]
    if not any(programs.find(path) is not None for path in candidates):
        message = f"TZ is {zone}, and there is no such file: it means UTC"
        remedy = 'config.Env = [ "TZDIR=${pkgs.tzdata}/share/zoneinfo" ... ];'
        yield Remark("timezones", Gravity.FAULT, message, remedy)
