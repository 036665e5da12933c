"""`python -m nemosaic`, where the folder of console scripts is not on the PATH."""

from ._cli import main

main()
