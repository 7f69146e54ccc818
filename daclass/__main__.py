import sys

from daclass.cli import main

sys.exit(main())
