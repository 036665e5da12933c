"""The command from Python: for notebooks, and for people without a shell at hand."""

import subprocess
import sys
import threading
from typing import Any, List, Optional

from ._command import Command, find_command
from ._errors import NemosaicError
from ._server import refusal

EXIT_CODES = {2: "usage", 3: "not-found", 4: "bad-input", 5: "incomplete", 6: "offline", 7: "io"}
"""Exit status of the command → code of NemosaicError, where one status has several codes the first (docs/errors.md)."""


def run(*words: Any, command: Optional[Command] = None) -> None:
    """Runs `nemosaic WORDS` and prints its output at once: `run("mine", "pool")`. Raises NemosaicError if it fails.

    The words are arguments, not a line of shell: they need no quotes. Remarks and progress go to standard error.
    """
    argv = [*find_command(command), *(str(word) for word in words)]
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
    except OSError as error:
        raise NemosaicError("not-found", f"cannot start {argv[0]!r}: {error.strerror or error}") from error
    assert process.stdout is not None and process.stderr is not None
    said: List[str] = []
    stderr = process.stderr

    def listen() -> None:
        for line in stderr:
            said.append(line)
            if not line.startswith("nemosaic: "):  # the error's line becomes the exception's
                sys.stderr.write(line)

    listener = threading.Thread(target=listen, name="nemosaic-run", daemon=True)
    listener.start()
    try:
        for line in process.stdout:
            sys.stdout.write(line)
        status = process.wait()
    except BaseException:
        process.terminate()  # Ctrl-C: finished parts stay, and the next run goes on
        process.wait()
        raise
    finally:
        listener.join(2.0)
        process.stdout.close()
        process.stderr.close()
    if status != 0:
        code = EXIT_CODES.get(status, "internal" if status == 70 else "io")
        raise NemosaicError(code, refusal("".join(said)) or f"nemosaic {' '.join(map(str, words))} ended with status {status}")
