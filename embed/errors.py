"""The base of every error meant for a person."""


class MaillonError(Exception):
    """States the fact, the value found and the next step; shown to people without a stack trace."""
