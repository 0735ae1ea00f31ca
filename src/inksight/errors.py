"""The two kinds of error a caller can meet: input that is wrong, and work that failed."""


class InksightError(Exception):
    """Work that could not be finished; the command line prints it on one line and exits 1."""


class InputError(InksightError, ValueError):
    """Input that is wrong; the command line prints it on one line and exits 2.

    The message names what was wrong, the value got, what is allowed and, where there is one, the next step.
    """


class MissingDependencyError(InksightError, ImportError):
    """An optional library is not installed; the message says which extra brings it."""
