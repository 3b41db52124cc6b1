"""`python -m skelnas` is the command `skelnas`."""

import sys

from skelnas.commands import main

if __name__ == "__main__":
    sys.exit(main())
