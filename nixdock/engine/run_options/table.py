"""docker's options for a container, one a row: its words, and what it writes into the request.

The command line, its help and the request are all made from this table; the next option is one row.
Rows are applied in this order, so that `-e` overrides `--env-file`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.engine.run_options import ports, values, volumes
from nixdock.engine.run_options.draft import append_host, merge, merge_host, put, put_host, switch_host

if TYPE_CHECKING:
    from nixdock.engine.run_options.draft import Draft, Write


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


def _write_variable(draft: Draft, text: str) -> None:
    variable = values.parse_variable(text, draft.environ)
    draft.body.setdefault("Env", []).append(variable)


def _write_variables(draft: Draft, text: str) -> None:
    draft.body.setdefault("Env", []).extend(values.read_variables(text, draft.folder, draft.environ))


def _write_labels(draft: Draft, text: str) -> None:
    # The same format as of variables; a name without a value is left out there too.
    for label in values.read_variables(text, draft.folder, {}):
        name, value = values.parse_pair(label)
        draft.body.setdefault("Labels", {})[name] = value


def _write_published(draft: Draft, text: str) -> None:
    for port, binding in ports.parse_published(text):
        draft.body.setdefault("ExposedPorts", {})[port] = {}
        draft.host.setdefault("PortBindings", {}).setdefault(port, []).append(binding)


def _write_exposed(draft: Draft, text: str) -> None:
    for port in ports.parse_exposed(text):
        draft.body.setdefault("ExposedPorts", {})[port] = {}


def _write_volume(draft: Draft, text: str) -> None:
    binding, has_source = volumes.parse_volume(text, draft.folder)
    if has_source:
        draft.host.setdefault("Binds", []).append(binding)
    else:
        draft.body.setdefault("Volumes", {})[binding] = {}


def _write_mount(draft: Draft, text: str) -> None:
    draft.host.setdefault("Mounts", []).append(volumes.parse_mount(text, draft.folder))


def _write_security(draft: Draft, text: str) -> None:
    if text in {"systempaths=unconfined", "systempaths:unconfined"}:
        draft.host["MaskedPaths"] = draft.host["ReadonlyPaths"] = []
        return
    draft.host.setdefault("SecurityOpt", []).append(values.parse_security(text, draft.folder))


def _write_device(draft: Draft, text: str) -> None:
    if values.is_device_of_cdi(text):
        requests = draft.host.setdefault("DeviceRequests", [])
        if not requests or requests[0].get("Driver") != "cdi":
            requests.insert(0, {"Driver": "cdi", "DeviceIDs": []})
        requests[0]["DeviceIDs"].append(text)
        return
    draft.host.setdefault("Devices", []).append(values.parse_device(text))


def _write_network(draft: Draft, text: str) -> None:
    # The first one is the container's own; docker connects to further ones after creating it.
    if "NetworkMode" in draft.host:
        raise ValueError("nixdock connects a container to one network only")
    fields = [text] if "=" not in text else text.split(",")
    for field in fields:
        name, equals, value = field.partition("=")
        match name if equals else "":
            case "":
                draft.host["NetworkMode"] = field
            case "name":
                draft.host["NetworkMode"] = value
            case "alias":
                draft.endpoint.setdefault("Aliases", []).append(value)
            case "ip":
                draft.endpoint.setdefault("IPAMConfig", {})["IPv4Address"] = values.parse_address(value)
            case "ip6":
                draft.endpoint.setdefault("IPAMConfig", {})["IPv6Address"] = values.parse_address(value)
            case "mac-address":
                draft.endpoint["MacAddress"] = values.parse_mac(value)
            case _:
                raise ValueError(f"invalid field key {name}")


def _write_alias(draft: Draft, text: str) -> None:
    draft.endpoint.setdefault("Aliases", []).append(text)


def _write_ip(draft: Draft, text: str) -> None:
    key = "IPv6Address" if ":" in text else "IPv4Address"
    draft.endpoint.setdefault("IPAMConfig", {})[key] = values.parse_address(text)


def _write_mac(draft: Draft, text: str) -> None:
    draft.endpoint["MacAddress"] = values.parse_mac(text)


def _write_log_option(draft: Draft, text: str) -> None:
    name, value = values.parse_pair(text)
    draft.host.setdefault("LogConfig", {}).setdefault("Config", {})[name] = value


def _write_log_driver(draft: Draft, text: str) -> None:
    draft.host.setdefault("LogConfig", {})["Type"] = text


def _write_storage(draft: Draft, text: str) -> None:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("invalid storage option")
    draft.host.setdefault("StorageOpt", {})[name] = value


def _write_health_command(draft: Draft, text: str) -> None:
    if text:
        draft.health["Test"] = ["CMD-SHELL", text]


def _write_health_time(key: str, flag: str) -> Write:
    def write(draft: Draft, text: str) -> None:
        duration = values.parse_duration(text)
        if duration < 0:
            raise ValueError(f"{flag} cannot be negative")
        draft.health[key] = duration

    return write


def _write_health_retries(draft: Draft, text: str) -> None:
    retries = values.parse_whole(text)
    if retries < 0:
        raise ValueError("--health-retries cannot be negative")
    draft.health["Retries"] = retries


def _write_no_health(draft: Draft, _text: str) -> None:
    draft.no_health = True


def _write_mode(key: str, message: str, *words: str) -> Write:
    """Write one of the modes that a name space can have; `container:NAME` where the words have it."""

    def write(draft: Draft, text: str) -> None:
        if text not in words and not ("container:" in words and text.startswith("container:")):
            raise ValueError(message)
        draft.host[key] = text

    return write


def _write_name(draft: Draft, text: str) -> None:
    draft.name = text


def _write_platform(draft: Draft, text: str) -> None:
    draft.platform = text


def _write_entry_point(draft: Draft, text: str) -> None:
    # An empty word clears the image's entry point, as it does for docker.
    draft.body["Entrypoint"] = [text]


OPTIONS: Final = (
    Option(("--env-file",), _write_variables, "FILE", "Set environment variables from a file.", many=True),
    Option(("-e", "--env"), _write_variable, "NAME[=VALUE]", "Set an environment variable.", many=True),
    Option(
        ("-p", "--publish"),
        _write_published,
        "[[IP:]PORT:]PORT",
        "Publish a port of the container on the engine's host.",
        many=True,
    ),
    Option(("-P", "--publish-all"), switch_host("PublishAllPorts"), None, "Publish every exposed port."),
    Option(("--expose",), _write_exposed, "PORT", "Expose a port.", many=True),
    Option(("-v", "--volume"), _write_volume, "[SOURCE:]TARGET[:ro]", "Mount a volume or folder.", many=True),
    Option(("--mount",), _write_mount, "type=...,source=...", "Mount a file system.", many=True),
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
    Option(("--name",), _write_name, "NAME", "Name of the container."),
    Option(("--label-file",), _write_labels, "FILE", "Label the container from a file.", many=True),
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
        ("--network",), _write_network, "NETWORK", "Network to connect to.", many=True, aliases=("--net",)
    ),
    Option(
        ("--network-alias",),
        _write_alias,
        "NAME",
        "Name in that network.",
        many=True,
        aliases=("--net-alias",),
    ),
    Option(("--ip",), _write_ip, "ADDRESS", "IPv4 address in that network."),
    Option(("--ip6",), _write_ip, "ADDRESS", "IPv6 address in that network."),
    Option(("--mac-address",), _write_mac, "ADDRESS", "Address of its network card."),
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
    Option(("--entrypoint",), _write_entry_point, "PROGRAM", "Run this instead of the image's entry point."),
    Option(("--init",), switch_host("Init"), None, "Run a small init as process 1."),
    Option(("--platform",), _write_platform, "OS/ARCH", "Platform that the image must be for."),
    Option(("--runtime",), put_host("Runtime"), "NAME", "Runtime of the engine to use."),
    Option(("--read-only",), switch_host("ReadonlyRootfs"), None, "Mount the image read-only."),
    Option(("--privileged",), switch_host("Privileged"), None, "Give it all privileges."),
    Option(
        ("--cap-add",), append_host("CapAdd", values.parse_capability), "CAPABILITY", "Add one.", many=True
    ),
    Option(
        ("--cap-drop",), append_host("CapDrop", values.parse_capability), "CAPABILITY", "Drop one.", many=True
    ),
    Option(("--security-opt",), _write_security, "OPTION", "Security option.", many=True),
    Option(
        ("--sysctl",),
        merge_host("Sysctls", values.parse_sysctl),
        "NAME=VALUE",
        "Set a kernel setting.",
        many=True,
    ),
    Option(("--device",), _write_device, "PATH[:PATH][:rwm]", "Give it a device of the host.", many=True),
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
        _write_mode("CgroupnsMode", "--cgroupns: invalid CGROUP mode", "host", "private", ""),
        "MODE",
        "Control group name space: host or private.",
    ),
    Option(("--ipc",), put_host("IpcMode"), "MODE", "IPC name space."),
    Option(
        ("--pid",),
        _write_mode("PidMode", "--pid: invalid PID mode", "host", "container:", ""),
        "MODE",
        "Process name space: host or container:NAME.",
    ),
    Option(
        ("--uts",), _write_mode("UTSMode", "--uts: invalid UTS mode", "host", ""), "MODE", "UTS name space."
    ),
    Option(
        ("--userns",),
        _write_mode("UsernsMode", "--userns: invalid USER mode", "host", ""),
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
    Option(("--log-driver",), _write_log_driver, "NAME", "Driver of its log."),
    Option(("--log-opt",), _write_log_option, "NAME=VALUE", "Option of that driver.", many=True),
    Option(("--storage-opt",), _write_storage, "NAME=VALUE", "Option of the storage driver.", many=True),
    Option(
        ("--health-cmd",), _write_health_command, "COMMAND", "Shell command that tells whether it is healthy."
    ),
    Option(
        ("--health-interval",),
        _write_health_time("Interval", "--health-interval"),
        "TIME",
        "Time between probes.",
    ),
    Option(
        ("--health-timeout",), _write_health_time("Timeout", "--health-timeout"), "TIME", "Limit of a probe."
    ),
    Option(
        ("--health-start-period",),
        _write_health_time("StartPeriod", "--health-start-period"),
        "TIME",
        "Time to start in, without counting failures.",
    ),
    Option(
        ("--health-start-interval",),
        _write_health_time("StartInterval", "--health-start-interval"),
        "TIME",
        "Time between probes while it starts.",
    ),
    Option(("--health-retries",), _write_health_retries, "N", "Failures in a row that make it unhealthy."),
    Option(("--no-healthcheck",), _write_no_health, None, "Switch the image's health check off."),
)
