"""What cannot be an image is refused with a sentence that says what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.offline.conftest import Images


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (
            'buildImage { name = "a"; contents = [ pkgs.hello ]; copyToRoot = [ pkgs.hello ]; }',
            "contents is the old name of copyToRoot; give one of the two",
        ),
        (
            'buildImage { name = "with space"; }',
            '"with space" is not a name that an image can have; it is made of letters',
        ),
        ('buildLayeredImage { name = "-a"; }', '"-a" is not a name that an image can have'),
        ('buildImage { name = "a:latest"; }', "and the tag is an argument of its own"),
        (
            'streamLayeredImage { name = "a"; tag = "-1"; }',
            '"-1" is not a tag that an image can have; it is made of up to 128 letters, digits and . _ -',
        ),
        (
            'buildImage { name = "a"; config.Cmd = { }; }',
            'config.Cmd must be a list of strings, such as [ "/bin/hello" "-t" ], but it is a set',
        ),
        ('buildImage { name = "a"; config.Cmd = [ 1 ]; }', "but one of it is a number"),
        (
            'buildImage { name = "a"; config.Env = { A = "1"; }; }',
            'config.Env must be a list of strings, such as [ "NAME=value" ], but it is a set',
        ),
        ('buildImage { name = "a"; config.Env = [ "A" ]; }', 'a list of "NAME=value", but it has "A"'),
        (
            'buildImage { name = "a"; config.ExposedPorts = [ "80/tcp" ]; }',
            'config.ExposedPorts must be a set, such as { "8080/tcp" = { }; }',
        ),
        (
            'buildImage { name = "a"; compressor = "lz4"; }',
            'compressor must be one of gz, none, zstd, but it is "lz4"',
        ),
        (
            'buildLayeredImage { name = "a"; compressor = "xz"; }',
            'compressor must be one of gz, none, zstd, but it is "xz"',
        ),
        ('streamLayeredImage { name = "a"; maxLayers = 1; }', "maxLayers must be greater than 1"),
        ('buildImage { name = "a"; created = "yesterday"; }', 'created must be "now" or a date such as'),
        (
            'buildImage { name = "a"; fromImage = pkgs.hello; fromImageName = "b"; }',
            "fromImageName and fromImageTag choose an image together; give both or none",
        ),
        ('buildImage { name = "a"; comand = 1; }', "argument 'comand'"),
        (
            'mergeImages [ (dockerTools.streamLayeredImage { name = "a"; }) ]',
            "is a script that streams one; use buildLayeredImage for it",
        ),
    ],
)
def test_a_wrong_argument_is_refused_while_evaluating(expression: str, sentence: str, images: Images) -> None:
    refused = images.refuse(f"dockerTools.{expression}")

    assert sentence in " ".join(refused.split())
    assert "built" not in refused


@pytest.mark.parametrize(
    ("expression", "place", "sentence"),
    [
        (
            'buildLayeredImage {\n  name = "a";\n  config = {\n    Env = { A = "1"; };\n  };\n}',
            "refused.nix:6:5: ",
            "buildLayeredImage: config.Env must be a list of strings",
        ),
        (
            'buildImageWithNixDb { name = [ "a" ]; }',
            "refused.nix:3:35: ",
            "buildImageWithNixDb: name must be a",
        ),
        ('streamLayeredImage { name = "a"; maxLayers = "5"; }', "refused.nix:3:46: ", 'but it is "5"'),
        (
            'buildImage { name = "a"; architecture = [ ]; }',
            "refused.nix:3:38: ",
            "architecture must be a string",
        ),
        (
            "buildNixShellImage { drv = 1; }",
            "refused.nix:3:34: ",
            "buildNixShellImage: drv must be a derivation",
        ),
        (
            'buildLayeredImageWithNixDb {\n  name = "a";\n  runAsRoot = "true";\n}',
            "refused.nix:5:3: ",
            "WithNixDb: there is no argument 'runAsRoot'; is it fakeRootCommands that is meant?",
        ),
        (
            'buildImage { name = "a"; Cmd = [ "/bin/a" ]; }',
            "refused.nix:3:38: ",
            "buildImage: there is no argument 'Cmd'; it is config.Cmd that is meant",
        ),
        ('buildLayeredImage { tag = "1"; }', "refused.nix:3:", "buildLayeredImage needs an argument 'name'"),
        (
            'pullImage { imageName = "a"; finalTag = "1"; imageDigest = "sha256:1"; hash = ""; }',
            "refused.nix:3:",
            "pullImage: there is no argument 'finalTag'",
        ),
    ],
)
def test_it_is_told_at_the_line_and_under_the_name_of_the_function(
    expression: str, place: str, sentence: str, images: Images
) -> None:
    refused = " ".join(images.refuse(f"dockerTools.{expression}").split())

    assert place in refused
    assert sentence in refused


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("config.User = 1000;", 'config.User must be a string, but it is a number; write "1000"'),
        ("config = [ ];", "config must be a set, such as"),
        ('config.ExposedPorts."80/tcp" = "x";', 'but its "80/tcp" is a string'),
        ("config.Labels.a = 1;", 'but its "a" is a number'),
        ('config.Healthcheck.Interval = "5s";', "config.Healthcheck.Interval must be a number"),
        ("tag = 1;", "tag must be a string, but it is 1"),
        (
            'copyToRoot = [ "hello" ];',
            'copyToRoot must be a package or a path, or a list of them, but it has "h',
        ),
        ("contents = [ [ pkgs.hello [ 5 ] ] ];", "or a list of them, but it has 5"),
        ("created = 1;", "created must be a string, but it is 1"),
        ('uid = "root";', 'uid must be a number, but it is "root"'),
        ("compressor = 1;", "compressor must be one of gz, none, zstd, but it is 1"),
        ('extraCommands = [ "a" ];', "extraCommands must be a string, but it is a list"),
        ("runAsRoot = true;", "runAsRoot must be a string, but it is a boolean"),
        ("fromImage = { };", "fromImage must be a package or a path, but it is a set"),
        (
            'fromImage = dockerTools.streamLayeredImage { name = "b"; };',
            "fromImage is a script that streams an image; give the archive",
        ),
    ],
)
def test_an_argument_of_a_wrong_type_is_refused(arguments: str, sentence: str, images: Images) -> None:
    refused = images.refuse(f'dockerTools.buildImage {{ name = "a"; {arguments} }}')

    assert "refused.nix:3:38: buildImage: " in refused
    assert sentence in " ".join(refused.split())


def test_what_docker_would_not_know_is_warned_of(images: Images) -> None:
    file = images.write(
        """
        dockerTools.buildLayeredImage {
          name = "warned";
          architecture = "x86_64";
          config = {
            Entrypoint = "${pkgs.hello}/bin/hello";
            cmd = [ "-g" "said" ];
            Workdir = "/";
            Foo = 1;
            Healthcheck.test = [ ];
          };
        }
        """
    )

    told = images.nixdock("build", "--no-out-link", file).stderr

    about = 'in buildLayeredImage of "warned": '
    assert told.count("warning: ") == told.count(about) == 6
    assert f'{about}architecture "x86_64" is none that Docker knows; it calls it "amd64"' in told
    assert f"{about}config.Entrypoint is a string, which Docker reads as a list of that one word;" in told
    assert f"{about}config.cmd is called Cmd; Docker takes it as it is" in told
    assert "config.Workdir is nothing that Docker knows, and has no effect; is it WorkingDir that" in told
    assert "config.Foo is nothing that Docker knows, and has no effect\n" in told
    assert "config.Healthcheck.test is called Test" in told


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (
            """
            buildLayeredImage {
              name = "a";
              maxLayers = 3;
              fromImage = dockerTools.examples.layersOrder;
              contents = [ pkgs.hello ];
            }
            """,
            "maxLayers = 3 is too small: 3 layers of the base image and one for the image's own files",
        ),
        (
            'buildImage { name = "a"; fromImage = pkgs.writeText "base.tar" "no archive"; }',
            "-base.tar is not an image archive",
        ),
        (
            """
            buildImage {
              name = "a";
              fromImage = pkgs.runCommandLocal "base.tar" { } "touch file; tar cf $out file";
            }
            """,
            "-base.tar is not an image archive: it has no manifest.json",
        ),
        (
            """
            buildImage {
              name = "a";
              fromImage = dockerTools.examples.bash;
              fromImageName = "zsh";
              fromImageTag = "latest";
            }
            """,
            "has no image zsh:latest; it has bash:latest",
        ),
        (
            'buildImage { name = "a"; extraCommands = "true\\nls /no/where\\ntrue"; }',
            "extraCommands failed with status 2 at line 2: ls /no/where",
        ),
        (
            'buildLayeredImage { name = "a"; fakeRootCommands = "mkdir x\\nrmdir x/y"; }',
            "fakeRootCommands failed with status 1 at line 2: rmdir x/y",
        ),
        (
            'buildLayeredImage { name = "a"; enableFakechroot = true; fakeRootCommands = "cat /nothing"; }',
            "fakeRootCommands failed with status 1 at line 1: cat /nothing",
        ),
        (
            'buildImage { name = "a"; runAsRoot = "false"; }',
            "runAsRoot failed with status 1 at line 1: false",
        ),
        (
            'buildImage { name = "a"; copyToRoot = pkgs.writeText "file" ""; }',
            "copyToRoot takes folders, whose contents become those of /, but /nix/store/",
        ),
        (
            'buildImage { name = "a"; copyToRoot = pkgs.buildEnv { name = "e"; paths = [ "/no/root" ]; }; }',
            "there is no /no/root; a folder beside the expression is given as ./NAME",
        ),
        (
            'streamLayeredImage { name = "a"; contents = [ pkgs.hello ]; layeringPipeline = [ [ "pop" ] ]; }',
            "layeringPipeline has no operation 'pop'; it has flatten, limit_layers, map",
        ),
    ],
)
def test_what_only_building_finds_ends_the_build_with_a_sentence(
    expression: str,
    sentence: str,
    images: Images,
) -> None:
    refused = images.refuse(f"dockerTools.{expression}")

    assert sentence in " ".join(refused.split())
    assert "Traceback" not in refused
