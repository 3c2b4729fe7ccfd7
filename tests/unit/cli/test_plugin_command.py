"""Where the plugin is installed, found and shadowed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from nixdock import __version__
from nixdock.cli import plugin_command
from nixdock.cli.main import run
from nixdock.cli.plugin_command import find_plugins, install, list_directories, uninstall
from nixdock.errors import UsageError


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Path) -> Path:
    """Docker's directory of this test alone, with no plugins of the machine beside it."""
    directory = tmp_path / "docker config"
    monkeypatch.setenv("DOCKER_CONFIG", str(directory))
    # What is installed runs with an interpreter that needs no PYTHONPATH for nixdock.
    monkeypatch.setattr(install, "__kwdefaults__", {"python": str(installed / "python")})
    monkeypatch.setattr(plugin_command, "SYSTEM_DIRECTORIES", (tmp_path / "system" / "cli-plugins",))
    return directory


def test_the_directories_are_searched_in_dockers_order(docker_config: Path, tmp_path: Path) -> None:
    docker_config.mkdir()
    (docker_config / "config.json").write_text(
        json.dumps({"cliPluginsExtraDirs": ["/extra/one", "/extra/two"]})
    )
    assert list_directories() == (
        Path("/extra/one"),
        Path("/extra/two"),
        docker_config / "cli-plugins",
        tmp_path / "system" / "cli-plugins",
    )


def test_what_install_writes_runs_without_any_environment(docker_config: Path, tmp_path: Path) -> None:
    path = install(docker_config / "cli-plugins")
    assert path == docker_config / "cli-plugins" / "docker-nixdock"
    # Nothing in the directory where docker is typed may be imported in the place of ours.
    (tmp_path / "nixdock").mkdir()
    (tmp_path / "json.py").write_text("raise SystemExit(99)")
    done = subprocess.run(
        [path, "docker-cli-plugin-metadata"], env={}, cwd=tmp_path, capture_output=True, check=True
    )
    assert json.loads(done.stdout)["Version"] == __version__


def test_installing_again_is_no_error(docker_config: Path) -> None:
    first = install(docker_config / "cli-plugins")
    assert install(docker_config / "cli-plugins") == first
    assert [plugin.path for plugin in find_plugins()] == [first]
    assert list(first.parent.iterdir()) == [first]


def test_an_interpreter_with_spaces_in_its_path_works(
    docker_config: Path, tmp_path: Path, installed: Path
) -> None:
    python = tmp_path / "a long 'way' to" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {installed}/python "$@"\n')
    python.chmod(0o755)
    install(docker_config / "cli-plugins", python=str(python))
    assert find_plugins()[0].version == __version__


def test_a_python_without_nixdock_is_refused_and_leaves_nothing(docker_config: Path) -> None:
    with pytest.raises(UsageError, match="cannot run nixdock by itself"):
        install(docker_config / "cli-plugins", python="/bin/false")
    assert list((docker_config / "cli-plugins").iterdir()) == []


def test_somebody_elses_file_is_never_touched(docker_config: Path) -> None:
    foreign = docker_config / "cli-plugins" / "docker-nixdock"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("#!/bin/sh\n")
    for change in (install, uninstall):
        with pytest.raises(UsageError, match="not from nixdock plugin install"):
            change(foreign.parent)
    assert foreign.read_text() == "#!/bin/sh\n"


def test_somebody_elses_link_is_never_touched(docker_config: Path, tmp_path: Path) -> None:
    link = docker_config / "cli-plugins" / "docker-nixdock"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "gone")
    for change in (install, uninstall):
        with pytest.raises(UsageError, match="not from nixdock plugin install"):
            change(link.parent)
    assert link.is_symlink()


def test_what_was_installed_can_be_uninstalled(docker_config: Path) -> None:
    path = install(docker_config / "cli-plugins")
    assert uninstall(docker_config / "cli-plugins") == path
    assert find_plugins() == ()
    assert uninstall(docker_config / "cli-plugins") is None


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write to .*file/cli-plugins: Not a directory"):
        install(tmp_path / "file" / "cli-plugins")


def test_status_tells_the_first_and_the_shadowed(
    docker_config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = install(docker_config / "cli-plugins")
    second = install(tmp_path / "system" / "cli-plugins")
    assert run(["plugin", "status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{first}: version {__version__}",
        f"{second}: version {__version__}, shadowed",
    ]
    assert run(["plugin", "status", "--json"]) == 0
    assert [entry["path"] for entry in json.loads(capsys.readouterr().out)] == [str(first), str(second)]


def test_status_tells_of_a_plugin_that_does_not_run(
    docker_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = docker_config / "cli-plugins" / "docker-nixdock"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/nowhere/python\n")
    broken.chmod(0o755)
    assert run(["plugin", "status"]) == 1
    assert capsys.readouterr().out == f"{broken}: does not run\n"


def test_status_tells_where_docker_looks_when_there_is_none(
    docker_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plugin", "status"]) == 1
    out, err = capsys.readouterr()
    assert str(docker_config / "cli-plugins") in out
    assert err == "hint: nixdock plugin install\n"


def test_installing_behind_another_one_warns(
    docker_config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = tmp_path / "extra"
    install(extra)
    docker_config.mkdir()
    (docker_config / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": [str(extra)]}))
    assert run(["plugin", "install"]) == 0
    assert f"warning: docker finds {extra / 'docker-nixdock'} before it" in capsys.readouterr().err


def test_the_file_is_executable_for_all(docker_config: Path) -> None:
    assert os.access(install(docker_config / "cli-plugins"), os.X_OK)
