"""Memory of a control group, whatever its name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nixdock.checks.running.memory import read_group_memory

if TYPE_CHECKING:
    from pathlib import Path


def test_a_group_whose_name_is_no_text_is_read(tmp_path: Path) -> None:
    group = tmp_path / "groups" / os.fsdecode(b"a\xffb")
    group.mkdir(parents=True)
    (group / "memory.current").write_text("3000\n")
    (group / "memory.stat").write_text("anon 1000\ninactive_file 500\n")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_bytes(b"0::/a\xffb\n")

    assert read_group_memory(7, tmp_path, tmp_path / "groups") == 2500
