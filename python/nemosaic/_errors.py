"""Errors of the client and of the server, with the server's codes."""


class NemosaicError(Exception):
    """One line for a person, and `code` for programs: "usage", "settings", "not-found", "bad-input", …

    The codes are those of the nemosaic command (docs/errors.md).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return type(self), (self.code, str(self))


class ServerGone(NemosaicError):
    """The server ended while it was needed: it was killed, or the process that owns it ended."""
