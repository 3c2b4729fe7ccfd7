"""What a build changes, and what it does not."""

from __future__ import annotations

import pytest

from nixdock.checks.masking import stable_name, stable_names

HASH = "gpxm7vm82snfwsk054zq15hkkmyjabhb"
OTHER = "h5jlf4ahqpdhs6zg9if9qkvnj7lj0553"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"

NAMES = [
    (f"hello-docker:{HASH}", "hello-docker"),
    (f"registry.example:5000/team/app:{HASH}", "registry.example:5000/team/app"),
    (f"app@{DIGEST}", "app"),
    (f"app:1.2@{DIGEST}", "app:1.2"),
    (f"app:{HASH}@{DIGEST}", "app"),
    (DIGEST, "image"),
    (DIGEST.removeprefix("sha256:"), "image"),
    (f"/nix/store/{HASH}-docker-image-app.tar.gz", "docker-image-app.tar.gz"),
    (f"/nix/store/{HASH}-checks/app.yaml", "checks/app.yaml"),
    # What people choose is theirs to change.
    ("web:1", "web:1"),
    ("web:latest", "web:latest"),
    ("web", "web"),
    (f"web:v{HASH}", f"web:v{HASH}"),
    (f"web:{HASH}-dev", f"web:{HASH}-dev"),
    (f"web-{HASH}", f"web-{HASH}"),
    (f"web:{'e' * 32}", f"web:{'e' * 32}"),
    ("localhost:5000/web", "localhost:5000/web"),
    ("", ""),
]


@pytest.mark.parametrize(("reference", "name"), NAMES)
def test_a_name_keeps_all_but_what_a_build_changes(reference: str, name: str) -> None:
    assert stable_name(reference) == name


def test_two_images_of_one_name_are_told_apart_in_their_order() -> None:
    assert stable_names([f"a:{HASH}", "b:1", f"a:{OTHER}", f"a:{HASH}"]) == {
        f"a:{HASH}": "a",
        "b:1": "b:1",
        f"a:{OTHER}": "a (2)",
    }
