"""Where nixdock's verdicts differ from the original's, and why: only where the original has a fault.

README.md in this folder shows the same table. With `--strict-compat` none of these differences is
there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Divergence:
    """One difference.

    Args:
        name: What it is called.
        theirs: What the original does.
        ours: What nixdock does.
    """

    name: str
    theirs: str
    ours: str


DIVERGENCES = (
    Divergence(
        "relative-link",
        "The content of a file behind a relative symbolic link is looked for from the root, and not found.",
        "Links are followed as the kernel follows them, within the image.",
    ),
    Divergence(
        "special-file",
        "Devices, FIFOs and sockets are never there: a test that wants one fails, and that it must be "
        "absent holds.",
        "They are there.",
    ),
    Divergence(
        "circular-link",
        "A symbolic link that leads to itself is not there.",
        "The link is there; only what it leads to is not.",
    ),
    Divergence(
        "parent-path",
        "A path that ends in `..` is never there.",
        "It is the folder above.",
    ),
    Divergence(
        "linked-documents",
        "A licence test with `debian` looks at nothing, and passes, where /usr/share/doc is a symbolic link.",
        "The link is followed.",
    ),
    Divergence(
        "port-protocol",
        "In `exposedPorts` and `unexposedPorts` a port with its protocol, `8080/tcp`, is never found.",
        "It is found.",
    ),
    Divergence(
        "dropped-variables",
        "`envVars` of a command test are dropped as soon as any of the containerRunOptions is given.",
        "They are set, and what containerRunOptions sets comes on top.",
    ),
    Divergence(
        "ignored-capabilities",
        "`capabilities` are sent in a field that engines have ignored since Docker 20.10.",
        "They are added.",
    ),
    Divergence(
        "terminal-output",
        "With `allocateTty` short output is lost, and any other is an error.",
        "The output is read; it is all standard output, as on any terminal.",
    ),
    Divergence(
        "empty-variable",
        "A name in containerRunOptions.envVars whose variable is empty makes engines refuse the container.",
        "The variable is passed on, empty. One that is not set at all fails the test.",
    ),
    Divergence(
        "silent-faults",
        "In version 1.0.0 a test without a name or command, or whose setup cannot be run, is left out "
        "without a word in the report.",
        "It fails, as in version 2.0.0.",
    ),
    Divergence(
        "late-merge",
        "In YAML `<<` overrides the keys that stand before it.",
        "A mapping's own keys win wherever they stand, as YAML has it.",
    ),
    Divergence(
        "internal-keys",
        "`driverargs` and `driverimpl`, fields of the program's own, are taken for keys.",
        "They are unknown keys.",
    ),
    Divergence(
        "repeated-keys",
        "In JSON a key that stands twice is mixed with the first one.",
        "The file cannot be read; the message says where.",
    ),
    Divergence(
        "unreadable-file",
        "A file that cannot be read counts as one failed test without a name.",
        "It is an ERROR under the name of the file, with the position in it.",
    ),
)
