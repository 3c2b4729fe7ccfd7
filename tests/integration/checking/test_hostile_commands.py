"""Commands that try to speak, or to act, in the place of nixdock's agent or of one another.

The programs are Python's: the machine's own is mounted in the containers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.checking.conftest import Checker, SuiteResult
from support.layers import file, folder, link

PYTHON = [f"{path}:{path}:ro" for path in ("/usr", "/lib", "/lib64") if Path(path).exists()]

RUN = {"volumes": PYTHON, "pids_limit": 100}

PRELUDE = """
import ctypes, os, resource, signal, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def must_fail(what, *args):
    try:
        result = what(*args)
    except OSError as error:
        print(error.strerror)
    else:
        # What libc's own functions return on failure.
        print("it was allowed" if result != -1 else os.strerror(ctypes.get_errno()))
forged = struct.pack("<III", 0, 0, 8) + b"nixdock1"
forged += b"".join(struct.pack("<IIII", ident, 3, 4, 0) for ident in range(1, 200))
def forge(path):
    with open(path, "wb", buffering=0) as out:
        out.write(forged)
def leave(work):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                work()
        os._exit(0)
    time.sleep(0.05)
def others():
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
def kill_others():
    for pid in others():
        try:
            os.kill(pid, 9)
        except OSError:
            pass
def forge_others():
    for pid in others():
        for number in (1, 2):
            try:
                with open(f"/proc/{pid}/fd/{number}", "wb", buffering=0) as out:
                    out.write(b"forged")
            except OSError:
                pass
def quietly(work, *args):
    try:
        return work(*args)
    except OSError:
        pass
buffer = ctypes.create_string_buffer(64)
vector = struct.pack("PN", ctypes.addressof(buffer), 64)
"""

# What must be refused: the agent's own connection and memory.
REFUSED = {
    "forge an answer": "must_fail(forge, '/proc/1/fd/1')",
    "forge an answer as a thread": "must_fail(forge, '/proc/1/task/1/fd/1')",
    "forge by its stderr": "must_fail(forge, '/proc/1/fd/2')",
    "steal requests": "must_fail(os.open, '/proc/1/fd/0', os.O_RDONLY | os.O_NONBLOCK)",
    "give requests": "must_fail(os.open, '/proc/1/fd/0', os.O_WRONLY | os.O_NONBLOCK)",
    "follow its descriptors": "must_fail(os.readlink, '/proc/1/fd/1')",
    "write its memory": "must_fail(os.open, '/proc/1/mem', os.O_RDWR)",
    "trace it": "must_fail(libc.ptrace, 16, 1, 0, 0)",
    "seize it": "must_fail(libc.ptrace, 0x4206, 1, 0, 0)",
    "write its memory at once": "must_fail(libc.process_vm_writev, 1, vector, 1, vector, 1, 0)",
    "read its memory": "must_fail(libc.process_vm_readv, 1, vector, 1, vector, 1, 0)",
    "take its descriptor": "must_fail(libc.syscall, 438, os.pidfd_open(1), 1, 0)",
    "read its memory's map": "must_fail(lambda: open('/proc/1/maps').read(1))",
    "enter its namespace": "must_fail(libc.setns, os.pidfd_open(1), 0x20000000)",
}

# What the kernel allows, or what is left running: it must not reach another check.
ALLOWED = {
    "signals": "for number in range(1, 65): quietly(os.kill, 1, number)",
    "a signal of its own making": (
        "info = struct.pack('iii4xii', 15, 0, -1, 0, 0) + bytes(104)\n"
        "libc.syscall(129 if os.uname().machine == 'x86_64' else 138, 1, 15, info)"
    ),
    "kill all": "libc.kill(-1, 9)",
    "stop all": "leave(lambda: libc.kill(-1, 19))",
    "a killer left": "leave(kill_others)",
    "a forger left": "leave(forge_others)",
    "a tracer left": "leave(lambda: [libc.ptrace(0x4206, pid, 0, 0) for pid in others()])",
    # Few at a time, for the machine is not ours alone; each has a number that no kill has seen yet.
    "forks left": "[leave(lambda: quietly(os.fork) and os._exit(0)) for _ in range(5)]",
    "no file": "quietly(resource.prlimit, 1, resource.RLIMIT_NOFILE, (0, 0))",
    "no size": "quietly(resource.prlimit, 1, resource.RLIMIT_FSIZE, (0, 0))",
    "no memory": "quietly(resource.prlimit, 1, resource.RLIMIT_AS, (0, 0))",
    "no process": "quietly(resource.prlimit, 1, resource.RLIMIT_NPROC, (0, 0))",
    "no time": "quietly(resource.prlimit, 1, resource.RLIMIT_CPU, (0, 0))",
    "the last in the schedule": "quietly(os.setpriority, os.PRIO_PROCESS, 1, 19)",
    "idle in the schedule": "quietly(os.sched_setscheduler, 1, os.SCHED_IDLE, os.sched_param(0))",
    "the first to be killed": "quietly(lambda: open('/proc/1/oom_score_adj', 'w').write('1000'))",
    "another agent": "quietly(os.rename, '/.nixdock/agent', '/.nixdock/other')",
    "no agent": "quietly(os.unlink, '/.nixdock/agent')",
    "its own output": "forge('/dev/stdout')",
}

# What an innocent command says that sees its own limits and place, and that it can write.
INNOCENT = "exec 3>/tmp/mine.$$; echo data >&3; sleep 0.1; ulimit -n; echo well"


def _program(script: str) -> list[str]:
    return ["/usr/bin/python3", "-I", "-c", PRELUDE + script]


def _innocents(user: str, number: int) -> dict[str, dict[str, Any]]:
    return {
        f"{user} wrong {number}": {"exec": ["sh", "-c", "sleep 0.1; exit 7"], "user": user},
        f"{user} right {number}": {
            "exec": ["sh", "-c", INNOCENT],
            "user": user,
            "stdout": {"matches": "^[1-9][0-9]+\nwell\n$"},
        },
    }


def _assert_innocents_are_judged(checked: SuiteResult) -> None:
    statuses = checked.statuses()
    assert checked.status == 1, checked.run.stderr
    assert "Traceback" not in checked.run.stderr
    wrong = {name: checked.said(name) for name in statuses if " wrong " in name}
    assert {name: said for name, said in wrong.items() if statuses[name] != "FAIL" or "7" not in said} == {}
    right = {name: checked.said(name) for name in statuses if " right " in name}
    assert {name: said for name, said in right.items() if statuses[name] != "PASS"} == {}


def test_no_command_reaches_the_agent(any_check: Checker) -> None:
    script = "".join(f"print({name!r}, end=': ', flush=True)\n{line}\n" for name, line in REFUSED.items())
    checks: dict[str, dict[str, Any]] = {}
    for user in ("root", "web"):
        expected = {"lines": {"count": len(REFUSED), "every": {"matches": ": .*(denied|not permitted)"}}}
        checks |= _innocents(user, 0)
        checks[user] = {"exec": _program(script), "user": user, "stdout": expected}
        checks |= _innocents(user, 1)

    checked = any_check(checks, "--parallel", "3", run=RUN)

    _assert_innocents_are_judged(checked)
    assert (checked["root"]["status"], checked["web"]["status"]) == ("PASS", "PASS"), checked.run.stdout


@pytest.mark.sampled(2)
@pytest.mark.parametrize("user", ["root", "web"])
def test_what_a_command_does_or_leaves_reaches_no_other(check: Checker, user: str) -> None:
    checks: dict[str, dict[str, Any]] = {}
    for number, (name, script) in enumerate(ALLOWED.items()):
        checks[f"{user}: {name}"] = {"exec": _program(script), "user": user, "timeout": "2s"}
        checks |= _innocents(user, number)

    _assert_innocents_are_judged(check(checks, "--parallel", "3", run=RUN))


MORE_RIGHTS: dict[str, dict[str, Any]] = {
    "a capability": {"cap_add": ["SYS_PTRACE"]},
    "the host's processes": {"pid": "host"},
}


@pytest.mark.parametrize("settings", MORE_RIGHTS.values(), ids=MORE_RIGHTS)
def test_commands_with_more_rights_get_a_container_each(check: Checker, settings: dict[str, Any]) -> None:
    forge = "echo nonsense of no agent > /proc/$PPID/fd/1; exec sleep 1000"
    checks = {
        "marks": {"exec": ["touch", "/mark"]},
        "alone": {"exec": ["ls", "/mark"], "exit": 1},
        "forges": {"exec": ["sh", "-c", forge], "timeout": "5s"},
        "wrong": {"exec": ["sh", "-c", "exit 7"]},
    }

    checked = check(checks, "--parallel", "1", run=settings)

    assert "Traceback" not in checked.run.stderr
    expected = {"marks": "PASS", "forges": "", "wrong": "FAIL", "alone": "PASS"}
    assert {**checked.statuses(), "forges": ""} == expected
    if "cap_add" in settings:
        assert "the agent says something unknown" in checked.said("forges")
        assert checked["forges"]["status"] == "ERROR"


LIAR = b"""#!/bin/sh
printf '\\0\\0\\0\\0\\0\\0\\0\\0\\10\\0\\0\\0nixdock1'
printf '\\1\\0\\0\\0\\3\\0\\0\\0\\4\\0\\0\\0\\0\\0\\0\\0'
exec sleep 1000
"""
DISGUISES = {
    "a program": [folder(".nixdock"), file(".nixdock/agent", LIAR, 0o755)],
    "a link": [file("bin/liar", LIAR, 0o755), folder(".nixdock"), link(".nixdock/agent", "/bin/liar")],
    "a folder": [folder(".nixdock"), folder(".nixdock/agent"), file(".nixdock/agent/x", b"")],
    "a link to a folder": [folder("else"), file("else/agent", LIAR, 0o755), link(".nixdock", "else")],
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("disguise", DISGUISES)
def test_an_image_cannot_bring_an_agent_of_its_own(any_check: Checker, disguise: str) -> None:
    name = f"nixdock-liar-{disguise.replace(' ', '-')}:1"
    image = any_check.make_image(name, DISGUISES[disguise], Volumes={"/.nixdock": {}})

    checked = any_check({"wrong": {"exec": ["sh", "-c", "exit 7"]}}, image=image)

    assert checked.statuses() == {"wrong": "FAIL"}, checked.run.stdout
    assert "7" in checked.said("wrong")


def test_an_init_of_the_engines_does_not_stand_before_the_agent(check: Checker) -> None:
    checked = check(
        {
            "forges": {"exec": ["sh", "-c", "echo nonsense > /proc/1/fd/1"], "exit": 1},
            "first": {"exec": ["sh", "-c", 'echo "$PPID"'], "stdout": "1\n"},
        },
        run={"init": True},
    )

    assert checked.statuses() == {"forges": "PASS", "first": "PASS"}, checked.run.stdout
