"""The errors and warnings that callers can catch: wrong or doubtful input, failed work, a missing optional library."""


class InksightError(Exception):
    """Work that could not be finished. The command line prints the message on one line and exits with 1."""


class InputError(InksightError, ValueError):
    """Wrong input. The command line prints the message on one line and exits with 2.

    The message names what was wrong, the value got, what is allowed and, where there is one, the next step.
    """


class MissingFileError(InputError):
    """A file or folder of that name does not exist."""


class DamagedFileError(InputError):
    """A file that is truncated, or whose content contradicts its format."""


class UnsupportedFileError(InputError):
    """A file in a format that is not read, or something else than a file, such as a folder or a device."""


class TooLargeError(InputError):
    """A file or a picture that needs more memory or work than is allowed."""


class MissingDependencyError(InksightError, ImportError):
    """An optional library is not installed. The message names the extra that installs it."""


class InputWarning(UserWarning):
    """Input that is read, but may not be what the user meant. The command line prints the message on one line."""
