"""The corpus of files for container-structure-test, the images they are about, and who judges them.

The files are in tests/unit/data/structure_test/corpus; what the real program says of them is recorded
beside it for the unit tests, and asked for again by the integration tests.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.model import Check, ContainerSettings
from nixdock.checks.running.trials import Trials, VerdictLedger
from nixdock.checks.static import judge_static
from nixdock.checks.structure_test.reader import read_files
from nixdock.checks.structure_test.translation import make_suite
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import CheckResult, Verdict
from nixdock.outcome import RunOutcome
from support.archives import Sample
from support.layers import device, file, folder, hardlink, link, tar_of

DATA = Path(__file__).parents[1] / "unit" / "data" / "structure_test"
CORPUS = DATA / "corpus"
BUSYBOX = Path("/bin/busybox")
FOLDER = DATA / "folder"
"""Where `envFile` is looked for, and what is mounted."""

ENVIRON = {"HOSTVAR": "hv", "HOSTEMPTY": "", "A": "host"}
"""What containerRunOptions.envVars can take from the caller."""

APPLETS = (
    *("cat", "chmod", "echo", "env", "false", "grep", "id", "ls", "mkdir", "mv", "printf", "ps", "rm"),
    *("sh", "sleep", "test", "touch", "true"),
)

Members = list[tuple[tarfile.TarInfo, bytes]]


def _owned(
    made: tuple[tarfile.TarInfo, bytes], uid: int, gid: int, mode: int | None = None
) -> tuple[tarfile.TarInfo, bytes]:
    info, data = made
    info.uid, info.gid = uid, gid
    info.mode = info.mode if mode is None else mode
    return info, data


def _programs() -> Members:
    return [
        folder("bin"),
        file("bin/busybox", BUSYBOX.read_bytes(), 0o755),
        *(link(f"bin/{applet}", "busybox") for applet in APPLETS),
        folder("tmp", 0o1777),
        file("tmp/.keep"),
    ]


def _box() -> Members:
    """A small system with one file of every sort."""
    fifo = device("srv/fifo", tarfile.FIFOTYPE)
    return [
        *_programs(),
        folder("etc"),
        file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"),
        file("etc/group", b"root:x:0:\nalice:x:1000:\n"),
        file("etc/text", b"hello\n"),
        file("etc/two", b"one\ntwo\n"),
        file("etc/empty"),
        file("etc/bin", b"\xff\xfe\x00abc\n"),
        file("etc/space name", b"s"),
        link("etc/abs", "/etc/text"),
        link("etc/rel", "text"),
        link("etc/relup", "../etc/text"),
        link("etc/dangling", "/nope"),
        link("etc/loop", "loop"),
        link("etc/dirlink", "/srv"),
        link("etc/chain", "abs"),
        link("rootrel", "etc/text"),
        hardlink("etc/hard", "etc/text"),
        _owned(folder("srv", 0o2775), 1000, 1000),
        file("srv/own", b"x", 0o640, 1000, 1001),
        file("srv/suid", b"x", 0o4755),
        file("srv/sgid", b"x", 0o2755),
        file("srv/both", b"x", 0o6755),
        file("srv/sticky", b"x", 0o1644),
        file("srv/none", b"x", 0o000),
        file("srv/gx", b"x", 0o010),
        file("srv/ox", b"x", 0o001),
        folder("srv/sub"),
        file("srv/sub/srv", b"inner\n"),
        device("srv/null"),
        device("srv/blk", tarfile.BLKTYPE),
        fifo,
        folder("usr"),
        folder("usr/share"),
        folder("usr/share/doc"),
        folder("usr/share/doc/good"),
        file("usr/share/doc/good/copyright", b"MIT licence\n"),
        link("lib", "usr"),
        link("escape", "/../../etc"),
        file("$weird", b"w\n"),
    ]


def _shadowed() -> Members:
    """Files where engines put mount points, and folders under volumes."""
    return [
        *_programs(),
        _owned(folder("etc", 0o750), 5, 5),
        file("etc/hosts", b"own hosts\n", 0o600, 7),
        file("etc/mtab", b"own mtab\n"),
        link("etc/hostname", "/etc/hosts"),
        file("proc", b"a file"),
        _owned(folder("dev", 0o700), 3, 3),
        link("dev/pts", "/sys"),
        folder("sys", 0o700),
        file("sys/own", b"x"),
        _owned(folder("vol", 0o711), 9, 9),
        file("vol/inner", b"in\n", 0o604, 9),
        link("wl", "/vol"),
    ]


def _shadowed_folders() -> Members:
    """Links where engines put folders."""
    return [
        folder("usr"),
        folder("usr/etc", 0o711),
        file("usr/etc/own", b"own\n"),
        file("usr/etc/hosts", b"own\n"),
        link("etc", "usr/etc"),
        link("dev", "usr"),
    ]


def _licences() -> Members:
    return [
        folder("usr"),
        folder("usr/share"),
        folder("usr/share/doc"),
        *(folder(f"usr/share/doc/{name}") for name in ("bad", "none", "libgnutls30", "linked", "fine")),
        file("usr/share/doc/bad/copyright", b"under the Agpl, version 3\n"),
        file("usr/share/doc/libgnutls30/copyright", b"AGPL\n"),
        file("usr/share/doc/fine/copyright", b"GPL\n"),
        link("usr/share/doc/linked/copyright", "../fine/copyright"),
        link("usr/share/doc/elsewhere", "/licences"),
        folder("licences"),
        file("licences/agpl", b"AGPL-3.0"),
        file("licences/wtfpl", b"the wtfpl"),
        file("licences/fine", b"BSD"),
    ]


_IMPORTED = {
    "Env": ["FOO=bar", "EQ=a=b=c", "EMPTY=", "PATH=/bin"],
    "Cmd": ["sh", "-c", "echo hi"],
    "Entrypoint": ["/bin/echo", "entry"],
    "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
    "WorkingDir": "/srv",
    "User": "alice",
    "Labels": {"a": "1", "b": "x y"},
}


def images() -> dict[str, Sample]:
    """Return the images that the files are about."""
    volumes = {"Volumes": {"/vol": {}, "/newvol/deep": {}}, "WorkingDir": "/w/x", "Env": ["PATH=/bin"]}
    linked = [folder("licences"), folder("licences/x"), link("usr/share/doc", "/licences")]
    made: dict[str, tuple[Members, dict[str, Any]]] = {
        "box": (_box(), _IMPORTED),
        "plain": (_box(), {"Env": ["PATH=/bin"]}),
        "volumes": (_shadowed(), volumes),
        "folders": (_shadowed_folders(), {"WorkingDir": "/etc/wd", "User": "5"}),
        "licences": (_licences(), {}),
        "linked": (linked, {}),
        "nowhere": ([folder("usr")], {}),
        "bare": ([folder("usr")], {"Env": ["BARE", "X=1"], "User": "y"}),
    }
    return {
        name: Sample((tar_of(members),), (f"structure-{name}:1",), config)
        for name, (members, config) in made.items()
    }


@dataclass(frozen=True)
class Case:
    """One file of the corpus.

    Args:
        file: The file.
        image: The image it is about.
    """

    file: Path
    image: str = "box"

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def needs_mounts(self) -> bool:
        """Whether only an engine can answer, and where its files are must be written into it."""
        return b"@FOLDER@" in self.file.read_bytes() or b"bindMounts" in self.file.read_bytes()

    def placed(self, folder: Path) -> Path:
        """Return the file to judge by: with the place of the mounts in it."""
        data = self.file.read_bytes()
        if b"@FOLDER@" not in data:
            return self.file
        made = folder / self.file.name
        made.write_bytes(data.replace(b"@FOLDER@", str(FOLDER).encode()))
        return made


_IMAGES = {
    "shadowed.yaml": "volumes",
    "shadowed-folders.yaml": "folders",
    "licences-unwanted.yaml": "licences",
    "licences-linked.yaml": "linked",
    "licences-nowhere.yaml": "nowhere",
    "metadata-plain.yaml": "plain",
    "metadata-plain-user.yaml": "plain",
    "metadata-volumes.yaml": "volumes",
    "metadata-volumes-not.yaml": "volumes",
    "metadata-no-value.yaml": "bare",
    "setup-volume.yaml": "volumes",
    "apart-volume.yaml": "volumes",
}


def cases() -> tuple[Case, ...]:
    """Return the whole corpus."""
    return tuple(Case(path, _IMAGES.get(path.name, "box")) for path in sorted(CORPUS.iterdir()))


Results = list[tuple[str, bool]]


CRASHES = frozenset(("metadata-no-value.yaml",))
"""Of these the real program dies: a variable of the image has no value."""


@dataclass(frozen=True)
class Difference:
    """A file of which nixdock says something else than the real program.

    Args:
        divergence: Which of the documented divergences it shows.
        verdicts: What nixdock says.
    """

    divergence: str
    verdicts: Results


@cache
def differences() -> dict[str, Difference]:
    """Return the files on which the two differ, by name."""
    read = json.loads((DATA / "differences.json").read_text())
    return {
        name: Difference(one["divergence"], [(title, held) for title, held in one["verdicts"]])
        for name, one in read.items()
    }


def ask_original(
    program: Path, host: str, image: str, path: Path, environ: Mapping[str, str]
) -> Results | None:
    """Return what the real program says, each result's name and whether it passed; None when it crashes."""
    done = subprocess.run(
        [program, "test", "--image", image, "--config", path, "--output", "json"],
        capture_output=True,
        env={**environ, "DOCKER_HOST": host},
        cwd=FOLDER,
        timeout=120,
        check=False,
    )
    if done.returncode not in {0, 1}:
        return None
    return [(result["Name"], result["Pass"]) for result in json.loads(done.stdout).get("Results") or ()]


def judged(
    files: Iterable[Path],
    subject: Subject,
    attempt: Callable[[Check], CheckResult],
    *,
    environ: Mapping[str, str] = ENVIRON,
    directory: Path = FOLDER,
) -> tuple[Verdict, ...]:
    """Judge an image by files, with something else than an engine to run commands."""

    checks = make_suite(read_files(files), subject, environ=environ, directory=directory).checks
    trials = Trials("the image", VerdictLedger([check.key for check in checks], fail_fast=False))
    for check in checks:
        if check.is_static:
            trials.note(check, judge_static([check], subject)[0])
        else:
            trials.judge(check, attempt)
    return trials.ledger.verdicts()


def attempt_by(run: Callable[[ExecCheck], RunOutcome]) -> Callable[[Check], CheckResult]:
    """Return what tries a command test where a function says how the command ends."""

    class Idle:
        """Runs a check's command wherever it should run, by the function."""

        notes = ()
        container = SimpleNamespace(request=SimpleNamespace(body={}))

        def __init__(self, what: ExecCheck) -> None:
            self.run = lambda _command, _seconds: run(what)

    def attempt(check: Check) -> CheckResult:
        what = exec_of(check)
        bench = SimpleNamespace(name="web:1", settings=ContainerSettings(), by_hand=str)
        group = SimpleNamespace(
            bench=bench, serves_apart=False, keeps_files=True, shared=lambda _: nullcontext(Idle(what))
        )
        return replace(what, alone=False).ask_idle(cast("Any", group), check.timeout)

    return attempt


def exec_of(check: Check) -> ExecCheck:
    """Return what a command test became."""
    assert isinstance(check.what, ExecCheck)
    return check.what


def key_of(check: ExecCheck) -> str:
    """Return what a command is known by in the recording."""
    asked = {
        "argv": check.command.argv,
        "env": check.command.env,
        "options": check.settings.options,
        "steps": [(step.argv, step.env) for step in check.steps],
    }
    return json.dumps(asked, sort_keys=True)


def results_of(verdicts: tuple[Verdict, ...]) -> Results:
    """Return verdicts in the original's terms: a file that cannot be read has no name, and fails."""
    return [
        ("" if verdict.kind == "structure-test" else verdict.name, verdict.status.value == "PASS")
        for verdict in verdicts
    ]
