"""Images that know Nix, and images of what nix-shell gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pexpect
import pytest

if TYPE_CHECKING:
    from integration.offline.conftest import Images


def test_nix_in_the_image_knows_what_it_needs(images: Images) -> None:
    paths = images.run_example("nix").splitlines()

    assert len(paths) > 5
    assert all(path.startswith("/nix/store/") for path in paths)
    images.run("nix:latest", "/bin/bash", "-c", "nix-store --verify --check-contents")


@pytest.mark.parametrize("name", ["nixLayered", "nixStreamed"])
def test_a_layered_image_has_the_database_too(name: str, images: Images) -> None:
    references = images.run_example(name).splitlines()

    assert any(path.endswith("-bash-5.2.15") or "-bash-" in path for path in references)
    assert any("-libc6-" in path for path in references)


def test_one_program_under_several_names_stays_one(images: Images) -> None:
    copied = images.run(images.example("nix"), "/bin/bash", "-c", "readlink $(readlink /bin/nix-daemon)")
    linked = images.run(images.example("nixLayered"), "/bin/readlink", "/bin/nix-daemon")

    assert copied == linked == "nix\n"


def test_when_paths_were_registered_does_not_depend_on_the_build(images: Images) -> None:
    images.check(images.examples(), "-A", "nix.layer")


def test_a_shell_greets_with_its_hook_and_has_its_inputs(images: Images) -> None:
    reference = images.example("shellBasic")
    shell = pexpect.spawn(
        "docker",
        ["run", "--rm", "-it", reference],
        env={**images.nixdock.environment, "DOCKER_HOST": images.engine.host},
        encoding="utf-8",
        timeout=30,
    )
    shell.expect_exact("This is the shell hook!")
    shell.expect_exact("[nix-shell:~]$")
    shell.sendline("hello")
    shell.expect_exact("Hello, world!")
    # The terminal echoes what is typed, so that must not be what is waited for.
    shell.sendline("buildDerivation > log 2>&1 && $out/bin/hello -g bu''ilt")
    shell.expect_exact("built")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 0


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("shellRun", "not interactive"),
        ("shellInputs", "Hello, world!"),
        ("shellPassAsFile", "as a file"),
        ("shellBuild", "Hello, world!"),
        ("shellHome", "/home/builder /home/builder written"),
        ("shellNoHome", "/homeless-shelter is not there"),
        ("shellBuilt", "Hello, world!"),
    ],
)
def test_a_script_runs_in_the_environment(name: str, printed: str, images: Images) -> None:
    assert images.run_example(name).splitlines() == ["This is the shell hook!", printed]


def test_a_command_runs_as_if_it_had_been_typed(images: Images) -> None:
    reference = images.example("shellCommand")
    run = images.nixdock("run", "-t", reference)

    assert run.stdout.split("\r\n")[:2] == ["This is the shell hook!", "interactive"]


def test_the_built_form_is_a_compressed_archive(images: Images) -> None:
    assert images.build(images.examples(), "-A", "shellBuilt").name.endswith("-greeting-env.tar.gz")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ('command = "a"; run = "b";', "command and run are two ways to give the same; give one of them"),
        ("", "has __structuredAttrs, whose environment is no list of variables"),
    ],
)
def test_what_cannot_be_a_shell_is_refused(arguments: str, complaint: str, images: Images) -> None:
    structured = "" if arguments else "__structuredAttrs = true;"

    assert complaint in images.refuse(
        f"""
        dockerTools.streamNixShellImage {{
          drv = pkgs.stdenvNoCC.mkDerivation {{ name = "x"; {structured} }};
          {arguments}
        }}
        """,
    )
