"""The service `bootkit`: which machine this is, and its worker."""

import tinkie  # noqa: F401 - comes first
