"""How messages count things."""


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: "1 frame", "2 frames".

    Parameters
    ----------
    n : int
        How many there are.
    noun : str
        What one of them is called.
    plural : str, default=None
        What several are called, unless an s is added.

    Returns
    -------
    text : str
    """
    return f"{n} {noun}" if n == 1 else f"{n} {plural or f'{noun}s'}"
