"""`python3 -m tink_docker`."""

import sys

from tink_docker.cli import main

sys.exit(main())
