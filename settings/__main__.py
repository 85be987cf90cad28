"""`python3 -m settings`."""

import sys

from settings.files import main

sys.exit(main(sys.argv[1:]))
