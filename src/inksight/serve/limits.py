"""`Limits`: how much the service accepts of one request, and of all together."""

from dataclasses import dataclass, fields

from inksight._shared.validation import check, is_between


@dataclass(frozen=True)
class Limits:
    """How much the service accepts. What exceeds a limit is refused with the status in parentheses.

    Parameters
    ----------
    body : int
        Bytes of a request's body (413).
    pixels : int
        Pixels of a picture, by its header (422).
    images : int
        Images of an inference request (422).
    values : int
        Numbers in the answer to an inference request (422).
    requests : int
        Requests whose answers are being computed or are waiting for it (503).
    memory : int
        Bytes of the bodies of these requests (503).
    deadline : float
        Seconds from a complete request to its answer (504).
    sender : float
        Seconds in which a client sends the head of a request, and then the body (408).
    readers : int
        Threads that read pictures.
    drain : float
        Seconds after SIGTERM in which the service says that it is not ready, but still accepts requests.

    Raises
    ------
    InputError
        If a value is not a number above 0.

    Examples
    --------
    >>> Limits(deadline=2).body
    10000000
    """

    body: int = 10_000_000
    pixels: int = 1 << 24
    images: int = 4096
    values: int = 1 << 20
    requests: int = 256
    memory: int = 1 << 28
    deadline: float = 5.0
    sender: float = 10.0
    readers: int = 2
    drain: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            whole = field.type is int or field.type == "int"
            ok = is_between(value, 1 if whole else 0.001, 1e12) and (not whole or value == int(value))
            check(ok, field.name, value, "a whole number of 1 or more" if whole else "a number of seconds above 0")
