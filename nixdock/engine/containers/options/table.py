"""docker's options for a container, one a row: its words, and what it writes into the request.

The command line, its help and the request are all made from this table, and so are the keys of check files,
which write the options in Compose's words; the next option is one row.
Rows are applied in this order, so that `-e` overrides `--env-file`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.options import mappings, values, writers
from nixdock.engine.containers.options.writers import append, merge, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.engine.containers.options.writers import Write


@dataclass(frozen=True, slots=True)
class DockerOption:
    """One option.

    Args:
        shown: Its words as docker's messages write them, the short one first: `-e, --env`.
        write: Writes one value into the request; raises ValueError with docker's sentence.
        metavar: What the help calls its value; None for a switch.
        help: One sentence for the help.
        many: Whether it may be given several times; otherwise the last one counts.
        aliases: Further words that the help does not show.
    """

    shown: str
    write: Write
    metavar: str | None
    help: str
    many: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """Its words, the short one first."""
        return tuple(self.shown.split(", "))

    @property
    def name(self) -> str:
        """What it is called everywhere within: docker's long word, `env-file`."""
        return self.flags[-1].removeprefix("--")

    @property
    def parameter(self) -> str:
        """The same as the command line's parameter: `env_file`."""
        return self.name.replace("-", "_")


_one = DockerOption
_many = partial(DockerOption, many=True)


def _switch(shown: str, write: Write, text: str) -> DockerOption:
    return DockerOption(shown, write, None, text)


def _mode(shown: str, key: str, kind: str, text: str, *words: str) -> DockerOption:
    write = writers.write_mode(key, f"{shown}: invalid {kind} mode", *words)
    return DockerOption(shown, write, "MODE", text)


def _natural(shown: str, path: str, parse: Callable[[str], int], metavar: str, text: str) -> DockerOption:
    return DockerOption(shown, put(path, values.not_negative(shown, parse)), metavar, text)


OPTIONS: Final = (
    _many("--env-file", writers.write_variables, "FILE", "Set environment variables from a file."),
    _many("-e, --env", writers.write_variable, "NAME[=VALUE]", "Set an environment variable."),
    _many(
        "-p, --publish",
        writers.write_published,
        "[[IP:]PORT:]PORT",
        "Publish a port of the container on the engine's host.",
    ),
    _switch("-P, --publish-all", put("Host.PublishAllPorts", bool), "Publish every exposed port."),
    _many("--expose", writers.write_exposed, "PORT", "Expose a port."),
    _many("-v, --volume", writers.write_volume, "[SOURCE:]TARGET[:ro]", "Mount a volume or directory."),
    _many("--mount", writers.write_mount, "type=...,source=...", "Mount a file system."),
    _many(
        "--tmpfs",
        merge("Host.Tmpfs", mappings.parse_tmpfs),
        "TARGET[:OPTIONS]",
        "Mount a file system in memory.",
    ),
    _many("--volumes-from", append("Host.VolumesFrom"), "CONTAINER", "Mount its volumes too."),
    _one("--volume-driver", put("Host.VolumeDriver"), "NAME", "Driver of the volumes."),
    _one("-u, --user", put("User"), "USER[:GROUP]", "User, by name or number."),
    _many("--group-add", append("Host.GroupAdd"), "GROUP", "Add a group to the user's."),
    _one("-w, --workdir", put("WorkingDir"), "DIRECTORY", "Working directory in the container."),
    _one("--name", put("Own.Name"), "NAME", "Name of the container."),
    _many("--label-file", writers.write_labels, "FILE", "Label the container from a file."),
    _many("-l, --label", merge("Labels", values.parse_pair), "NAME[=VALUE]", "Label the container."),
    _many("--annotation", merge("Host.Annotations", values.parse_pair), "NAME=VALUE", "Annotate it."),
    _one("--network", writers.write_network, "NETWORK", "Network to connect to.", aliases=("--net",)),
    _many(
        "--network-alias",
        append("Endpoint.Aliases"),
        "NAME",
        "Name in that network.",
        aliases=("--net-alias",),
    ),
    _one("--ip", writers.write_ip, "ADDRESS", "IPv4 address in that network."),
    _one("--ip6", writers.write_ip, "ADDRESS", "IPv6 address in that network."),
    _one(
        "--mac-address",
        put("Endpoint.MacAddress", values.parse_mac),
        "ADDRESS",
        "Address of its network card.",
    ),
    _one("-h, --hostname", put("Hostname"), "NAME", "Host name in the container."),
    _one("--domainname", put("Domainname"), "NAME", "Domain name in the container."),
    _many("--add-host", append("Host.ExtraHosts", values.parse_host), "NAME:IP", "Add to its hosts."),
    _many("--dns", append("Host.Dns", values.parse_address), "IP", "Name server."),
    _many("--dns-search", append("Host.DnsSearch", values.parse_domain), "DOMAIN", "Search in it."),
    _many("--dns-option", append("Host.DnsOptions"), "OPTION", "Resolver option.", aliases=("--dns-opt",)),
    _one(
        "--entrypoint", writers.write_entry_point, "PROGRAM", "Run this instead of the image's entry point."
    ),
    _switch("--init", put("Host.Init", bool), "Run a small init as process 1."),
    _one("--platform", put("Own.Platform"), "OS/ARCH", "Platform that the image must be for."),
    _one("--runtime", put("Host.Runtime"), "NAME", "Runtime of the engine to use."),
    _switch("--read-only", put("Host.ReadonlyRootfs", bool), "Mount the image read-only."),
    _switch("--privileged", put("Host.Privileged", bool), "Give it all privileges."),
    _many("--cap-add", append("Host.CapAdd", values.parse_capability), "CAPABILITY", "Add one."),
    _many("--cap-drop", append("Host.CapDrop", values.parse_capability), "CAPABILITY", "Drop one."),
    _many("--security-opt", writers.write_security, "OPTION", "Security option."),
    _many("--sysctl", merge("Host.Sysctls", values.parse_sysctl), "NAME=VALUE", "Set a kernel setting."),
    _many("--device", writers.write_device, "PATH[:PATH][:rwm]", "Give it a device of the host."),
    _many(
        "--device-cgroup-rule",
        append("Host.DeviceCgroupRules", values.parse_device_rule),
        "RULE",
        "Allow devices.",
    ),
    _one("--gpus", append("Host.DeviceRequests", values.parse_gpus), "all|N", "Give it GPUs."),
    _one("-m, --memory", put("Host.Memory", values.parse_size), "SIZE", "Limit of memory, such as 512m."),
    _one("--memory-swap", put("Host.MemorySwap", values.parse_swap), "SIZE", "Memory and swap; -1 no limit."),
    _one(
        "--memory-reservation",
        put("Host.MemoryReservation", values.parse_size),
        "SIZE",
        "Soft limit of memory.",
    ),
    _one(
        "--memory-swappiness", put("Host.MemorySwappiness", values.parse_whole), "N", "Swappiness, 0 to 100."
    ),
    _switch("--oom-kill-disable", put("Host.OomKillDisable", bool), "Never kill it for want of memory."),
    _one("--oom-score-adj", put("Host.OomScoreAdj", values.parse_whole), "N", "Whom the kernel kills first."),
    _one("--shm-size", put("Host.ShmSize", values.parse_size), "SIZE", "Size of /dev/shm."),
    _one("--pids-limit", put("Host.PidsLimit", values.parse_whole), "N", "Limit of processes; -1 none."),
    _many("--ulimit", append("Host.Ulimits", values.parse_ulimit), "NAME=SOFT[:HARD]", "Limit of a process."),
    _one("--cpus", put("Host.NanoCpus", values.parse_cpus), "N", "Number of processors, such as 1.5."),
    _one("-c, --cpu-shares", put("Host.CpuShares", values.parse_whole), "N", "Share of processors."),
    _one("--cpu-period", put("Host.CpuPeriod", values.parse_whole), "N", "Scheduler's period in µs."),
    _one("--cpu-quota", put("Host.CpuQuota", values.parse_whole), "N", "Time in that period in µs."),
    _one("--cpuset-cpus", put("Host.CpusetCpus"), "LIST", "Processors to run on, such as 0-2."),
    _one("--cpuset-mems", put("Host.CpusetMems"), "LIST", "Memory nodes to use."),
    _one(
        "--blkio-weight", put("Host.BlkioWeight", values.parse_whole), "N", "Share of the disks, 10 to 1000."
    ),
    _one("--cgroup-parent", put("Host.CgroupParent"), "PATH", "Parent of its control group."),
    _mode(
        "--cgroupns",
        "CgroupnsMode",
        "CGROUP",
        "Control group name space: host or private.",
        "host",
        "private",
        "",
    ),
    _one("--ipc", put("Host.IpcMode"), "MODE", "IPC name space."),
    _mode("--pid", "PidMode", "PID", "Process name space: host or container:NAME.", "host", "container:", ""),
    _mode("--uts", "UTSMode", "UTS", "UTS name space.", "host", ""),
    _mode("--userns", "UsernsMode", "USER", "User name space.", "host", ""),
    _one("--stop-signal", put("StopSignal"), "SIGNAL", "Signal that asks it to end."),
    _one("--stop-timeout", put("StopTimeout", values.parse_whole), "SECONDS", "How long it may take to end."),
    _one("--restart", put("Host.RestartPolicy", values.parse_restart), "POLICY", "Restart policy, with -d."),
    _one("--log-driver", put("Host.LogConfig.Type"), "NAME", "Driver of its log."),
    _many(
        "--log-opt", merge("Host.LogConfig.Config", values.parse_pair), "NAME=VALUE", "Option of that driver."
    ),
    _many(
        "--storage-opt",
        merge("Host.StorageOpt", values.parse_storage),
        "NAME=VALUE",
        "Option of the storage driver.",
    ),
    _one(
        "--health-cmd",
        writers.write_health_command,
        "COMMAND",
        "Shell command that tells whether it is healthy.",
    ),
    _natural("--health-interval", "Health.Interval", values.parse_duration, "TIME", "Time between probes."),
    _natural("--health-timeout", "Health.Timeout", values.parse_duration, "TIME", "Limit of a probe."),
    _natural(
        "--health-start-period",
        "Health.StartPeriod",
        values.parse_duration,
        "TIME",
        "Time to start in, without counting failures.",
    ),
    _natural(
        "--health-start-interval",
        "Health.StartInterval",
        values.parse_duration,
        "TIME",
        "Time between probes while it starts.",
    ),
    _natural(
        "--health-retries",
        "Health.Retries",
        values.parse_whole,
        "N",
        "Failures in a row that make it unhealthy.",
    ),
    _switch("--no-healthcheck", writers.write_no_health, "Switch the image's health check off."),
)

_SAME_IN_COMPOSE: Final = (
    *("blkio-weight", "cap-add", "cap-drop", "cgroup-parent", "cpu-shares", "cpus", "dns", "dns-search"),
    *("domainname", "env-file", "expose", "group-add", "hostname", "init", "ipc", "oom-score-adj", "pid"),
    *("pids-limit", "platform", "privileged", "read-only", "runtime", "security-opt", "shm-size"),
    *("stop-signal", "tmpfs", "user", "uts"),
)
_OTHER_IN_COMPOSE: Final = {
    "add-host": "extra_hosts",
    "cpuset-cpus": "cpuset",
    "device": "devices",
    "dns-option": "dns_opt",
    "env": "environment",
    "label": "labels",
    "memory": "mem_limit",
    "memory-reservation": "mem_reservation",
    "memory-swap": "memswap_limit",
    "mount": "mounts",
    "network": "network_mode",
    "publish": "ports",
    "sysctl": "sysctls",
    "ulimit": "ulimits",
    "userns": "userns_mode",
    "volume": "volumes",
    "workdir": "working_dir",
}

COMPOSE: Final = {
    _OTHER_IN_COMPOSE.get(option.name, option.parameter): option
    for option in OPTIONS
    if option.name in (*_SAME_IN_COMPOSE, *_OTHER_IN_COMPOSE)
}
"""The options that check files may give, by what Compose calls them."""


def find_name(word: str) -> str:
    """Return the name of an option that is written as a Python name, or as docker writes it."""
    return word.replace("_", "-")
