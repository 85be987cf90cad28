"""Every wait, bound and limit that the programs share: name, value, unit and why.

It imports nothing, so that any module can import it. What one program alone uses is in that
program's own `policy.py`.
"""

# == tinkie/running: retries
# The bound of a back-off doubles from FIRST to CEILING; the wait is random below it (full jitter).

# A crash or a lost connection usually heals within seconds; a minute is the most that a machine
# may lose after its server is back.
RETRY_SOON_FIRST_SECONDS = 1.0
RETRY_SOON_CEILING_SECONDS = 60.0

# A wrong parameter or a missing image takes a person minutes to correct.
RETRY_SLOWLY_FIRST_SECONDS = 15.0
RETRY_SLOWLY_CEILING_SECONDS = 60.0

# The share of a back-off's first wait below which no wait falls: two tries, and their two log
# lines, never follow each other at once.
BACKOFF_FLOOR_SHARE = 0.25

# The longest Retry-After that is honoured: a server's mistake must not stop a machine for a day.
RETRY_AFTER_LIMIT_SECONDS = 3600.0

# A run that was up for this long was healthy: the next failure starts the back-off anew.
HEALTHY_AFTER_SECONDS = 60.0

# So many ends in a row, none of them after a healthy run, are a crash loop.
CRASH_LOOP_ENDS = 3

# So many bugs in a row end the process, in case its own state is their cause. By then the back-off
# has reached its ceiling, so the restart costs no time that counts.
BUGS_UNTIL_RESTART_TIMES = 8

# No action for so long: the worker has reported the last one. Then it may be ended, by a reboot, by
# a move of the engine's bridge, or for a new password.
WORKER_REPORT_SECONDS = 3.0

# == tinkie/running/signals.py

# A request to stop that Python dropped is raised again after this. The finaliser that it came in
# has ended then; and whoever stops the program waits for seconds.
DROPPED_SIGNAL_SECONDS = 0.5

# == tinkie/hints.py: when tink-docker restarts a dockerd that hangs, which a hint of bootkit names

# A check costs dockerd one request per container.
DOCKERD_CHECK_EVERY_SECONDS = 30.0

# A machine short of memory may pause for long.
DOCKERD_HANGS_AFTER_SECONDS = 120.0

# == work beside the worker or dockerd

# One request in a loop that watches: nothing else is watched meanwhile.
UNWATCHED_SECONDS = 2.0

# == tinkie/fetch: downloads

# Small documents only; a caller that needs more passes its own limit.
FETCH_LIMIT_BYTES = 1024 * 1024

# Instead of that: the headers are the answer, and the body is not read.
FETCH_HEAD_ONLY_BYTES = 0

# One download, redirects included.
FETCH_SECONDS = 10.0

# Enough for a load balancer and a mirror; a loop ends here.
FETCH_REDIRECTS_LIMIT = 5

# A download that ignores its first interruption, since a lock holds it, is interrupted again.
INTERRUPT_AGAIN_SECONDS = 1.0

# A name look-up, whatever the resolver does. It is less than UNWATCHED_SECONDS, the time of a
# download beside the worker, so that the error names the cause.
NAME_LOOKUP_SECONDS = 1.5

# What the resolver does. Its defaults (5 s for each silent server, twice) would hardly ever find a
# name that only the third server knows.
NAME_SERVER_SECONDS = 1
NAME_LOOKUP_ATTEMPTS = 2

# An answer that came after the look-up was given up is used by the next try. The rarest tries are
# ten minutes apart.
LATE_NAME_ANSWER_SECONDS = 660.0

# == tinkie/state_files.py, and files with a pid or a name

# They have less than 100 bytes; what an action puts in their place may have any size.
STATE_FILE_BYTES = 4096

# == tinkie/running/console.py, tinkie/running/log.py, tinkie/running/redaction.py, tinkie/errors.py

# One text of an event, whatever it comes from: a line goes to syslog, maybe by UDP, and into the
# state file, which are in RAM. The longest of ours is a traceback.
EVENT_TEXT_CHARACTERS = 8192

# PIPE_BUF: the kernel may mix a longer write to a FIFO with another program's.
CONSOLE_LINE_BYTES = 4096

# The last lines of a program that ended are cut after this: enough to show the reason, few enough
# for a console. No text is cut shorter without a sign of it ("…"), so the redactor looks for half a
# secret only at the end of longer ones.
CUT_TEXT_CHARACTERS = 400

# A server may answer with a whole page of HTML.
ERROR_MESSAGE_CHARACTERS = 2000

# A longer secret, a token mostly, is recognised by its beginning. The redactor has each secret in
# some hundred forms: those of whole tokens would take seconds and a hundred megabytes.
SECRET_HEAD_CHARACTERS = 64

# So many characters of all secrets that one source has at the same time: a file of passwords may
# have hundreds. Of more than 128 secrets less of each is compared.
SECRET_HEADS_CHARACTERS = 8192
