"""The command as the shell spells it; see `experiments.compare_studies`, which Python can import."""

import sys

from experiments.cli import command_line
from experiments.compare_studies import main

if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
