"""References are read as docker reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.image.reference import Digest, Reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("hello", "docker.io/library/hello:latest", "hello:latest"),
        ("hello:abc", "docker.io/library/hello:abc", "hello:abc"),
        ("docker.io/library/hello:abc", "docker.io/library/hello:abc", "hello:abc"),
        ("index.docker.io/someone/hello", "docker.io/someone/hello:latest", "someone/hello:latest"),
        ("someone/hello", "docker.io/someone/hello:latest", "someone/hello:latest"),
        ("localhost/hello:1", "localhost/hello:1", "localhost/hello:1"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b:1", "localhost:5000/a/b:1"),
        ("ghcr.io/a/b__c", "ghcr.io/a/b__c:latest", "ghcr.io/a/b__c:latest"),
        (f"hello@{DIGEST}", f"docker.io/library/hello@{DIGEST}", f"hello@{DIGEST}"),
        (f"hello:1@{DIGEST}", f"docker.io/library/hello:1@{DIGEST}", f"hello:1@{DIGEST}"),
    ],
)
def test_reads_and_writes_both_forms(text: str, full: str, familiar: str) -> None:
    reference = Reference.parse(text)
    assert str(reference) == full
    assert reference.familiar == familiar


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", "''"),
        ("Hello", "'Hello'"),
        ("hello:", "''"),
        ("hello:.x", "'.x'"),
        ("hello:" + "x" * 129, "'" + "x" * 129 + "'"),
        ("a//b", "'a//b'"),
        ("a b", "'a b'"),
        ("-a", "'-a'"),
        ("ghcr.io/", "'ghcr.io/'"),
        ("hello@sha256:123", "'123'"),
        ("hello@md5:123", "'md5:123'"),
        ("a" * 256, "a" * 256),
    ],
)
def test_a_broken_rule_is_said_with_the_offending_part(text: str, quoted: str) -> None:
    with pytest.raises(ValueError, match=r"invalid|not a sha256") as caught:
        Reference.parse(text)
    assert quoted in str(caught.value)


@given(
    st.from_regex(
        r"([a-z0-9]{1,8}\.[a-z]{2,3}(:[0-9]{1,4})?/)?[a-z0-9]{1,9}(/[a-z0-9]{1,9})?(:[A-Za-z0-9_]{1,9})?",
        fullmatch=True,
    )
)
def test_both_forms_name_the_same_image(text: str) -> None:
    reference = Reference.parse(text)
    assert Reference.parse(reference.familiar) == reference
    assert Reference.parse(str(reference)) == reference


def test_digests_of_the_specification() -> None:
    assert str(Digest.of(b"")) == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("text", "storeless"),
    [
        ("hello:1", "nixdock.invalid/host-store/hello:1"),
        ("someone/hello", "nixdock.invalid/host-store/someone/hello:latest"),
        ("localhost:5000/a/b:1", "nixdock.invalid/host-store/localhost__5000/a/b:1"),
        ("ghcr.io/a/b__c", "nixdock.invalid/host-store/ghcr.io/a/b__c:latest"),
        ("ghcr.io/a/b__1/c", "nixdock.invalid/host-store/ghcr.io/a/b__1/c:latest"),
    ],
)
def test_an_image_without_its_store_paths_has_a_name_of_its_own_that_leads_back(
    text: str, storeless: str
) -> None:
    reference = Reference.parse(text)
    assert reference.storeless is not None
    assert reference.storeless.familiar == storeless
    assert reference.storeless.whole == Reference.parse(text)
    assert reference.whole == reference


def test_a_name_that_fits_into_no_other_has_none_without_its_store_paths() -> None:
    assert Reference.parse("[::1]:5000/a").storeless is None
    assert Reference.parse("a" * 247).storeless is None
    odd = Reference.parse("nixdock.invalid/host-store/a_b__5000/c:1")
    assert odd.whole == odd
