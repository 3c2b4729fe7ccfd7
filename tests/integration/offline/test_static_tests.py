"""`nixdock.lib.staticTests`: what needs no engine, as a derivation that Nix builds in its sandbox."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

    from integration.offline.conftest import Images

IMAGE = """
(dockerTools.{builder} {{
  name = "tested";
  {contents} = [ pkgs.hello ];
  config.Cmd = [ "/bin/hello" ];
}}) // {{
  nixdock.ready.tcp = 80;
  nixdock.checks = {{
    greeter = {{ file = "/bin/hello"; exists = {exists}; }};
    command = {{ config.Cmd = [ "/bin/hello" ]; }};
    slim = {{ closure.forbid = [ "gcc-*" ]; }};
    whole = {{ closure.complete = true; }};
    sound = {{ lint = {{ }}; }};
    pattern = {{ file = "/bin/hello"; content = {{ matches = "Hello, w[a-z]+!"; }}; }};
    runs = {{ run = [ ]; }};
    serves = {{ http = "/"; }};
  }};
}}
"""


def build_tests(images: Images, builder: str, *, exists: str = "true") -> subprocess.CompletedProcess[str]:
    contents = "copyToRoot" if builder == "buildImage" else "contents"
    image = IMAGE.format(builder=builder, contents=contents, exists=exists)
    file = images.write(f"(import <nixdock> {{ inherit pkgs; }}).lib.staticTests ({image})", "tests.nix")
    build = f"nix-build --no-out-link {file} -I nixdock=$(nixdock library)"
    # What is built already has its log all the same.
    return images.by_hand(f"path=$({build})\necho $path\nnix-store --read-log $path >&2")


@pytest.mark.parametrize("builder", ["buildImage", "buildLayeredImage", "streamLayeredImage"])
def test_what_holds_is_built_and_what_needs_an_engine_is_skipped(images: Images, builder: str) -> None:
    done = build_tests(images, builder)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"/nix/store/\S+-tested-static-tests\n", done.stdout)
    for name in ("greeter", "command", "slim", "whole", "sound", "pattern"):
        assert re.search(rf"^PASS +{name} ", done.stderr, re.MULTILINE), done.stderr
    for name in ("runs", "serves"):
        assert re.search(rf"^SKIP +{name} +it needs an engine", done.stderr, re.MULTILINE)


def test_what_does_not_hold_fails_the_build_and_the_log_says_why(images: Images) -> None:
    done = build_tests(images, "buildLayeredImage", exists="false")
    assert done.returncode != 0
    assert re.search(r"^FAIL +greeter ", done.stderr, re.MULTILINE)
    assert "exists: /bin/hello is in the image: a symlink to /nix/store/" in done.stderr
