"""What waitdaemon does, by a program written from its source: the Go proxy has no such module."""

from typing import Any

# It finds its own container by its host's name, starts another one of it, and ends.
PROGRAM = """
import docker, os, pathlib, socket, time
if os.environ.get("LATE"):
    time.sleep(5)
    exec(os.environ["THEN"])
else:
    engine = docker.APIClient()
    own = engine.inspect_container(socket.gethostname())
    host = engine.create_host_config(binds=own["HostConfig"]["Binds"], pid_mode="host")
    given = {"LATE": "1", "THEN": os.environ["THEN"]}
    words = {"command": own["Config"]["Cmd"], "environment": given, "host_config": host}
    engine.start(engine.create_container(own["Image"], **words))
"""


def waits(then: str) -> dict[str, Any]:
    """Return an action's fields, for an image of bootkit: some seconds after its end comes `then`.

    then: a line of Python, of the program above.
    """
    return {
        "command": ["python3", "-c", PROGRAM],
        "environment": {"THEN": then},
        "volumes": ["/worker:/worker", "/var/run/docker.sock:/var/run/docker.sock"],
        "pid": "host",
    }
