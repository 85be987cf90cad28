"""How long tink-docker waits, how often it tries and how much it takes: every such number.

What both programs share is in `tinkie/policy.py`: the waits between restarts of dockerd, and when
it hangs.
"""

from __future__ import annotations

from tinkie.policy import UNWATCHED_SECONDS
from tinkie.running.backoff import Backoff

_KIB = 1024
_MIB = 1024 * _KIB

# dockerd and containerd
DOCKERD_FIRST_ANSWER_SECONDS = 180.0  # emulated and overloaded machines start it slowly
CONTAINERD_FIRST_ANSWER_SECONDS = 60.0  # it needs no network and no other program
CONTAINERD_POLL_SECONDS = 0.05  # the boot waits for it
CONTAINERD_RESTARTS = Backoff(first=0.2, ceiling=10.0)  # soon: without it no container starts
CONTAINERD_SHIM_SECONDS = 60  # after its default, 5 s, it kills containers of a paused machine
LEFTOVER_STOP_SECONDS = 10.0  # after each signal to a daemon of an earlier run

# Reboot flag, space, CA certificate: after a failure of the check itself
TASK_RETRY = Backoff(first=1.0, ceiling=10.0)  # soon: without the flag no machine reboots

# Child processes and their output
CHILD_STOP_SECONDS = 15.0  # dockerd closes its containers' logs first
CHILD_STOP_POLL_SECONDS = 1.0  # only an upper bound: the child's end ends this wait
CHILD_PIPE_BYTES = _MIB  # the most the kernel allows: a child never waits while a download runs
CHILD_READ_BYTES = 64 * _KIB  # a good size for one read; the pipe is read until it is empty
CHILD_LINE_BYTES = 4 * _KIB  # a line that never ends must not fill the memory
CHILD_LAST_LINES = 5  # enough to show the reason, few enough for a console

# A container's log, which dockerd rotates
CONTAINER_LOG_FILE_MEBIBYTES = 4  # RAM is the disk
CONTAINER_LOG_FILES = 2  # one that grows, and the one before

# Requests to dockerd
DOCKERD_ANSWER_SECONDS = UNWATCHED_SECONDS  # a request in the loop
DOCKERD_ANSWER_BYTES = 4 * _MIB  # bounds the memory that an answer takes
DOCKERD_LOAD_SILENCE_SECONDS = 120.0  # dockerd sends nothing while it unpacks an image
EMBEDDED_FAILURES_MAXIMUM = 3  # a dockerd that was killed may load them the next time
EMBEDDED_POLL_SECONDS = 0.2  # the boot waits for the embedded images
SOCKET_QUEUE_CONNECTIONS = 4096  # clients wait here while no dockerd runs; net.core.somaxconn

# dockerd's networks (repair/networks.py)
BRIDGE_FAILURES_MAXIMUM = 3  # then dockerd runs without its bridge, which no worker needs
NETWORK_RESET_AFTER_FAILURES = 2  # one may come from full memory or a firewall being changed

# What dockerd's networks hide (repair/hidden_routes.py)
ROUTES_POLL_SECONDS = 1.0  # DHCP answers at any time, and the boot waits for its host
NETWORK_MOVES_MAXIMUM = 3  # each kills an idle worker, and routes may come and go
NETWORK_MOVES_SECONDS = 3600.0  # a network that stays visible for so long was the right one

# Planned restarts of dockerd (repair/planned_restart.py)
PLANNED_RESTART_POLL_SECONDS = 1.0  # the host is not reached, or pulls fail, meanwhile

# The registry's CA certificate
CA_START_SECONDS = 10.0  # the socket, and so the boot, waits for it no longer
CA_LATER_TRY_SECONDS = UNWATCHED_SECONDS  # in the loop, too
CA_BYTES = 256 * _KIB  # enough for more than a hundred certificates
CA_RETRIES_AT_START = Backoff(first=0.25, ceiling=2.0)  # 1 s on average: the network comes up
CA_RETRIES_LATER = Backoff(first=5.0, ceiling=60.0)  # somebody has to repair a server or a URL

# Space for images and containers
SPACE_LOW_SHARE = 8  # low: less than one eighth of all space is free, ...
SPACE_LOW_BYTES = 64 * _MIB  # ... and less than this: large machines need no earlier warning
SPACE_RECOVERED_FACTOR = 2  # times the low bound: small changes around it log nothing
SPACE_POLL_SECONDS = 0.5  # the pace of the whole loop while nothing happens
SPACE_FAST_POLL_SECONDS = 0.05  # a pull that runs full frees its space within half a second
SPACE_FAST_POLL_BYTES = 4 * _MIB  # this much changed since the last look: something is writing
SPACE_WRITE_STEP_BYTES = _MIB  # smaller changes do not rewrite space.json

# Space of the other file systems in memory
SPACE_OTHERS_POLL_SECONDS = 5.0  # nothing heals sooner, because nothing is deleted for them
SPACE_LOW_FILES = 8192  # low: less than one eighth of all files are free, and less than this
CONTAINER_CONFIGURATION_BYTES = _MIB  # dockerd writes some kilobytes; bounds the memory
SPACE_LOOKS_MAXIMUM = 5000  # files and folders, once for each shortage and container: 50 ms

# Reboot on request
REBOOT_ACTIONS_SECONDS = 30.0  # for running actions to end; then the machine reboots anyway
REBOOT_RETRY_SECONDS = 60.0  # an orderly shutdown may take that long
