"""A large layered image of the offline package set: its evaluation, and its building beside tar and pigz."""

from __future__ import annotations

import json
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Competitor, compare, shell

if TYPE_CHECKING:
    from benchmarks.options import Options

MODULES = (
    *("requests", "pyyaml", "flask", "jinja2", "click", "rich", "six", "attrs", "lxml", "pillow", "redis"),
    *("psycopg2", "sqlalchemy", "cryptography", "cffi", "idna", "chardet", "certifi", "urllib3", "docutils"),
    *("pygments", "markdown", "simplejson", "ujson", "msgpack", "psutil", "pexpect", "dateutil", "babel"),
    *("tornado", "twisted", "mako", "itsdangerous", "werkzeug", "paramiko", "bcrypt", "nacl", "jsonschema"),
    *("packaging", "tabulate", "tqdm", "networkx", "cachetools", "wrapt", "decorator", "numpy", "httpx"),
    *("docker", "prettytable", "lz4"),
)
"""Modules of Python in the image."""

EXPRESSION = f"""
{{ pkgs ? import <nixpkgs> {{ }}, salt ? "" }}:
pkgs.dockerTools.buildLayeredImage {{
  name = "bench-layered";
  tag = "latest";
  contents = [
    (pkgs.python3.withPackages (ps: with ps; [ {" ".join(MODULES)} ]))
    pkgs.postgresql
    pkgs.nginx
    pkgs.redis
    pkgs.git
    pkgs.nodejs
    pkgs.vim
  ];
  config.Labels = {{ inherit salt; }};
}}
"""
ENVIRONMENT = 'exports=$(nixdock env); eval "$exports"; env --null'
TAR = "tar --create --absolute-names --files-from=paths | tee >(sha256sum >sum) | {} --no-name >plain.tar.gz"


def run(options: Options) -> None:
    """Measure the evaluation, then the building."""
    with tempfile.TemporaryDirectory(prefix="nixdock-bench-") as folder:
        bench = _Bench(Path(folder))
        try:
            bench.compare(options.rounds)
        finally:
            bench.clean_up()


class _Bench:
    """Makes the image in the Nix store, each time with another label so that it has to be made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[str] = []
        self._derivation = ""
        said = subprocess.run(["bash", "-euc", ENVIRONMENT], check=True, stdout=subprocess.PIPE, text=True)
        self._env = dict(line.split("=", 1) for line in said.stdout.split("\0") if line)
        (folder / "bench.nix").write_text(EXPRESSION)

    def compare(self, rounds: int) -> None:
        """Print both tables; the packages are fetched and unpacked before."""
        self._evaluate()
        self._build()
        count = self._write_paths()
        compare(
            f"evaluation of a layered image, {count} store paths",
            [Competitor("nix-instantiate", self._evaluate)],
            rounds=rounds,
            limit=2,
        )
        # The very pigz that the image is compressed with.
        (pigz,) = self._ask("nix-build --no-out-link '<nixpkgs>' -A pigz")
        tar = shell(TAR.format(f"{pigz}/bin/pigz"), env=self._env, cwd=str(self._folder))
        compare(
            f"building of a layered image, {count} store paths",
            [
                Competitor("buildLayeredImage", self._build, self._evaluate),
                Competitor("tar, sha256sum, pigz", tar),
            ],
            rounds=rounds,
            needed={"tar, sha256sum, pigz": 1 / 1.5},
        )

    def clean_up(self) -> None:
        """Take the images out of the store; the packages stay, as after any build."""
        outputs = self._ask(f"nix-store --query --outputs {' '.join(self._made)}")
        there = [path for path in outputs if Path(path).exists()]
        if there:
            self._ask(f"nix-store --delete {' '.join(there)}")

    def _evaluate(self) -> None:
        salt = secrets.token_hex(8)
        (self._derivation,) = self._ask(f"nix-instantiate bench.nix --argstr salt {salt}")
        self._made.append(self._derivation)

    def _build(self) -> None:
        self._ask(f"nix-store --realise {self._derivation}")

    def _write_paths(self) -> int:
        """Write down the store paths that are in the image, for tar."""
        inputs = self._ask(f"nix-store --query --requisites {self._derivation}")
        (maker,) = [path for path in inputs if path.endswith("-bench-layered-conf.json.drv")]
        (conf,) = self._ask(f"nix-store --query --outputs {maker}")
        layers = json.loads(Path(conf).read_bytes())["store_layers"]
        paths = [path for layer in layers for path in layer]
        (self._folder / "paths").write_text("".join(f"{path}\n" for path in paths))
        return len(paths)

    def _ask(self, command: str) -> list[str]:
        command = f"{command} 2>log || {{ tail log >&2; exit 1; }}"
        words = ["bash", "-euo", "pipefail", "-c", command]
        done = subprocess.run(
            words, cwd=self._folder, env=self._env, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.split()
