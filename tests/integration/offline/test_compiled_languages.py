"""Projects of Go, Rust and Node.js, built from their sources without a network, as images that run."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import io
import json
import re
import subprocess
import tarfile
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from integration.offline.conftest import Images


@dataclass(frozen=True)
class Project:
    """A project and what its program prints in an image of its own.

    Args:
        name: The program's name.
        files: The source.
        package: The expression that builds `./project`.
        expected: What the program prints.
        closure: The packages that it needs at run time, by the start of their names; None for many.
    """

    name: str
    files: dict[str, str]
    package: str
    expected: str
    closure: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return self.name


NODE = Project(
    "node-app",
    {
        "package.json": json.dumps(
            {
                "name": "@acme/app",
                "version": "1.0.0",
                "bin": {"node-app": "./bin/app.js"},
                "scripts": {"compile": "cp in.txt bin/out.txt"},
                "dependencies": {"left": "1.0.0"},
                "devDependencies": {"tool": "1.0.0"},
                "files": ["bin"],
            }
        ),
        "bin/app.js": "#!/usr/bin/env node\n"
        "const text = require('fs').readFileSync(__dirname + '/out.txt', 'utf8').trim();\n"
        "console.log(require('left')(text), __dirname.endsWith('/lib/node_modules/@acme/app/bin'));\n",
        "in.txt": "compiled\n",
        "node_modules/left/package.json": '{"name": "left", "version": "1.0.0", "main": "main.js"}',
        "node_modules/left/main.js": "module.exports = (text) => `left ${text}`;\n",
        "node_modules/tool/package.json": '{"name": "tool", "version": "1.0.0"}',
    },
    """pkgs.buildNpmPackage {
      pname = "node-app"; version = "1.0.0"; src = ./project; npmBuildScript = "compile";
      postInstall = "test ! -e $out/lib/node_modules/@acme/app/node_modules/tool";
    }""",
    "left compiled true\n",
)

GO = Project(
    "go-app",
    {
        "go.mod": "module example.org/app\n\ngo 1.17\n\nrequire example.org/greet v1.2.3\n",
        "go.sum": "example.org/greet v1.2.3 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "vendor/modules.txt": "# example.org/greet v1.2.3\n## explicit; go 1.17\nexample.org/greet\n",
        "vendor/example.org/greet/greet.go": 'package greet\n\nconst Text = "greetings"\n',
        "cmd/go-app/main.go": "package main\n\n"
        'import (\n\t"fmt"\n\t"net/http"\n\n\t"example.org/greet"\n)\n\n'
        'var version = "none"\n\n'
        "func main() { fmt.Println(greet.Text, version, http.StatusText(200)) }\n",
        "cmd/go-app/main_test.go": 'package main\n\nimport "testing"\n\n'
        'func TestVersion(t *testing.T) {\n\tif version == "" {\n\t\tt.Fatal(version)\n\t}\n}\n',
        "cmd/broken/main.go": "package main\n\nfunc main() { broken() }\n",
        "tools/go.mod": "module tools\n",
        "tools/tools.go": "package main\n\nfunc main() { broken() }\n",
    },
    """pkgs.buildGoModule (finalAttrs: {
      pname = "go-app"; version = "1.0"; src = ./project; vendorHash = null; env.CGO_ENABLED = 0;
      excludedPackages = [ "cmd/broken" ];
      ldflags = [ "-s" "-X main.version=${finalAttrs.version}" ];
    })""",
    "greetings 1.0 OK\n",
    ("go-app",),
)

CGO = Project(
    "cgo-app",
    {
        "go.mod": "module example.org/app\n\ngo 1.17\n",
        "main.go": 'package main\n\n// #cgo pkg-config: zlib\n// #include <zlib.h>\nimport "C"\n\n'
        'import (\n\t"fmt"\n\t"os/user"\n)\n\n'
        'func main() {\n\troot, _ := user.LookupId("0")\n'
        "\tfmt.Println(root.Username, C.GoString(C.zlibVersion())[:2])\n}\n",
    },
    """pkgs.buildGoModule {
      name = "cgo-app"; src = ./project; vendorHash = null;
      nativeBuildInputs = [ pkgs.pkg-config ]; buildInputs = [ pkgs.zlib ];
      postInstall = "mv $out/bin/app $out/bin/cgo-app";
    }""",
    "root 1.\n",
    ("cgo-app", "libc6", "zlib1g"),
)

RUST = Project(
    "rust-app",
    {
        "Cargo.toml": '[package]\nname = "rust-app"\nversion = "0.1.0"\nedition = "2021"\n\n'
        '[features]\nloud = []\n\n[dependencies]\ngreet = "0.1"\n',
        # Of a newer cargo than Debian's.
        "Cargo.lock": 'version = 4\n\n[[package]]\nname = "greet"\nversion = "0.1.0"\n'
        'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
        f'checksum = "{"0" * 64}"\n\n'
        '[[package]]\nname = "rust-app"\nversion = "0.1.0"\ndependencies = [\n "greet",\n]\n',
        "src/main.rs": 'fn main() {\n    println!("{} {}", greet::TEXT, cfg!(feature = "loud"));\n}\n\n'
        '#[test]\nfn greets() {\n    assert_eq!(greet::TEXT, "greetings");\n}\n',
        "vendor/greet/Cargo.toml": '[package]\nname = "greet"\nversion = "0.1.0"\n',
        "vendor/greet/src/lib.rs": 'pub const TEXT: &str = "greetings";\n',
        "vendor/greet/.cargo-checksum.json": json.dumps({"files": {}, "package": "0" * 64}),
    },
    """pkgs.rustPlatform.buildRustPackage {
      pname = "rust-app"; version = "0.1.0"; src = ./project;
      cargoVendorDir = "vendor"; buildFeatures = [ "loud" ];
    }""",
    "greetings true\n",
    ("libc6", "rust-app"),
)

IMAGE = """
let package = {package}; in
{{
  inherit package;
  image = dockerTools.buildLayeredImage {{
    name = "test-{name}";
    contents = [ dockerTools.fakeNss ];
    config.Cmd = [ "${{package}}/bin/{name}" ];
  }};
}}
"""


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files of a project."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


# All but the first want toolchains of hundreds of megabytes.
@pytest.mark.sampled(100)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("project", [NODE, GO, CGO, RUST], ids=str)
def test_a_vendored_project_runs_from_its_image(images: Images, project: Project) -> None:
    write(images.folder / "project", project.files)
    file = images.write(IMAGE.format(package=project.package, name=project.name))

    [reference] = images.load(file, "-A", "image")

    assert images.run(reference) == project.expected
    if project.closure is not None:
        words = ("nix-store", "-qR", images.build(file, "-A", "package"))
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        names = sorted(path.partition("-")[2] for path in done.stdout.split())
        assert len(names) == len(project.closure)
        assert all(name.startswith(start) for name, start in zip(names, project.closure, strict=True))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server, and the folder of what it serves."""
    root = tmp_path / "registry"
    root.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", root
        server.shutdown()
        thread.join()


def archive(files: dict[str, str]) -> bytes:
    """Return a compressed tar of these files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return data.getvalue()


def npm(images: Images, address: str, root: Path) -> None:
    """A project of npm, by the hash of all and by the hash of each."""
    tarball = archive(
        {
            "package/package.json": '{"name": "left", "version": "1.0.0", "main": "main.js"}',
            "package/main.js": "module.exports = 'left';\n",
        }
    )
    (root / "left.tgz").write_bytes(tarball)
    integrity = f"sha512-{base64.b64encode(hashlib.sha512(tarball).digest()).decode()}"
    about = {"name": "app", "version": "1.0.0", "bin": "app.js", "dependencies": {"left": "1.0.0"}}
    left = {"version": "1.0.0", "resolved": f"{address}/left.tgz", "integrity": integrity}
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True}
    packages = {"": about, "node_modules/left": left}
    write(
        images.folder / "project",
        {
            "package.json": json.dumps(about),
            "package-lock.json": json.dumps({**lock, "packages": packages}),
            "app.js": "#!/usr/bin/env node\nconsole.log(require('left'));\n",
        },
    )
    file = images.write(
        """
        let
          app = args: pkgs.buildNpmPackage ({
            pname = "app"; version = "1.0.0"; src = ./project; dontNpmBuild = true;
          } // args);
        in
        {
          none = app { };
          wrong = app { npmDepsHash = lib.fakeHash; };
          right = app { npmDepsHash = lib.fileContents ./hash; };
          imported = app { npmDeps = pkgs.importNpmLock { npmRoot = ./project; }; };
        }
        """
    )

    assert (
        "or keep node_modules in the source"
        in images.by_hand(f"nix-build --no-out-link {file} -A none").stderr
    )
    told = images.by_hand(f"nix-build --no-out-link {file} -A wrong").stderr
    found = re.search(r"got: *(sha256-\S+)", told)
    assert found is not None, told
    (images.folder / "hash").write_text(f"{found[1]}\n")
    for name in ("right", "imported"):
        program = images.build(file, "-A", name) / "bin" / "app"
        assert (
            subprocess.run([program], capture_output=True, text=True, check=True, env={}).stdout == "left\n"
        )


def cargo(images: Images, address: str, root: Path) -> None:
    """A project of cargo, by the hash of each crate."""
    crate = archive(
        {
            "greet-0.1.0/Cargo.toml": '[package]\nname = "greet"\nversion = "0.1.0"\n',
            "greet-0.1.0/src/lib.rs": 'pub const TEXT: &str = "greetings";\n',
        }
    )
    (root / "greet" / "0.1.0").mkdir(parents=True)
    (root / "greet" / "0.1.0" / "download").write_bytes(crate)
    names = [name for name in RUST.files if not name.startswith("vendor/")]
    checksum = hashlib.sha256(crate).hexdigest()
    write(images.folder / "project", {name: RUST.files[name].replace("0" * 64, checksum) for name in names})
    index = '"https://github.com/rust-lang/crates.io-index"'
    file = images.write(
        f"""
        pkgs.rustPlatform.buildRustPackage {{
          pname = "rust-app"; version = "0.1.0"; src = ./project;
          cargoLock = {{ lockFile = ./project/Cargo.lock; extraRegistries.{index} = "{address}"; }};
        }}
        """
    )

    program = images.build(file) / "bin" / "rust-app"
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "greetings false\n"


# Rust is hundreds of megabytes.
@pytest.mark.sampled(100)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("build", [npm, cargo])
def test_what_a_lock_file_names_is_fetched(
    images: Images, registry: tuple[str, Path], build: Callable[[Images, str, Path], None]
) -> None:
    build(images, *registry)


def test_npm_and_npx_are_in_nodejs_and_not_in_nodejs_slim(images: Images) -> None:
    file = images.write("{ inherit (pkgs) nodejs nodejs-slim; }")
    whole, slim = (images.build(file, "-A", name) for name in ("nodejs", "nodejs-slim"))

    assert not (slim / "bin" / "npm").exists()
    assert (whole / "bin" / "node").resolve() == slim / "bin" / "node"
    assert (whole / "bin" / "npx").exists()


# Yarn is two hundred packages of Debian.
@pytest.mark.sampled(100)
@pytest.mark.parametrize(
    ("package", "words"), [("nodejs", ["npm", "install"]), ("yarn", ["yarn", "install"])]
)
def test_a_package_manager_installs_from_a_registry(
    images: Images, registry: tuple[str, Path], package: str, words: list[str]
) -> None:
    address, root = registry
    (root / "left.tgz").write_bytes(archive({"package/package.json": '{"name": "left", "version": "1.0.0"}'}))
    about = {"name": "app", "version": "1.0.0", "dependencies": {"left": f"{address}/left.tgz"}}
    write(images.folder / "project", {"package.json": json.dumps(about)})
    program = images.build(images.write(f"pkgs.{package}")) / "bin" / words[0]

    subprocess.run(
        [program, *words[1:]],
        cwd=images.folder / "project",
        env={"HOME": str(images.folder), "PATH": ""},
        check=True,
        timeout=60,
    )

    assert (images.folder / "project" / "node_modules" / "left" / "package.json").exists()


def test_versions_in_names_are_debians_or_said(images: Images) -> None:
    file = images.write(
        """
        let spell = dot: lib.replaceStrings [ "." ] [ dot ] (lib.versions.majorMinor pkgs.go.version); in
        {
          same = pkgs."go_${spell "_"}".outPath == pkgs.go.outPath
            && lib.isFunction pkgs."buildGo${spell ""}Module";
          old = pkgs.go_1_14.outPath;
        }
        """
    )

    assert images.evaluate(file, "same") is True
    refused = images.by_hand(f"nix-instantiate --eval {file} -A old")
    assert refused.returncode != 0
    assert "go_1_14: Debian" in refused.stderr
