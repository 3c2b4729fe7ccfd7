"""docker's options for a container, one a row: its words, and what it writes into the request.

The command line, its help and the request are all made from this table; the next option is one row.
Rows are applied in this order, so that `-e` overrides `--env-file`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.options import values, volumes, writers
from nixdock.engine.containers.options.draft import append_host, merge, merge_host, put, put_host, switch_host

if TYPE_CHECKING:
    from nixdock.engine.containers.options.draft import Write


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Args:
        flags: Its words, the short one first.
        write: Writes one value into the request; raises ValueError with docker's sentence.
        metavar: What the help calls its value; None for a switch.
        help: One sentence for the help.
        many: Whether it may be given several times; otherwise the last one counts.
        aliases: Further words that the help does not show.
    """

    flags: tuple[str, ...]
    write: Write
    metavar: str | None
    help: str
    many: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The long word as a Python name: `env_file`."""
        return self.flags[-1].removeprefix("--").replace("-", "_")

    @property
    def shown(self) -> str:
        """The words as docker's messages write them: `-e, --env`."""
        return ", ".join(self.flags)


OPTIONS: Final = (
    Option(
        ("--env-file",), writers.write_variables, "FILE", "Set environment variables from a file.", many=True
    ),
    Option(
        ("-e", "--env"), writers.write_variable, "NAME[=VALUE]", "Set an environment variable.", many=True
    ),
    Option(
        ("-p", "--publish"),
        writers.write_published,
        "[[IP:]PORT:]PORT",
        "Publish a port of the container on the engine's host.",
        many=True,
    ),
    Option(("-P", "--publish-all"), switch_host("PublishAllPorts"), None, "Publish every exposed port."),
    Option(("--expose",), writers.write_exposed, "PORT", "Expose a port.", many=True),
    Option(
        ("-v", "--volume"),
        writers.write_volume,
        "[SOURCE:]TARGET[:ro]",
        "Mount a volume or folder.",
        many=True,
    ),
    Option(("--mount",), writers.write_mount, "type=...,source=...", "Mount a file system.", many=True),
    Option(
        ("--tmpfs",),
        merge_host("Tmpfs", volumes.parse_tmpfs),
        "TARGET[:OPTIONS]",
        "Mount a file system in memory.",
        many=True,
    ),
    Option(("--volumes-from",), append_host("VolumesFrom"), "CONTAINER", "Mount its volumes too.", many=True),
    Option(("--volume-driver",), put_host("VolumeDriver"), "NAME", "Driver of the volumes."),
    Option(("-u", "--user"), put("User"), "USER[:GROUP]", "User, by name or number."),
    Option(("--group-add",), append_host("GroupAdd"), "GROUP", "Add a group to the user's.", many=True),
    Option(("-w", "--workdir"), put("WorkingDir"), "FOLDER", "Working directory in the container."),
    Option(("--name",), writers.write_name, "NAME", "Name of the container."),
    Option(("--label-file",), writers.write_labels, "FILE", "Label the container from a file.", many=True),
    Option(
        ("-l", "--label"),
        merge("Labels", values.parse_pair),
        "NAME[=VALUE]",
        "Label the container.",
        many=True,
    ),
    Option(
        ("--annotation",),
        merge_host("Annotations", values.parse_pair),
        "NAME=VALUE",
        "Annotate it.",
        many=True,
    ),
    Option(
        ("--network",),
        writers.write_network,
        "NETWORK",
        "Network to connect to.",
        many=True,
        aliases=("--net",),
    ),
    Option(
        ("--network-alias",),
        writers.write_alias,
        "NAME",
        "Name in that network.",
        many=True,
        aliases=("--net-alias",),
    ),
    Option(("--ip",), writers.write_ip, "ADDRESS", "IPv4 address in that network."),
    Option(("--ip6",), writers.write_ip, "ADDRESS", "IPv6 address in that network."),
    Option(("--mac-address",), writers.write_mac, "ADDRESS", "Address of its network card."),
    Option(("-h", "--hostname"), put("Hostname"), "NAME", "Host name in the container."),
    Option(("--domainname",), put("Domainname"), "NAME", "Domain name in the container."),
    Option(
        ("--add-host",),
        append_host("ExtraHosts", values.parse_host),
        "NAME:IP",
        "Add to its hosts.",
        many=True,
    ),
    Option(("--dns",), append_host("Dns", values.parse_address), "IP", "Name server.", many=True),
    Option(
        ("--dns-search",), append_host("DnsSearch", values.parse_domain), "DOMAIN", "Search in it.", many=True
    ),
    Option(
        ("--dns-option",),
        append_host("DnsOptions"),
        "OPTION",
        "Resolver option.",
        many=True,
        aliases=("--dns-opt",),
    ),
    Option(
        ("--entrypoint",),
        writers.write_entry_point,
        "PROGRAM",
        "Run this instead of the image's entry point.",
    ),
    Option(("--init",), switch_host("Init"), None, "Run a small init as process 1."),
    Option(("--platform",), writers.write_platform, "OS/ARCH", "Platform that the image must be for."),
    Option(("--runtime",), put_host("Runtime"), "NAME", "Runtime of the engine to use."),
    Option(("--read-only",), switch_host("ReadonlyRootfs"), None, "Mount the image read-only."),
    Option(("--privileged",), switch_host("Privileged"), None, "Give it all privileges."),
    Option(
        ("--cap-add",), append_host("CapAdd", values.parse_capability), "CAPABILITY", "Add one.", many=True
    ),
    Option(
        ("--cap-drop",), append_host("CapDrop", values.parse_capability), "CAPABILITY", "Drop one.", many=True
    ),
    Option(("--security-opt",), writers.write_security, "OPTION", "Security option.", many=True),
    Option(
        ("--sysctl",),
        merge_host("Sysctls", values.parse_sysctl),
        "NAME=VALUE",
        "Set a kernel setting.",
        many=True,
    ),
    Option(
        ("--device",), writers.write_device, "PATH[:PATH][:rwm]", "Give it a device of the host.", many=True
    ),
    Option(
        ("--device-cgroup-rule",),
        append_host("DeviceCgroupRules", values.parse_device_rule),
        "RULE",
        "Allow devices.",
        many=True,
    ),
    Option(("--gpus",), append_host("DeviceRequests", values.parse_gpus), "all|N", "Give it GPUs."),
    Option(
        ("-m", "--memory"), put_host("Memory", values.parse_size), "SIZE", "Limit of memory, such as 512m."
    ),
    Option(
        ("--memory-swap",), put_host("MemorySwap", values.parse_swap), "SIZE", "Memory and swap; -1 no limit."
    ),
    Option(
        ("--memory-reservation",),
        put_host("MemoryReservation", values.parse_size),
        "SIZE",
        "Soft limit of memory.",
    ),
    Option(
        ("--memory-swappiness",),
        put_host("MemorySwappiness", values.parse_whole),
        "N",
        "Swappiness, 0 to 100.",
    ),
    Option(("--oom-kill-disable",), switch_host("OomKillDisable"), None, "Never kill it for want of memory."),
    Option(
        ("--oom-score-adj",), put_host("OomScoreAdj", values.parse_whole), "N", "Whom the kernel kills first."
    ),
    Option(("--shm-size",), put_host("ShmSize", values.parse_size), "SIZE", "Size of /dev/shm."),
    Option(("--pids-limit",), put_host("PidsLimit", values.parse_whole), "N", "Limit of processes; -1 none."),
    Option(
        ("--ulimit",),
        append_host("Ulimits", values.parse_ulimit),
        "NAME=SOFT[:HARD]",
        "Limit of a process.",
        many=True,
    ),
    Option(("--cpus",), put_host("NanoCpus", values.parse_cpus), "N", "Number of processors, such as 1.5."),
    Option(("-c", "--cpu-shares"), put_host("CpuShares", values.parse_whole), "N", "Share of processors."),
    Option(("--cpu-period",), put_host("CpuPeriod", values.parse_whole), "N", "Scheduler's period in µs."),
    Option(("--cpu-quota",), put_host("CpuQuota", values.parse_whole), "N", "Time in that period in µs."),
    Option(("--cpuset-cpus",), put_host("CpusetCpus"), "LIST", "Processors to run on, such as 0-2."),
    Option(("--cpuset-mems",), put_host("CpusetMems"), "LIST", "Memory nodes to use."),
    Option(
        ("--blkio-weight",),
        put_host("BlkioWeight", values.parse_whole),
        "N",
        "Share of the disks, 10 to 1000.",
    ),
    Option(("--cgroup-parent",), put_host("CgroupParent"), "PATH", "Parent of its control group."),
    Option(
        ("--cgroupns",),
        writers.write_mode("CgroupnsMode", "--cgroupns: invalid CGROUP mode", "host", "private", ""),
        "MODE",
        "Control group name space: host or private.",
    ),
    Option(("--ipc",), put_host("IpcMode"), "MODE", "IPC name space."),
    Option(
        ("--pid",),
        writers.write_mode("PidMode", "--pid: invalid PID mode", "host", "container:", ""),
        "MODE",
        "Process name space: host or container:NAME.",
    ),
    Option(
        ("--uts",),
        writers.write_mode("UTSMode", "--uts: invalid UTS mode", "host", ""),
        "MODE",
        "UTS name space.",
    ),
    Option(
        ("--userns",),
        writers.write_mode("UsernsMode", "--userns: invalid USER mode", "host", ""),
        "MODE",
        "User name space.",
    ),
    Option(("--stop-signal",), put("StopSignal"), "SIGNAL", "Signal that asks it to end."),
    Option(
        ("--stop-timeout",), put("StopTimeout", values.parse_whole), "SECONDS", "How long it may take to end."
    ),
    Option(
        ("--restart",), put_host("RestartPolicy", values.parse_restart), "POLICY", "Restart policy, with -d."
    ),
    Option(("--log-driver",), writers.write_log_driver, "NAME", "Driver of its log."),
    Option(("--log-opt",), writers.write_log_option, "NAME=VALUE", "Option of that driver.", many=True),
    Option(
        ("--storage-opt",), writers.write_storage, "NAME=VALUE", "Option of the storage driver.", many=True
    ),
    Option(
        ("--health-cmd",),
        writers.write_health_command,
        "COMMAND",
        "Shell command that tells whether it is healthy.",
    ),
    Option(
        ("--health-interval",),
        writers.write_health_time("Interval", "--health-interval"),
        "TIME",
        "Time between probes.",
    ),
    Option(
        ("--health-timeout",),
        writers.write_health_time("Timeout", "--health-timeout"),
        "TIME",
        "Limit of a probe.",
    ),
    Option(
        ("--health-start-period",),
        writers.write_health_time("StartPeriod", "--health-start-period"),
        "TIME",
        "Time to start in, without counting failures.",
    ),
    Option(
        ("--health-start-interval",),
        writers.write_health_time("StartInterval", "--health-start-interval"),
        "TIME",
        "Time between probes while it starts.",
    ),
    Option(
        ("--health-retries",), writers.write_health_retries, "N", "Failures in a row that make it unhealthy."
    ),
    Option(("--no-healthcheck",), writers.write_no_health, None, "Switch the image's health check off."),
)
