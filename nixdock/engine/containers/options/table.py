"""docker's options for a container, one a row: its words, and what it writes into the request.

The command line, its help and the request are all made from this table, and so are the keys of check files,
which write the options in Compose's words; the next option is one row.
Rows are applied in this order, so that `-e` overrides `--env-file`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.options import mappings, values, writers
from nixdock.engine.containers.options.writers import append, merge, put

if TYPE_CHECKING:
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


OPTIONS: Final = (
    DockerOption(
        "--env-file", writers.write_variables, "FILE", "Set environment variables from a file.", many=True
    ),
    DockerOption(
        "-e, --env", writers.write_variable, "NAME[=VALUE]", "Set an environment variable.", many=True
    ),
    DockerOption(
        "-p, --publish",
        writers.write_published,
        "[[IP:]PORT:]PORT",
        "Publish a port of the container on the engine's host.",
        many=True,
    ),
    DockerOption("-P, --publish-all", put("Host.PublishAllPorts", bool), None, "Publish every exposed port."),
    DockerOption("--expose", writers.write_exposed, "PORT", "Expose a port.", many=True),
    DockerOption(
        "-v, --volume",
        writers.write_volume,
        "[SOURCE:]TARGET[:ro]",
        "Mount a volume or directory.",
        many=True,
    ),
    DockerOption("--mount", writers.write_mount, "type=...,source=...", "Mount a file system.", many=True),
    DockerOption(
        "--tmpfs",
        merge("Host.Tmpfs", mappings.parse_tmpfs),
        "TARGET[:OPTIONS]",
        "Mount a file system in memory.",
        many=True,
    ),
    DockerOption(
        "--volumes-from", append("Host.VolumesFrom"), "CONTAINER", "Mount its volumes too.", many=True
    ),
    DockerOption("--volume-driver", put("Host.VolumeDriver"), "NAME", "Driver of the volumes."),
    DockerOption("-u, --user", put("User"), "USER[:GROUP]", "User, by name or number."),
    DockerOption("--group-add", append("Host.GroupAdd"), "GROUP", "Add a group to the user's.", many=True),
    DockerOption("-w, --workdir", put("WorkingDir"), "DIRECTORY", "Working directory in the container."),
    DockerOption("--name", put("Own.Name"), "NAME", "Name of the container."),
    DockerOption("--label-file", writers.write_labels, "FILE", "Label the container from a file.", many=True),
    DockerOption(
        "-l, --label", merge("Labels", values.parse_pair), "NAME[=VALUE]", "Label the container.", many=True
    ),
    DockerOption(
        "--annotation", merge("Host.Annotations", values.parse_pair), "NAME=VALUE", "Annotate it.", many=True
    ),
    DockerOption("--network", writers.write_network, "NETWORK", "Network to connect to.", aliases=("--net",)),
    DockerOption(
        "--network-alias",
        append("Endpoint.Aliases"),
        "NAME",
        "Name in that network.",
        many=True,
        aliases=("--net-alias",),
    ),
    DockerOption("--ip", writers.write_ip, "ADDRESS", "IPv4 address in that network."),
    DockerOption("--ip6", writers.write_ip, "ADDRESS", "IPv6 address in that network."),
    DockerOption(
        "--mac-address",
        put("Endpoint.MacAddress", values.parse_mac),
        "ADDRESS",
        "Address of its network card.",
    ),
    DockerOption("-h, --hostname", put("Hostname"), "NAME", "Host name in the container."),
    DockerOption("--domainname", put("Domainname"), "NAME", "Domain name in the container."),
    DockerOption(
        "--add-host", append("Host.ExtraHosts", values.parse_host), "NAME:IP", "Add to its hosts.", many=True
    ),
    DockerOption("--dns", append("Host.Dns", values.parse_address), "IP", "Name server.", many=True),
    DockerOption(
        "--dns-search", append("Host.DnsSearch", values.parse_domain), "DOMAIN", "Search in it.", many=True
    ),
    DockerOption(
        "--dns-option",
        append("Host.DnsOptions"),
        "OPTION",
        "Resolver option.",
        many=True,
        aliases=("--dns-opt",),
    ),
    DockerOption(
        "--entrypoint", writers.write_entry_point, "PROGRAM", "Run this instead of the image's entry point."
    ),
    DockerOption("--init", put("Host.Init", bool), None, "Run a small init as process 1."),
    DockerOption("--platform", put("Own.Platform"), "OS/ARCH", "Platform that the image must be for."),
    DockerOption("--runtime", put("Host.Runtime"), "NAME", "Runtime of the engine to use."),
    DockerOption("--read-only", put("Host.ReadonlyRootfs", bool), None, "Mount the image read-only."),
    DockerOption("--privileged", put("Host.Privileged", bool), None, "Give it all privileges."),
    DockerOption(
        "--cap-add", append("Host.CapAdd", values.parse_capability), "CAPABILITY", "Add one.", many=True
    ),
    DockerOption(
        "--cap-drop", append("Host.CapDrop", values.parse_capability), "CAPABILITY", "Drop one.", many=True
    ),
    DockerOption("--security-opt", writers.write_security, "OPTION", "Security option.", many=True),
    DockerOption(
        "--sysctl",
        merge("Host.Sysctls", values.parse_sysctl),
        "NAME=VALUE",
        "Set a kernel setting.",
        many=True,
    ),
    DockerOption(
        "--device", writers.write_device, "PATH[:PATH][:rwm]", "Give it a device of the host.", many=True
    ),
    DockerOption(
        "--device-cgroup-rule",
        append("Host.DeviceCgroupRules", values.parse_device_rule),
        "RULE",
        "Allow devices.",
        many=True,
    ),
    DockerOption("--gpus", append("Host.DeviceRequests", values.parse_gpus), "all|N", "Give it GPUs."),
    DockerOption(
        "-m, --memory", put("Host.Memory", values.parse_size), "SIZE", "Limit of memory, such as 512m."
    ),
    DockerOption(
        "--memory-swap", put("Host.MemorySwap", values.parse_swap), "SIZE", "Memory and swap; -1 no limit."
    ),
    DockerOption(
        "--memory-reservation",
        put("Host.MemoryReservation", values.parse_size),
        "SIZE",
        "Soft limit of memory.",
    ),
    DockerOption(
        "--memory-swappiness", put("Host.MemorySwappiness", values.parse_whole), "N", "Swappiness, 0 to 100."
    ),
    DockerOption(
        "--oom-kill-disable", put("Host.OomKillDisable", bool), None, "Never kill it for want of memory."
    ),
    DockerOption(
        "--oom-score-adj", put("Host.OomScoreAdj", values.parse_whole), "N", "Whom the kernel kills first."
    ),
    DockerOption("--shm-size", put("Host.ShmSize", values.parse_size), "SIZE", "Size of /dev/shm."),
    DockerOption(
        "--pids-limit", put("Host.PidsLimit", values.parse_whole), "N", "Limit of processes; -1 none."
    ),
    DockerOption(
        "--ulimit",
        append("Host.Ulimits", values.parse_ulimit),
        "NAME=SOFT[:HARD]",
        "Limit of a process.",
        many=True,
    ),
    DockerOption(
        "--cpus", put("Host.NanoCpus", values.parse_cpus), "N", "Number of processors, such as 1.5."
    ),
    DockerOption("-c, --cpu-shares", put("Host.CpuShares", values.parse_whole), "N", "Share of processors."),
    DockerOption("--cpu-period", put("Host.CpuPeriod", values.parse_whole), "N", "Scheduler's period in µs."),
    DockerOption("--cpu-quota", put("Host.CpuQuota", values.parse_whole), "N", "Time in that period in µs."),
    DockerOption("--cpuset-cpus", put("Host.CpusetCpus"), "LIST", "Processors to run on, such as 0-2."),
    DockerOption("--cpuset-mems", put("Host.CpusetMems"), "LIST", "Memory nodes to use."),
    DockerOption(
        "--blkio-weight", put("Host.BlkioWeight", values.parse_whole), "N", "Share of the disks, 10 to 1000."
    ),
    DockerOption("--cgroup-parent", put("Host.CgroupParent"), "PATH", "Parent of its control group."),
    DockerOption(
        "--cgroupns",
        writers.write_mode("CgroupnsMode", "--cgroupns: invalid CGROUP mode", "host", "private", ""),
        "MODE",
        "Control group name space: host or private.",
    ),
    DockerOption("--ipc", put("Host.IpcMode"), "MODE", "IPC name space."),
    DockerOption(
        "--pid",
        writers.write_mode("PidMode", "--pid: invalid PID mode", "host", "container:", ""),
        "MODE",
        "Process name space: host or container:NAME.",
    ),
    DockerOption(
        "--uts",
        writers.write_mode("UTSMode", "--uts: invalid UTS mode", "host", ""),
        "MODE",
        "UTS name space.",
    ),
    DockerOption(
        "--userns",
        writers.write_mode("UsernsMode", "--userns: invalid USER mode", "host", ""),
        "MODE",
        "User name space.",
    ),
    DockerOption("--stop-signal", put("StopSignal"), "SIGNAL", "Signal that asks it to end."),
    DockerOption(
        "--stop-timeout", put("StopTimeout", values.parse_whole), "SECONDS", "How long it may take to end."
    ),
    DockerOption(
        "--restart", put("Host.RestartPolicy", values.parse_restart), "POLICY", "Restart policy, with -d."
    ),
    DockerOption("--log-driver", put("Host.LogConfig.Type"), "NAME", "Driver of its log."),
    DockerOption(
        "--log-opt",
        merge("Host.LogConfig.Config", values.parse_pair),
        "NAME=VALUE",
        "Option of that driver.",
        many=True,
    ),
    DockerOption(
        "--storage-opt",
        merge("Host.StorageOpt", values.parse_storage),
        "NAME=VALUE",
        "Option of the storage driver.",
        many=True,
    ),
    DockerOption(
        "--health-cmd",
        writers.write_health_command,
        "COMMAND",
        "Shell command that tells whether it is healthy.",
    ),
    DockerOption(
        "--health-interval",
        put("Health.Interval", values.not_negative("--health-interval", values.parse_duration)),
        "TIME",
        "Time between probes.",
    ),
    DockerOption(
        "--health-timeout",
        put("Health.Timeout", values.not_negative("--health-timeout", values.parse_duration)),
        "TIME",
        "Limit of a probe.",
    ),
    DockerOption(
        "--health-start-period",
        put("Health.StartPeriod", values.not_negative("--health-start-period", values.parse_duration)),
        "TIME",
        "Time to start in, without counting failures.",
    ),
    DockerOption(
        "--health-start-interval",
        put("Health.StartInterval", values.not_negative("--health-start-interval", values.parse_duration)),
        "TIME",
        "Time between probes while it starts.",
    ),
    DockerOption(
        "--health-retries",
        put("Health.Retries", values.not_negative("--health-retries", values.parse_whole)),
        "N",
        "Failures in a row that make it unhealthy.",
    ),
    DockerOption("--no-healthcheck", writers.write_no_health, None, "Switch the image's health check off."),
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
