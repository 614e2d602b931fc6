"""Says where real data lies on disk. Knows nothing of its contents."""

import os
from pathlib import Path

_VARIABLE = "SKSEQ_DATA_HOME"


def get_data_home(data_home=None):
    """Return the folder that holds the real data sets.

    skseq ships no real data and downloads none: each `fetch_*` function reads files
    that you have stored below this folder.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. None takes the environment variable `SKSEQ_DATA_HOME`, and without
        that `~/skseq_data`. A leading `~` stands for the home folder.

    Returns
    -------
    data_home : pathlib.Path
        The folder, which need not exist; it is never created.

    Examples
    --------
    >>> from skseq.datasets import get_data_home
    >>> get_data_home("corpora").name
    'corpora'
    """
    if data_home is None:
        data_home = os.environ.get(_VARIABLE) or "~/skseq_data"
    return Path(data_home).expanduser()


def find_file(data_home: str | os.PathLike | None, name: str, source: str) -> Path:
    """Return the path of the file `name` below `data_home`; it must exist."""
    home = get_data_home(data_home)
    path = home / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{name} was not found in {home}. skseq downloads nothing: get the data "
            f"from {source} and store them as {path}, or point data_home= or the "
            f"environment variable {_VARIABLE} to the folder that holds {name}."
        )
    return path
