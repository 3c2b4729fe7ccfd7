from __future__ import annotations

import json
from pathlib import Path

from nixdock.nix import command
from nixdock.nix.command import Context, EvaluationRequest, NixOptions

EVERYTHING = NixOptions(
    search_path=("lib=/srv/lib", "/srv/more"),
    arguments=(("debug", "true"),),
    string_arguments=(("tag", "v 1"),),
    settings=(("cores", "4"), ("sandbox", "false")),
    max_jobs="auto",
    keep_going=True,
    keep_failed=True,
    builders="",
    store="/srv/root",
    substituters="https://cache.test",
)


def pairs(argv: list[str], option: str) -> list[str]:
    """Return the words behind each occurrence of an option."""
    return [argv[place + 1] for place, word in enumerate(argv) if word == option]


def test_a_file_is_evaluated_with_all_that_the_user_said() -> None:
    argv = command.evaluate_file(
        Path("/a b/x.nix"), EvaluationRequest(), Context(EVERYTHING, {"sandbox": "true"}, "/set")
    )
    assert argv[:2] == ["nix-instantiate", str(command.DIRECTORY / "evaluate.nix")]
    assert {"--eval", "--strict", "--json", "--read-write-mode", "--keep-going", "--keep-failed"} <= {*argv}
    assert pairs(argv, "--log-format") == ["internal-json"]
    assert pairs(argv, "-I") == ["lib=/srv/lib", "/srv/more", "nixpkgs=/set"]
    assert pairs(argv, "--max-jobs") == ["auto"]
    assert pairs(argv, "--builders") == [""]
    assert pairs(argv, "--store") == ["/srv/root"]
    assert pairs(argv, "--substituters") == ["https://cache.test"]
    place = argv.index("tag")
    assert argv[place - 1 : place + 2] == ["--argstr", "tag", "v 1"]
    place = argv.index("debug")
    assert argv[place - 1 : place + 2] == ["--arg", "debug", "true"]


def test_the_request_is_one_argument_of_json() -> None:
    request = EvaluationRequest((("a", "b c"), ()), expectations=True, streams=True)
    argv = command.evaluate_file(Path("/x.nix"), request, Context(NixOptions(), {}))
    place = argv.index("nixdockRequest")
    assert json.loads(argv[place + 1]) == {
        "file": "/x.nix",
        "attributes": [["a", "b c"], []],
        "expectations": True,
        "streams": True,
    }


def test_the_users_settings_come_after_ours_so_that_they_win() -> None:
    argv = command.realise(["/d.drv!out"], Path("result"), Context(EVERYTHING, {"sandbox": "true"}))
    assert pairs(argv, "--option") == ["sandbox", "cores", "sandbox"]


def test_a_named_package_set_comes_before_the_users_search_path() -> None:
    options = NixOptions(search_path=("nixpkgs=/mine",), nixpkgs="/named")
    argv = command.evaluate_file(Path("/x.nix"), EvaluationRequest(), Context(options, {}, "/named"))
    assert pairs(argv, "-I") == ["nixpkgs=/named", "nixpkgs=/mine"]


def test_an_expression_is_an_argument_so_that_its_paths_start_here() -> None:
    argv = command.evaluate_expression("import ./x.nix", EvaluationRequest(), Context(NixOptions(), {}))
    place = argv.index("nixdockExpression")
    assert argv[place - 1 : place + 2] == ["--arg", "nixdockExpression", "import ./x.nix"]


def test_a_flake_gets_its_features_for_the_one_call() -> None:
    argv = command.evaluate_flake(".", "web", EvaluationRequest(), Context(NixOptions(), {}))
    assert argv[:5] == ["nix", "--extra-experimental-features", "nix-command flakes", "eval", ".#web"]
    assert "--override-input" not in argv


def test_the_default_output_of_a_flake_has_no_name() -> None:
    assert ".#" in command.evaluate_flake(".", None, EvaluationRequest(), Context(NixOptions(), {}))


def overrides(argv: list[str]) -> list[tuple[str, str]]:
    places = [place for place, word in enumerate(argv) if word == "--override-input"]
    return [(argv[place + 1], argv[place + 2]) for place in places]


def test_a_package_set_takes_the_place_of_a_flakes_input() -> None:
    def evaluate(target: str, *given: tuple[str, str]) -> list[tuple[str, str]]:
        context = Context(NixOptions(override_inputs=given), {}, target, (("nixpkgs", target), ("u", "/u")))
        return overrides(command.evaluate_flake(".", None, EvaluationRequest(), context))

    assert evaluate("/a b/set") == [("nixpkgs", "path:/a%20b/set"), ("u", "path:/u")]
    assert evaluate("github:o/r") == [("nixpkgs", "github:o/r"), ("u", "path:/u")]
    # The user's own word is the last one.
    assert evaluate("/set", ("u", "github:my/own"), ("more", "/more")) == [
        ("nixpkgs", "path:/set"),
        ("u", "github:my/own"),
        ("more", "path:/more"),
    ]


def test_the_link_is_the_one_that_is_wanted() -> None:
    argv = command.realise(["/a.drv!out", "/b.drv!dev"], Path("my link"), Context(NixOptions(), {}))
    assert argv[:3] == ["nix-build", "/a.drv!out", "/b.drv!dev"]
    assert pairs(argv, "--out-link") == ["my link"]


def test_building_again_takes_what_the_build_took_and_makes_no_link() -> None:
    argv = command.realise_again([Path("/a.drv")], Context(EVERYTHING, {"sandbox": "true"}))
    assert argv[:4] == ["nix-store", "--realise", "/a.drv", "--check"]
    assert pairs(argv, "--option") == ["sandbox", "cores", "sandbox"]
    assert "--add-root" not in argv
    assert "--check" not in command.realise_again([Path("/a.drv")], Context(EVERYTHING, {}), compare=False)
