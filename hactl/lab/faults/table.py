"""Every fault that can be done to a lab. To add one: an act in this folder, an entry here; help and tests follow."""

from __future__ import annotations

from hactl.lab.faults import links, power, scripts, things
from hactl.lab.faults.model import NODE, Fault, Parameter

_NODE = Parameter(NODE, "a node, role:NAME or site:NAME")
_UNIT = Parameter("unit", "a systemd unit; default: the one that the node's role is about", "")
_BALANCER = Parameter(NODE, "a balancer", "lb1")
_PRIMARY = Parameter(NODE, "a database node", "primary")

_ALL = (
    Fault(
        "power-off",
        "Cuts the power: everything on the node ends at once, nothing is written out.",
        "The node unreachable since then; a pool or the database with one member less.",
        power.PowerOff(),
        (_NODE,),
        reverse="power-on",
        reach=True,
    ),
    Fault(
        "freeze",
        "Stops the whole node without ending anything, as a hanging hypervisor does.",
        "The node unreachable or its values stale; a connection found dead by its keepalive.",
        power.Freeze(),
        (_NODE,),
        reverse="thaw",
        reach=True,
    ),
    Fault(
        "partition",
        "Cuts nodes off from all others and from the operator; with OTHER only from those, seen by the operator still.",
        "Nodes unreachable; balancers, VIP and replication as each side sees them.",
        links.Partition(),
        (_NODE, Parameter("other", "cut only the traffic to these: a node, role:NAME or site:NAME", "")),
        reverse="heal",
        reach=True,
    ),
    Fault(
        "slow",
        "Makes the node's link slow: RATE in kbit/s both ways, and DELAY in ms each way between it and the operator.",
        "The node's values stale, with their age; other nodes as quick as ever.",
        links.Slow(),
        (
            _NODE,
            Parameter("rate", "kbit/s", "256", (8, 10_000_000)),
            Parameter("delay", "ms each way", "400", (0, 60_000)),
        ),
        reach=True,
    ),
    Fault(
        "lossy",
        "Drops PERCENT of the packets that the node sends and gets.",
        "The node slow or stale now and then; lag and failed checks that come and go.",
        links.Lossy(),
        (_NODE, Parameter("percent", "of the packets", "30", (1, 100))),
        reach=True,
    ),
    Fault(
        "disk-full",
        "Mounts a small disk over PATH, with what PATH held, and fills it to PERCENT.",
        "That disk of the node warn or crit.",
        things.DiskFull(),
        (
            _NODE,
            Parameter("path", "a folder on the node; default: one that its role writes to", ""),
            Parameter("percent", "how full", "97", (1, 100)),
        ),
    ),
    Fault(
        "service-stop",
        "Stops UNIT in order.",
        "The unit inactive; its pool short of a member; without keepalived anywhere, no VIP holder.",
        scripts.SERVICE_STOP,
        (_NODE, _UNIT),
        reverse="service-start",
    ),
    Fault(
        "service-kill",
        "Kills every process of UNIT; systemd restarts it if its unit says so.",
        "The unit failed, or restarted just now.",
        scripts.SERVICE_KILL,
        (_NODE, _UNIT),
    ),
    Fault(
        "service-freeze",
        "Stops every process of UNIT without ending it: it runs, and answers nothing.",
        "Health checks that time out; of keepalived, the VIP on two balancers; of ssh, a connect timeout.",
        scripts.SERVICE_FREEZE,
        (_NODE, _UNIT),
        reverse="service-thaw",
    ),
    Fault(
        "clock-skew",
        "Lets every program in an SSH session see a clock that is SECONDS off; running sessions end.",
        "The node's clock off by that much; durations unharmed.",
        scripts.CLOCK_SKEW,
        (_NODE, Parameter("seconds", "how far ahead; negative: behind", "120", (-1e8, 1e8))),
        lasting=True,
    ),
    Fault(
        "bad-package",
        "Offers the shop's release 1.2.0, which installs and then fails its health check.",
        "An upgrade of the shop pending on the app nodes.",
        scripts.BAD_PACKAGE,
        (Parameter(NODE, "app nodes", "role:app"),),
        lasting=True,
    ),
    Fault(
        "old-release",
        "Installs the shop's release 1.0.0 where another one is, as before any upgrade; there is nothing to undo.",
        "An upgrade of the shop pending on the app nodes.",
        scripts.OLD_RELEASE,
        (Parameter(NODE, "app nodes", "role:app"),),
    ),
    Fault(
        "hold-session",
        "A client keeps COUNT requests that never end under way through the VIP, and starts again when it is cut off.",
        "Sessions on the shop's servers that do not go away.",
        things.HoldSession(),
        (Parameter("count", "connections", "1", (1, 100)),),
    ),
    Fault(
        "stop-archiving",
        "The primary's archive_command fails from now on, and has a segment to archive.",
        "Archiving failing since then, and the backlog growing; no backup covers what comes now.",
        scripts.STOP_ARCHIVING,
        (_PRIMARY,),
        lasting=True,
    ),
    Fault(
        "drop-table",
        "Somebody drops the shop's table of orders, on the primary, and so everywhere.",
        "The shop answers requests for orders with errors; every standby as healthy as before, and without the table.",
        scripts.DROP_TABLE,
        (_PRIMARY,),
        reverse="restore-table",
        lasting=True,
    ),
    Fault(
        "damage-backup",
        "One byte of the newest full backup is another one, as a failing disk makes it.",
        "Nothing, until the repository is read: hactl backup verify names the backup.",
        scripts.DAMAGE_BACKUP,
        (Parameter(NODE, "a node with a repository", "backup1"),),
        reverse="repair-backup",
        lasting=True,
    ),
    Fault(
        "pause-replay",
        "A standby receives and no longer applies.",
        "The standby's replay paused, its replay lag growing with every write.",
        scripts.PAUSE_REPLAY,
        (Parameter(NODE, "a standby", "standby"),),
        reverse="resume-replay",
    ),
    Fault(
        "abandoned-slot",
        "A replication slot that nobody reads holds back MEGABYTES of WAL, and all that follows.",
        "The slot by name, inactive, and the bytes that it retains.",
        scripts.ABANDONED_SLOT,
        (_PRIMARY, Parameter("megabytes", "WAL written now", "64", (1, 1024))),
        lasting=True,
    ),
    Fault(
        "drain-one",
        "Drains a server by hand on one balancer only.",
        "The balancers disagree about that server; a stranded drain.",
        scripts.DRAIN_ONE,
        (_BALANCER, Parameter("server", "BACKEND/SERVER", "be_shop/shop-a")),
        lasting=True,
    ),
    Fault(
        "socket-deny",
        "HAProxy's admin socket belongs to its owner alone.",
        "The admin socket denied, with the remedy; that balancer unknown, not down.",
        scripts.SOCKET_DENY,
        (_BALANCER,),
    ),
    Fault(
        "socket-remove",
        "HAProxy's admin socket is not where it should be.",
        "The admin socket absent, with the remedy; that balancer unknown, not down.",
        scripts.SOCKET_REMOVE,
        (_BALANCER,),
    ),
    Fault(
        "host-key",
        "The node shows another SSH host key.",
        "The host key changed, with both fingerprints; nothing is sent to the node.",
        things.HostKey(),
        (_NODE,),
        lasting=True,
    ),
    Fault(
        "ssh-limits",
        "sshd takes two sessions a connection and two logins at once.",
        "Nothing: hactl queues.",
        scripts.SSH_LIMITS,
        (_NODE,),
        lasting=True,
    ),
    Fault(
        "sudo-trim",
        "hactl's sudo rules are gone.",
        "Each rule that is missing, by name; what needs it unknown.",
        scripts.SUDO_TRIM,
        (Parameter(NODE, "a node", "backup1"),),
        lasting=True,
    ),
)

FAULTS = {fault.name: fault for fault in _ALL}
REVERSES = {fault.reverse: fault for fault in _ALL if fault.reverse}
