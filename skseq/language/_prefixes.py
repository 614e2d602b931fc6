"""The tree of the beginnings that texts share.

Its nodes are numbered so that a parent comes before its children. Knows no weights.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class PrefixTree:
    """The beginnings of some texts, the empty one first.

    The labels of a text are the code points of its characters.
    """

    parents: np.ndarray  # (n_nodes,) -1 for the root, node 0
    labels: np.ndarray  # (n_nodes,) the last label of each; -1 for the root
    depths: np.ndarray  # (n_nodes,) the number of labels
    ends: np.ndarray  # (n_texts,) the node of each whole text

    @classmethod
    def of(cls, texts: list[str]) -> "PrefixTree":
        """The tree of texts that are distinct, sorted and not empty.

        Neighbours in the order share the most, so that a text has new nodes from
        where it differs from the one before.
        """
        codes = _code_points(texts)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        starts = np.cumsum(lengths) - lengths
        rows = np.repeat(np.arange(len(texts)), lengths)  # the text of each label
        places = np.arange(len(codes)) - starts[rows]
        is_same = (rows > 0) & (places < lengths[rows - 1])
        before = (starts[rows - 1] + places)[is_same]
        is_same[is_same] = codes[is_same] == codes[before]
        shared = lengths.copy()
        np.minimum.at(shared, rows[~is_same], places[~is_same])
        is_new = places >= shared[rows]
        numbers = np.cumsum(is_new)
        depths = places[is_new] + 1
        return cls(
            np.append(-1, _parents(depths)),
            np.append(-1, codes[is_new]),
            np.append(0, depths),
            numbers[starts + lengths - 1],
        )

    @property
    def n_nodes(self) -> int:
        return len(self.parents)


def _code_points(texts: list[str]) -> np.ndarray:
    encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
    return np.frombuffer(encoded, "<u4").astype(np.int64)


def _parents(depths: np.ndarray) -> np.ndarray:
    """The parent of each node but the root: the last one before it that is shorter.

    Of all that come before a node and have one label less, it is the nearest.
    """
    n_nodes = len(depths) + 1
    numbers = np.arange(1, n_nodes)
    keys = np.sort(depths * n_nodes + numbers)
    places = np.searchsorted(keys, (depths - 1) * n_nodes + numbers) - 1
    return np.where(depths > 1, keys[places] % n_nodes, 0) if len(keys) else numbers
