"""`Refusal`: a request that is answered by an error, and why; `refusal_of` an exception."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException

from inksight.errors import InputError, MissingDependencyError

REASONS = {404: "not found", 405: "method not allowed"}


class Refusal(Exception):
    """A request that is answered by an error.

    Parameters
    ----------
    status : int
        The HTTP status.
    reason : str
        The kind of refusal, for metrics and logs; one of a few.
    message : str
        One line for the client.
    headers : mapping of str to str
        Headers of the answer.
    """

    def __init__(self, status: int, reason: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.headers = status, reason, message, dict(headers or {})


class ClientLeft(Exception):
    """The client closed the connection, so that nobody waits for an answer."""


def busy(message: str) -> Refusal:
    """Return the refusal of a request that may succeed a second later."""
    return Refusal(503, "busy", message, {"Retry-After": "1"})


def refusal_of(error: Exception) -> Refusal:
    """Return how an exception is answered; what is not expected says nothing of the server's inside."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HTTPException):
        advice = "see /docs for what there is" if error.status_code == 404 else "see the header Allow"
        reason = REASONS.get(error.status_code, "invalid")
        return Refusal(error.status_code, reason, f"{reason}: {advice}", error.headers)
    if isinstance(error, MissingDependencyError):
        return Refusal(415, "unsupported", one_line(error))
    if isinstance(error, InputError):
        return Refusal(422, "invalid", one_line(error))
    if isinstance(error, MemoryError):
        return busy("not enough memory at the moment: try again later")
    return Refusal(500, "internal error", "internal error: the log tells more by the request's id")


def one_line(error: Exception) -> str:
    """Return the message of an error on one line."""
    return " ".join(str(error).split())
