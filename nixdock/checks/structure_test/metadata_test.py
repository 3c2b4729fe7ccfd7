"""The metadata test: what the image's config says, without an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.checks.structure_test.go_text import text_matcher
from nixdock.checks.verdict import CheckResult, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixdock.checks.structure_test.model import MetadataTest, Variable
    from nixdock.checks.subject import Subject


def find_faults(test: MetadataTest) -> tuple[Finding, ...]:
    """Return what makes the test unusable, whatever the image."""
    found: list[Finding] = []
    for key, variables in (("envVars", test.environment), ("labels", test.labels)):
        found += [Finding(key, "a key is empty") for variable in variables if not variable.key]
    for key, words in (("exposedPorts", test.exposed_ports), ("volumes", test.volumes)):
        found += [Finding(key, "a value is empty") for word in words if not word]
    return tuple(found)


def judge(test: MetadataTest, subject: Subject) -> CheckResult:
    """Judge the config of the image; the file's own variables are not in it."""
    result = CheckResult()
    config = subject.run_config
    environment = subject.env
    _judge_variables("envVars", test.environment, environment, result)
    for variable in test.unbound:
        if variable.key in environment:
            result.find("unboundEnvVars", f"{variable.key} is set: {environment[variable.key]!r}")
    _judge_variables("labels", test.labels, _mapping(config.get("Labels")), result)
    for key, wanted in (("cmd", test.cmd), ("entrypoint", test.entrypoint)):
        found = tuple(str(word) for word in config.get(key.capitalize()) or ())
        if wanted is not None and wanted != found:
            result.find(key, f"expected {list(wanted)!r}, found {list(found)!r}")
    for key, word in (("workdir", test.workdir), ("user", test.user)):
        said = str(config.get("WorkingDir" if key == "workdir" else "User") or "")
        if word and word != said:
            result.find(key, f"expected {word!r}, found {said!r}")
    volumes = {volume: volume for volume in _mapping(config.get("Volumes"))}
    _judge_names(
        result,
        _name_ports(_mapping(config.get("ExposedPorts"))),
        exposedPorts=test.exposed_ports,
        unexposedPorts=test.unexposed_ports,
    )
    _judge_names(result, volumes, volumes=test.volumes, unmountedVolumes=test.unmounted_volumes)
    return result


def _name_ports(ports: Iterable[str]) -> dict[str, str]:
    """Return the ports by all that a test may call them: `8080`, and with the protocol, `8080/tcp`."""
    named: dict[str, str] = {}
    for port in ports:
        number, _, protocol = port.partition("/")
        named[number] = port
        named[f"{number}/{protocol or 'tcp'}"] = port
    return named


def _mapping(value: object) -> Mapping[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}


def _judge_variables(
    subject: str, wanted: Iterable[Variable], found: Mapping[str, str], result: CheckResult
) -> None:
    for variable in wanted:
        value = found.get(variable.key)
        if value is None:
            result.find(subject, f"{variable.key} is not set")
        elif variable.is_regex:
            matcher = text_matcher((variable.value,), ())
            for wrong in matcher.judge(value.encode(errors="surrogateescape")) if matcher else ():
                result.find(subject, f"{variable.key}: {wrong.message}", wrong.details)
        elif value != variable.value:
            result.find(subject, f"{variable.key}: expected {variable.value!r}, found {value!r}")


def _judge_names(result: CheckResult, found: Mapping[str, str], **asked: tuple[str, ...]) -> None:
    """Judge two lists by their keys: of what must be there, and of what must not."""
    (key, wanted), (unwanted_key, unwanted) = asked.items()
    there = ", ".join(dict.fromkeys(found.values())) or "none"
    for name in wanted:
        if name not in found:
            result.find(key, f"{name} is missing; there is {there}")
    for name in unwanted:
        if name in found:
            result.find(unwanted_key, f"{found[name]} is there, and must not be")
