"""The console script `nemosaic` of the wheel: the command that lies in it, on the Node that came along."""

import os
import sys
from typing import NoReturn

from ._command import engine_command
from ._errors import NemosaicError


def main() -> NoReturn:
    try:
        words = engine_command()
        if words is None:
            raise NemosaicError(
                "not-found", "this installation holds the client only; install the wheel nemosaic, or the command (docs/install.md)"
            )
    except NemosaicError as error:
        sys.stderr.write(f"nemosaic: {error}\n")
        sys.exit(3)
    os.execv(words[0], [*words, *sys.argv[1:]])
