"""The environment and the containers of a file's tests, from what the file and its caller say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.structure_test.dotenv import parse_dotenv
from nixdock.checks.structure_test.go_text import expand
from nixdock.checks.structure_test.judgement import NotReachedError
from nixdock.checks.structure_test.rig import ContainerNeeds
from nixdock.text import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixdock.checks.structure_test.model import ContainerRunOptions, StructureTests, Variable
    from nixdock.checks.structure_test.rig import Rig


@dataclass(frozen=True, slots=True)
class Variables:
    """Variables that are put on top of an image's.

    Args:
        words: `NAME=VALUE`, in the file's order.
        result: The image's environment with them.
    """

    words: tuple[str, ...]
    result: Mapping[str, str]


def expand_variables(variables: Iterable[Variable], environment: Mapping[str, str]) -> Variables:
    """Expand the values of variables, all by the same environment, and put them on top of it."""
    words = [(variable.key, expand(variable.value, environment)) for variable in variables]
    return Variables(tuple(f"{key}={value}" for key, value in words), {**environment, **dict(words)})


def global_variables(tests: StructureTests, rig: Rig) -> Variables:
    """Return the file's own variables on top of the image's.

    Raises:
        NotReachedError: One has no name.
    """
    if any(not variable.key for variable in tests.environment):
        raise NotReachedError("globalEnvVars", "a variable has no key, which engines refuse")
    return expand_variables(tests.environment, rig.subject.env)


def setup_needs(options: ContainerRunOptions, variables: tuple[str, ...]) -> ContainerNeeds:
    """Return how the containers of setup commands are made: with all options but the variables."""
    return ContainerNeeds(
        environment=variables,
        user=options.user,
        privileged=options.privileged,
        capabilities=options.capabilities,
        bind_mounts=options.bind_mounts,
    )


def host_variables(options: ContainerRunOptions, rig: Rig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the variables that come from a file and from the caller's environment, and remarks.

    Raises:
        NotReachedError: A variable is not in the caller's environment.
    """
    words: list[str] = []
    remarks: list[str] = []
    if options.env_file:
        try:
            text = read_bounded(rig.folder / options.env_file).decode(errors="replace")
            words += [f"{key}={value}" for key, value in parse_dotenv(text).items() if key and value]
        except OSError as error:
            remarks.append(f"envFile {options.env_file} cannot be read and is passed over: {error.strerror}")
        except ValueError as error:
            remarks.append(f"envFile {options.env_file} cannot be read and is passed over: {error}")
    for name in options.env_names:
        value = rig.environ.get(name) if name else None
        if value is None:
            raise NotReachedError(
                "containerRunOptions.envVars", f"the variable {name!r} is not set here", begun=True
            )
        words.append(f"{name}={value}")
    return tuple(words), tuple(remarks)
