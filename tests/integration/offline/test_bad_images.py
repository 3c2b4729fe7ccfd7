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
            'buildImage { name = "a"; config.Cmd = "${pkgs.hello}/bin/hello"; }',
            'config.Cmd must be a list of strings, such as [ "/bin/hello" "-t" ], but it is a string',
        ),
        (
            'buildLayeredImage { name = "a"; config.Entrypoint = "/bin/sh"; }',
            "config.Entrypoint must be a list of strings",
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
