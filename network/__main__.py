"""`python3 -m network`."""

import sys

from network.cli import main

sys.exit(main(sys.argv[1:]))
