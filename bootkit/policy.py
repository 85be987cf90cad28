"""Every wait, bound and limit of bootkit: name, value, unit and why.

What tink-docker uses too is in `tinkie/policy.py`: downloads, and the retry of a whole run, which
is also how a failed pull is tried again.
"""

from __future__ import annotations

from tinkie.policy import UNWATCHED_SECONDS
from tinkie.running.backoff import Backoff

# == bootkit/machine: the metadata service

# Nothing else has the worker's id, so the boot waits; after this `supervise` retries.
METADATA_NEEDED_SECONDS = 10.0

# The worker does without the answer, so the boot waits no longer than the watch loop may.
METADATA_WANTED_SECONDS = UNWATCHED_SECONDS

# Retries beside a running worker. Nothing depends on them: they may become rare.
METADATA_RETRY = Backoff(first=5.0, ceiling=300.0)

# A whole hardware record may contain user data.
METADATA_LIMIT_BYTES = 4 * 1024 * 1024

# The longest id or host name: the limit of a DNS name.
METADATA_WORD_CHARACTERS = 255

# == bootkit/engine: dockerd

# Polled without end: there is nothing else to do. A try costs next to nothing, and each tenth of a
# second here delays the first action by as much.
ENGINE_POLL = Backoff(first=0.1, ceiling=0.25)

# Between two log lines while the engine does not answer.
ENGINE_WAITING_LOG_SECONDS = 10.0

# The first answer: an engine that accepts connections and is silent is not ready.
ENGINE_PING_SECONDS = 5.0

# Any other answer: an engine that is busy with a pull or a stop is slow.
ENGINE_ANSWER_SECONDS = 30.0

# One container event, with the container's labels; it bounds what a broken stream can use.
EVENT_LINE_BYTES = 1024 * 1024
EVENT_READ_BYTES = 64 * 1024
EVENT_READS_MAXIMUM = 64  # an engine that sends without end delays nobody for longer

# When the worker has ended: the engine sends the end of its last action at about the same time.
LAST_EVENTS_SECONDS = 1.0

# Between two messages of a pull; the engine itself waits without end.
PULL_SILENCE_SECONDS = 60.0

# RAM is the disk: the engine rotates the worker's log.
WORKER_LOG_FILE_MEBIBYTES = 2
WORKER_LOG_FILES = 2

# Of one line of the worker's log; a line may be any binary output of an action.
WORKER_LOG_LINE_BYTES = 2000

# How much of its log is kept when a worker ends.
WORKER_LOG_TAIL_LINES = 50

# == bootkit/image: the pull of the worker image

# Between two log lines of a layer whose state stays the same.
PULL_PROGRESS_LOG_SECONDS = 15.0

# Questions to the registry beside a pull (token service; sizes; Retry-After, Date). They may not
# delay the boot noticeably: a registry that is silent here is silent in the pull, too. The token
# service is also asked for beside the worker, for a new password.
MANIFESTS_SECONDS = 3.0
REGISTRY_PROBE_SECONDS = UNWATCHED_SECONDS

# A token service without TLS may be repaired: a refusal that is older is asked about again.
REFUSAL_SECONDS = 60.0

# Of one WWW-Authenticate: real ones have some hundred. What is longer is not read.
CHALLENGE_CHARACTERS = 8 * 1024

# Of one registry: real ones name one, and each is looked at and may be logged. What a registry with
# more names is not known, so it gets no user and password.
TOKEN_SERVICES_MAXIMUM = 16

# Registries themselves accept no larger manifest.
MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024

# The share of the free space that the layers of a pull may take, compressed, before the registry is
# asked for the size of them all. Unpacked they are two to three times as large, and the engine has
# unpacked some of them by then: what is left is enough to ask, and to stop the pull.
SIZE_CHECK_SHARE = 0.125

# == bootkit/image/auth_file.py: the file at registry_auth_url

# A file of many registries has some KiB; ECR's password alone has three.
AUTH_FILE_BYTES = 256 * 1024

# Of one password or token: what the kernel takes as a variable of the worker is 128 KiB, and what
# servers take as a header is less.
AUTH_TEXT_CHARACTERS = 16 * 1024

# So many registries: the log masks each password in some hundred forms, which take memory.
AUTH_ENTRIES_MAXIMUM = 64

# Before a pull, which hardly succeeds without it.
AUTH_SECONDS = 10.0

# Beside the running worker.
AUTH_LATER_SECONDS = UNWATCHED_SECONDS

# If the server sends no lifetime: passwords that are rotated live for hours (ECR's for 12).
AUTH_LIFETIME_SECONDS = 3600.0

# What a server may send: less would be a load, and more a file that nobody can correct.
AUTH_LIFETIME_SHORTEST_SECONDS = 60.0
AUTH_LIFETIME_LONGEST_SECONDS = 86400.0

# The next fetch comes at a random time between these shares of the lifetime: it must come before
# the end, and machines that booted together must not come together.
AUTH_RENEWAL_FIRST_SHARE = 0.5
AUTH_RENEWAL_LAST_SHARE = 0.9

# Retries beside a running worker, which has the password of before; also of a file that has lost an
# entry: it may be about to be written.
AUTH_RETRY = Backoff(first=5.0, ceiling=300.0)

# A worker is not replaced earlier for a new password: a server that gives another one each minute
# must not end one worker after the other.
WORKER_PASSWORD_AGE_SECONDS = 600.0

# == bootkit/watch: the running worker

# Between two looks at the worker, its actions and its connection.
WATCH_TICK_SECONDS = 1.0

# A worker needs some of this to start and to connect again; a shorter gap is not a loss.
SERVER_LOST_AFTER_SECONDS = 20.0

# Between two log lines about the same loss; the interval doubles up to this.
SERVER_LOST_LOG_CEILING_SECONDS = 600.0
