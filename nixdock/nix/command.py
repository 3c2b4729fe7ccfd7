"""What Nix is asked, as argument lists, and what the user may say about that; nothing is run here.

The programs `nix-instantiate`, `nix-build` and `nix-store` are the same from Nix 2.8 to today. Flakes
are an experimental feature, so the `nix` command gets it enabled for the one call.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class NixOptions:
    """Nix's options as they were typed; each means what it means to `nix-build`.

    Args:
        attributes: `-A`, each an attribute path.
        expression: `-E`, the expression that stands in the target's place.
        search_path: `-I`, each `PATH` or `NAME=PATH`.
        nixpkgs: `--nixpkgs`: what `<nixpkgs>` means, before anything else that could say so.
        arguments: `--arg`, names and expressions.
        string_arguments: `--argstr`, names and texts.
        override_inputs: `--override-input`, names of a flake's inputs and what they are.
        settings: `--option`, names and values.
        max_jobs: `-j`, a number or `auto`.
        keep_going: `-k`, go on with other builds when one fails.
        keep_failed: `-K`, keep the directory of a failed build.
        show_trace: Show where an evaluation error came from, frame by frame.
        builders: The machines to build on.
        store: The store to build in.
        substituters: The binary caches to ask.
        out_link: `-o`, the name of the link to the result; None is the command's own default.
        no_out_link: Make no link whatever the default.
        no_scripts: Run no program that was built to write an image; where one would have to be, that is an
            error.
        eval_cache: Evaluate nothing of which nothing has changed; None is as the user's setting says.
        explain: Say what has changed since the last evaluation that is remembered.
    """

    attributes: tuple[str, ...] = ()
    expression: str | None = None
    search_path: tuple[str, ...] = ()
    nixpkgs: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    string_arguments: tuple[tuple[str, str], ...] = ()
    override_inputs: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    max_jobs: str | None = None
    keep_going: bool = False
    keep_failed: bool = False
    show_trace: bool = False
    builders: str | None = None
    store: str | None = None
    substituters: str | None = None
    out_link: Path | None = None
    no_out_link: bool = False
    no_scripts: bool = False
    eval_cache: bool | None = None
    explain: bool = False


DIRECTORY: Final = Path(__file__).parent
"""Where `evaluate.nix` and `describe.nix` are."""

_OF_BUILTINS: Final = (
    "readFile hashFile readFileType readDir pathExists getEnv findFile filterSource path fetchurl storePath "
    "currentTime fetchClosure getFlake exec importNative outputOf"
)
_READING: Final = (
    *("builtins", "import", "scopedImport", "fetchTarball", "fetchGit", "fetchMercurial", "fetchTree"),
    *(f"__{name}" for name in _OF_BUILTINS.split()),
)
"""Names by which an expression reaches what reads."""

_JSON_LOG: Final = ("--log-format", "internal-json")
_FLAKES: Final = ("--extra-experimental-features", "nix-command flakes")


@dataclass(frozen=True, slots=True)
class Context:
    """What every question to Nix is asked with.

    Args:
        options: The user's own.
        settings: What Nix's configuration lacks here, by name.
        nixpkgs: What `<nixpkgs>` means: a path, or something that Nix fetches; None is as Nix finds it.
        inputs: What inputs of a flake are, by name, before the user's own `--override-input`.
    """

    options: NixOptions
    settings: Mapping[str, str]
    nixpkgs: str | None = None
    inputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What to learn of an expression's value; `describe.nix` says what each means.

    Args:
        attributes: Attribute paths, split; the empty one is the value itself.
        expectations: Whether to read the `nixdock` attribute.
        streams: Whether to offer `.stream`.
        traced: Whether it is to tell what it reads (`read_set.py`), but for flakes.
        roots: Directories of which many files import one another, where it tells.
    """

    attributes: tuple[tuple[str, ...], ...] = ((),)
    expectations: bool = False
    streams: bool = False
    traced: bool = False
    roots: tuple[str, ...] = ()

    def as_arguments(self) -> dict[str, object]:
        """Return it as describe.nix's own arguments."""
        return {
            "attributes": [list(path) for path in self.attributes],
            "expectations": self.expectations,
            "streams": self.streams,
        }


def evaluate_file(file: Path, request: EvaluationRequest, context: Context) -> list[str]:
    """Return the command that describes the value of a file, as JSON.

    Args:
        file: A Nix file, or a directory with a `default.nix`; absolute.
        request: What to learn.
        context: What it is asked with.
    """
    return _evaluate({"file": str(file)}, [], request, context)


def evaluate_expression(expression: str, request: EvaluationRequest, context: Context) -> list[str]:
    """Return the command that describes the value of an expression, as JSON; see `evaluate_file`."""
    # An argument's expression is read as that of -E is: relative paths start at the current directory.
    given = ["--arg", "nixdockExpression", _traced(expression, request)]
    return _evaluate({"file": None}, given, request, context)


def _evaluate(
    target: Mapping[str, object], given: Sequence[str], request: EvaluationRequest, context: Context
) -> list[str]:
    arguments = [(name, _traced(expression, request)) for name, expression in context.options.arguments]
    traced = {"roots": request.roots, "expressions": [name for name, _ in arguments]}
    asked = {**target, **request.as_arguments(), **({"traced": traced} if request.traced else {})}
    return [
        "nix-instantiate",
        str(DIRECTORY / "evaluate.nix"),
        # Without --read-write-mode the derivations would only be computed, not written to the store.
        *("--eval", "--strict", "--json", "--read-write-mode"),
        # Which sources are copied is told at this verbosity.
        *(("-vv",) if request.traced else ()),
        *_common(context),
        *_search_path(context),
        *("--argstr", "nixdockRequest", json.dumps(asked)),
        *given,
        *_flatten("--arg", arguments),
        *_flatten("--argstr", context.options.string_arguments),
    ]


def _traced(expression: str, request: EvaluationRequest) -> str:
    """Return an expression as a function of what `traced.nix` has in the places of Nix's own names."""
    if not request.traced:
        return expression
    named = [name for name in _READING if re.search(rf"(?<![\w'-]){name}(?![\w'-])", expression)]
    named += ["__findFile"] if "<" in expression and "__findFile" not in named else []
    return f"{{ {', '.join([*named, '...'])} }}:\n{expression}"


def evaluate_flake(
    reference: str, attribute: str | None, request: EvaluationRequest, context: Context
) -> list[str]:
    """Return the command that describes an output of a flake, as JSON.

    Args:
        reference: The flake.
        attribute: Its output; None is the default.
        request: What to learn of the output.
        context: What it is asked with.
    """
    # Pure evaluation reads no file outside of the store, so the function comes as text.
    describe = (DIRECTORY / "describe.nix").read_text(encoding="utf-8")
    arguments = json.dumps(json.dumps(request.as_arguments())).replace("${", "\\${")
    return [
        "nix",
        *_FLAKES,
        "eval",
        f"{reference}#{attribute or ''}",
        *("--json", "--apply", f"({describe}) (builtins.fromJSON {arguments})"),
        *_common(context),
        *_inputs(context),
    ]


def list_outputs(reference: str, packages: str, context: Context) -> tuple[list[str], ...]:
    """Return the commands that list what a flake has, as JSON: its packages; without any, all outputs.

    Args:
        reference: The flake.
        packages: The attribute of the packages for this machine.
        context: What it is asked with.
    """
    words = ("--json", *_common(context), *_inputs(context))
    return (
        ["nix", *_FLAKES, "eval", f"{reference}#{packages}", "--apply", "builtins.attrNames", *words],
        ["nix", *_FLAKES, "flake", "show", reference, *words],
    )


def list_systems(reference: str, context: Context) -> list[str]:
    """Return the command that lists the systems that a flake has packages for, as JSON."""
    words = ("--json", *_common(context), *_inputs(context))
    return ["nix", *_FLAKES, "eval", f"{reference}#packages", "--apply", "builtins.attrNames", *words]


def list_inputs(file: Path) -> list[str]:
    """Return the command that prints what the inputs of a flake refer to, by name, as JSON.

    An input that only the outputs name is looked up in Nix's registry; one that follows another has null.
    """
    expression = """{ file }:
      let
        flake = import (/. + file);
        wanted = removeAttrs (builtins.functionArgs flake.outputs) [ "self" ];
        named = builtins.mapAttrs (name: _: "flake:${name}") wanted;
        declared = builtins.mapAttrs (name: input: input.url or null) (flake.inputs or { });
      in
      named // declared"""
    words = ("--eval", "--strict", "--json", "-E", expression, "--argstr", "file", str(file))
    return ["nix-instantiate", *words]


def realise(outputs: Sequence[str], link: Path, context: Context) -> list[str]:
    """Return the command that builds outputs of derivations and prints their paths, one a line.

    Args:
        outputs: Each `DERIVATION!OUTPUT`.
        link: The link to the first one; further derivations get `LINK-2` and so on.
        context: What it is asked with.
    """
    return [
        "nix-build",
        *outputs,
        *("--out-link", str(link)),
        *_common(context),
    ]


def realise_again(derivations: Sequence[Path], context: Context, *, compare: bool = True) -> list[str]:
    """Return the command that builds derivations once more and compares the outputs with those there are.

    Args:
        derivations: What to build; their outputs must be there.
        context: What it is asked with.
        compare: Whether to build again and compare; otherwise only what is missing is built.
    """
    return [
        "nix-store",
        "--realise",
        *map(str, derivations),
        *(("--check",) if compare else ()),
        *_common(context),
    ]


def hold_paths(paths: Sequence[str], link: Path, options: NixOptions) -> list[str]:
    """Return the command that links to store paths that are there already, and so holds them."""
    return [
        "nix-store",
        "--realise",
        *paths,
        *("--add-root", str(link), "--indirect"),
        *_JSON_LOG,
        *_store(options.store),
    ]


def list_names(nixpkgs: str) -> list[str]:
    """Return the command that prints the names in the offline package set and in sets of it, as JSON."""
    expression = """with import <nixpkgs> { };
      builtins.mapAttrs (_: builtins.attrNames) { inherit pkgs debian; python = python3.pkgs; }"""
    return ["nix-instantiate", "--eval", "--strict", "--json", "-I", f"nixpkgs={nixpkgs}", "-E", expression]


def show_config() -> list[str]:
    """Return the command that prints Nix's configuration as JSON; `config show` since 2.20."""
    return ["nix", "--extra-experimental-features", "nix-command", "show-config", "--json"]


def check_validity(paths: Sequence[str]) -> list[str]:
    """Return the command that prints those of some paths that the store does not know as valid."""
    return ["nix-store", "--check-validity", "--print-invalid", *paths]


def query_sizes(paths: Sequence[str]) -> list[str]:
    """Return the command that prints the bytes of valid store paths, one number a line."""
    return ["nix-store", "--query", "--size", *paths]


def query_requisites(paths: Iterable[Path], *, store: str | None = None) -> list[str]:
    """Return the command that prints the closure of store paths, one path a line."""
    return ["nix-store", "--query", "--requisites", *map(str, paths), *_store(store)]


def _common(context: Context) -> list[str]:
    options = context.options
    return [
        *_JSON_LOG,
        # Costs nothing where all goes well; otherwise it names the place in the user's own file.
        "--show-trace",
        # The user's own come last, for the last one wins.
        *_flatten("--option", context.settings.items()),
        *_flatten("--option", options.settings),
        *(("--max-jobs", options.max_jobs) if options.max_jobs is not None else ()),
        *(("--keep-going",) if options.keep_going else ()),
        *(("--keep-failed",) if options.keep_failed else ()),
        *(("--builders", options.builders) if options.builders is not None else ()),
        *_store(options.store),
        *(("--substituters", options.substituters) if options.substituters is not None else ()),
    ]


def _inputs(context: Context) -> list[str]:
    given = {**dict(context.inputs), **dict(context.options.override_inputs)}
    return [word for name, target in given.items() for word in ("--override-input", name, _as_flake(target))]


def _as_flake(nixpkgs: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415  # only for flakes

    # What need not be quoted must not be: Nix 2.8 takes it as it stands.
    return f"path:{quote(nixpkgs, safe='/~+@,')}" if nixpkgs.startswith("/") else nixpkgs


def _search_path(context: Context) -> list[str]:
    entries = list(context.options.search_path)
    if context.nixpkgs:
        # The first entry of a name wins: before the user's own only where the user asked for it.
        entries.insert(0 if context.options.nixpkgs else len(entries), f"nixpkgs={context.nixpkgs}")
    return [word for entry in entries for word in ("-I", entry)]


def _store(store: str | None) -> tuple[str, ...]:
    return ("--store", store) if store is not None else ()


def _flatten(option: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [word for name, value in pairs for word in (option, name, value)]
