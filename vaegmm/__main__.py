"""Run the command line: python -m vaegmm."""

import sys

from vaegmm.cli import main

sys.exit(main())
