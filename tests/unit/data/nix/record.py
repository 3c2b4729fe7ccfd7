"""Record what real Nix programs write, for the tests of `nixdock.nix` to replay.

    unshare --mount python record.py [FOLDER_OF_NIX_PROGRAMS]

Runs as root, in a mount namespace of its own with a store of its own. For each scenario the standard
error of the very command that nixdock uses goes to `VERSION/SCENARIO.jsonl` beside this file. What is
found there is Nix's own text; only the order of concurrent builds may differ from run to run.
"""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from nixdock.nix import command
from nixdock.nix.command import Context, EvaluationRequest, NixOptions
from nixdock.nix.target import split_attribute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
WORK = Path("/tmp/nixdock-recording")
SETTINGS = {
    "build-users-group": "",
    "sandbox": "true",
    "sandbox-paths": "/bin/sh=/bin/busybox",
    "substituters": "",
}
FILES = {
    "builds.nix": r"""{ address ? "" }:
let
  sh =
    name: script:
    derivation {
      inherit name;
      system = builtins.currentSystem;
      builder = "/bin/sh";
      args = [ "-c" script ];
    };
  fetch =
    name:
    derivation {
      inherit name;
      system = "builtin";
      builder = "builtin:fetchurl";
      url = "${address}/${name}";
      outputHashMode = "flat";
      outputHashAlgo = "sha256";
      outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    };
  fail = name: sh name "for i in 1 2 3; do echo line $i; done; echo oops >&2; exit 3";
  dependency = sh "dependency" ''
    echo building
    echo '@nix {"action":"setPhase","phase":"buildPhase"}' >&2
    printf '\033[1mbold\033[0m\n10%%\r100%%\n'
    echo ok > $out
  '';
in
{
  good = sh "good" "cat ${dependency} > $out";
  bad = fail "bad";
  top = sh "top" "cat ${fail "below"} > $out";
  several = [ (fail "first") (fail "second") ];
  silent = sh "silent" "true";
  long = sh "long" "for i in $(seq 50); do echo line $i; done; exit 1";
  full = sh "full" "echo x > $out; echo 'write error: No space left on device' >&2; exit 1";
  gone = fetch "hello_2.10-3_amd64.deb";
  changed = fetch "index.html";
  traced = builtins.trace "a trace" (sh "traced" "echo > $out");
}
""",
    "undefined.nix": "let\n  x = foo;\nin\nx\n",
    "syntax.nix": "{ pkgs ? 1 }:\nlet\n  a = 1\nin a\n",
    "library.nix": '{\n  check = a: if a == "x" then throw "the name ${a} is wrong" else a;\n}\n',
    "thrown.nix": 'let\n  lib = import ./library.nix;\nin\nlib.check "x"\n',
    "missing-import.nix": "import ./nowhere.nix\n",
    "misspelt.nix": "{ name = 1; }.nmae\n",
    "asserted.nix": "assert 1 == 2;\n1\n",
    "search-path.nix": "import <nowhere>\n",
    "flake/flake.nix": """{
  outputs = { self }: {
    packages.x86_64-linux.image = builtins.trace "in a flake" 1;
    packages.x86_64-linux.broken = self.nowhere;
  };
}
""",
}


class Recorder:
    """Runs commands and keeps what they write to standard error."""

    def __init__(self, programs: Path | None) -> None:
        path = os.environ["PATH"]
        self.environment = {
            "PATH": f"{programs}:{path}" if programs else path,
            "HOME": str(WORK / "home"),
        }
        version = self._run(["nix", "--version"]).stdout.decode().split()[-1]
        self.folder = HERE / version.partition("+")[0]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    def _run(self, argv: Sequence[str], user: int | None = None) -> subprocess.CompletedProcess[bytes]:
        program = shutil.which(argv[0], path=self.environment["PATH"])
        return subprocess.run(
            [program or argv[0], *argv[1:]],
            cwd=WORK,
            env=self.environment,
            capture_output=True,
            check=False,
            user=user,
        )

    def record(self, name: str, argv: Sequence[str], *, fails: bool = True, user: int | None = None) -> str:
        """Run a command, keep its standard error under a name, return what it printed."""
        done = self._run(argv, user)
        assert (done.returncode != 0) is fails, (name, done.stderr.decode())
        # Whoever replays it puts the folder of their own nixdock back.
        log = done.stderr.replace(os.fsencode(command.DIRECTORY), b"/opt/nixdock/nix")
        (self.folder / f"{name}.jsonl").write_bytes(log)
        return done.stdout.decode()

    def instantiate(self, attribute: str, **arguments: str) -> list[str]:
        """Return the derivations of an attribute of builds.nix."""
        words = [word for name, value in arguments.items() for word in ("--argstr", name, value)]
        done = self._run(["nix-instantiate", "builds.nix", "-A", attribute, *words])
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().split()

    def build(
        self,
        attribute: str,
        *,
        fails: bool = True,
        options: NixOptions | None = None,
        settings: Mapping[str, str] = SETTINGS,
        **arguments: str,
    ) -> None:
        """Record the building of an attribute of builds.nix."""
        outputs = [f"{derivation}!out" for derivation in self.instantiate(attribute, **arguments)]
        context = Context(options or NixOptions(), settings)
        self.record(attribute, command.realise(outputs, WORK / "result", context), fails=fails)

    def evaluate(self, name: str, file: str, attribute: str = "", *, fails: bool = True, **more: int) -> None:
        """Record the evaluation of a file."""
        request = EvaluationRequest((split_attribute(attribute),))
        context = Context(NixOptions(), SETTINGS)
        self.record(name, command.evaluate_file(WORK / file, request, context), fails=fails, **more)


class Site(http.server.BaseHTTPRequestHandler):
    """Has an index, and nothing else."""

    def do_GET(self) -> None:
        if self.path == "/index.html":
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"there")
        else:
            self.send_error(404)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def record_builds(recorder: Recorder) -> None:
    recorder.build("good", fails=False)
    for attribute in ("bad", "top", "silent", "long", "full"):
        recorder.build(attribute)
    recorder.build("several", options=NixOptions(keep_going=True))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 8471), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        for attribute in ("gone", "changed"):
            recorder.build(attribute, address="http://127.0.0.1:8471")
        site.shutdown()
    (WORK / "result").unlink(missing_ok=True)
    (WORK / "result").write_text("not a link")
    recorder.record("link-in-the-way", _realise(recorder.instantiate("good")))
    (WORK / "result").unlink()
    lost = "/nix/store/00000000000000000000000000000000-lost.drv"
    recorder.record("collected", _realise([lost]))
    others = {name: value for name, value in SETTINGS.items() if name != "sandbox-paths"}
    recorder.record("no-shell", _realise(recorder.instantiate("traced"), others))


def _realise(derivations: Sequence[str], settings: Mapping[str, str] = SETTINGS) -> list[str]:
    context = Context(NixOptions(), settings)
    return command.realise([f"{each}!out" for each in derivations], WORK / "result", context)


def record_substitution(recorder: Recorder) -> None:
    """A binary cache in a folder, and a store that lacks what the cache has."""
    cache = f"file://{WORK}/cache"
    nix = ["nix", "--extra-experimental-features", "nix-command"]
    for argv in (
        _realise(recorder.instantiate("good")),
        [
            *nix,
            "copy",
            "--to",
            cache,
            "--derivation",
            *recorder.instantiate("good"),
            "--option",
            "build-users-group",
            "",
        ],
        [*nix, "copy", "--to", cache, str((WORK / "result").resolve())],
    ):
        recorder.record("substituted", argv, fails=False)
    path = (WORK / "result").readlink()
    (WORK / "result").unlink()
    recorder.record("substituted", ["nix-store", "--delete", str(path)], fails=False)
    settings = {**SETTINGS, "substituters": cache, "require-sigs": "false"}
    recorder.record("substituted", _realise(recorder.instantiate("good"), settings), fails=False)


def record_evaluations(recorder: Recorder) -> None:
    recorder.evaluate("traced-evaluation", "builds.nix", "traced", fails=False)
    for name in (
        "undefined", "syntax", "thrown", "missing-import", "misspelt", "asserted", "search-path",
    ):  # fmt: skip
        recorder.evaluate(name, f"{name}.nix")
    context = Context(NixOptions(), SETTINGS)
    expression = '1\n  + "x"'
    recorder.record("expression", command.evaluate_expression(expression, EvaluationRequest(), context))
    download = 'import (fetchTarball "http://127.0.0.1:9/set.tar.gz")'
    quick = Context(NixOptions(settings=(("download-attempts", "1"),)), SETTINGS)
    recorder.record("download", command.evaluate_expression(download, EvaluationRequest(), quick))
    for attribute in ("imaeg", "broken"):
        argv = command.evaluate_flake(f"path:{WORK}/flake", attribute, EvaluationRequest(), context)
        recorder.record(f"flake-{attribute}", argv)


def record_stores(recorder: Recorder) -> None:
    """Stores that cannot be used: read-only, somebody else's, or with a daemon that does not answer."""
    nobody = 65534
    recorder.evaluate("store-of-another", "builds.nix", "good", user=nobody)
    socket_file = Path("/nix/var/nix/daemon-socket/socket")
    socket_file.parent.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as unused:
        unused.bind(str(socket_file))
    socket_file.chmod(0o777)
    recorder.evaluate("dead-daemon", "builds.nix", "good", user=nobody)
    socket_file.parent.chmod(0o700)
    recorder.evaluate("forbidden-daemon", "builds.nix", "good", user=nobody)
    socket_file.unlink()
    socket_file.parent.rmdir()
    subprocess.run(["mount", "-o", "remount,ro,bind", "/nix"], check=True)
    recorder.evaluate("read-only-store", "builds.nix", "good")


def main() -> None:
    programs = Path(sys.argv[1]) if sys.argv[1:] else None
    shutil.rmtree(WORK, ignore_errors=True)
    for name, text in FILES.items():
        (WORK / name).parent.mkdir(parents=True, exist_ok=True)
        (WORK / name).write_text(text)
    with tempfile.TemporaryDirectory() as store:
        Path(store).chmod(0o755)
        Path("/nix").mkdir(exist_ok=True)
        subprocess.run(["mount", "--bind", store, "/nix"], check=True)
        try:
            recorder = Recorder(programs)
            record_builds(recorder)
            record_substitution(recorder)
            record_evaluations(recorder)
            record_stores(recorder)
        finally:
            subprocess.run(["umount", "--lazy", "/nix"], check=True)
            shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
