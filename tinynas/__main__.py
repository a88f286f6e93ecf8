"""`python -m tinynas` is the command line."""

from tinynas.cli import main

main()
