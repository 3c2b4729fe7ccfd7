"""Files for container-structure-test, judged by the real program and by nixdock on one engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.structure_tests import CRASHES, Case, cases, differences

if TYPE_CHECKING:
    from integration.structure_test.conftest import Judges


@pytest.mark.slow
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_verdicts_are_those_of_the_original(case: Case, judges: Judges) -> None:
    theirs = judges.original(case)
    if case.name in CRASHES:
        assert theirs is None
        return
    usual = judges.nixdock(case)
    if case.name in differences():
        assert usual != theirs
        assert usual == differences()[case.name].verdicts
    else:
        assert usual == theirs


def test_nothing_is_left_behind(judges: Judges) -> None:
    label = "label=io.nixdock.run"
    assert not judges.engine.docker("ps", "-aq", "--filter", label).split()
    assert not judges.engine.docker("images", "-aq", "--filter", label).split()
    assert not judges.engine.docker("volume", "ls", "-q", "--filter", label).split()
