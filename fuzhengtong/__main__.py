"""`python -m fuzhengtong` is the command line."""

import sys

from fuzhengtong.config.cli import main

sys.exit(main())
