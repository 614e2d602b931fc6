"""The steps of this package as plain values, for files, and back."""

from typing import Any

import skseq.augmentation
import skseq.preprocessing

_ROOMS = skseq.augmentation, skseq.preprocessing
CLASSES = {
    name: getattr(room, name)
    for room in _ROOMS
    for name in room.__all__
    if isinstance(getattr(room, name), type)
}


def describe_steps(value: Any) -> Any:
    """Describe the steps of this package as plain values, also inside one another.

    Parameters
    ----------
    value : list or None
        The parameter `preprocess`.

    Returns
    -------
    description : list or None
        Each step as a dict of its class's name and its parameters. What is not a
        step of this package stays as it is.
    """
    if isinstance(value, (list, tuple)):
        return type(value)(map(describe_steps, value))
    name = type(value).__name__
    if CLASSES.get(name) is not type(value):
        return value
    parameters = value.get_params(deep=False)
    parameters = {key: describe_steps(item) for key, item in parameters.items()}
    return {"step": name, "parameters": parameters}


def build_steps(description: Any) -> Any:
    """Build steps from their description: the inverse of `describe_steps`.

    Parameters
    ----------
    description : list or None
        Plain values, from any source.

    Returns
    -------
    steps : list or None

    Raises
    ------
    ValueError
        If a step is of no class of this package, or without its parameters.
    """
    if isinstance(description, (list, tuple)):
        return type(description)(map(build_steps, description))
    if not isinstance(description, dict):
        return description
    if description.keys() != {"step", "parameters"}:
        raise ValueError(f"a step of preprocess has the keys {list(description)}")
    if description["step"] not in CLASSES:
        raise ValueError(f"preprocess has an unknown step {description['step']!r}")
    parameters = description["parameters"].items()
    parameters = {key: build_steps(item) for key, item in parameters}
    return CLASSES[description["step"]](**parameters)
