"""What messages call a sequence, its axes and what stands along them.

Knows no collection.
"""

from dataclasses import dataclass

from skseq._wording import counted


@dataclass(frozen=True)
class Terms:
    """The words for sequences of one kind."""

    item: str
    shape: str
    units: tuple[str, str]  # of either axis
    frames: str  # what to fill where values are missing
    flat: str  # the cure for a one-dimensional item among others
    other_width: str = ""  # the cure for a width that is not that of `fit`
    turned: str = "If it has the channels before time, as in aeon,"
    times_wider: int = 8  # than it has frames is a sequence that may be turned

    def deep(self, shape: tuple[int, ...]) -> str:
        """Say what becomes of an item of three dimensions or more."""
        text = f"every sample must be {self.shape} or (n_frames,)."
        if 1 in shape:
            return f"{text} Drop the axes of length 1: x.squeeze()."
        return (
            f"{text} If the first axis is time, make the others one: "
            "x.reshape(len(x), -1)."
        )

    def width(self, n: int) -> str:
        """Say how many features there are in a frame."""
        return f"{n} features"

    def size(self, n_frames: int, n_features: int) -> str:
        """Say how long and how wide sequences are."""
        return f"{counted(n_frames, 'frame')} of {counted(n_features, 'feature')} each"

    def unlike(self, n_frames: int, same_lengths: bool) -> str:
        """Say which axis is which, where the widths of sequences differ."""
        if not same_lengths:
            return (
                f" Sequences are {self.shape}, and may differ in n_frames alone. "
                "Select the features that all have; resize images to one size."
            )
        return (
            f" Sequences are {self.shape}, and these have {counted(n_frames, 'frame')} "
            f"each. If "
            "they are series with the channels first, or images with the rows first, "
            "transpose them: X = [x.T for x in X]."
        )


class _ImageTerms(Terms):
    def deep(self, shape):
        grey = f"an image is a {self.shape} array of grey values."
        colours = [axis for axis in (-1, 0) if shape[axis] in (1, 3, 4)]
        if len(shape) != 3 or not colours:
            return grey
        place, rows = ("first", "second") if colours[0] == 0 else ("last", "first")
        return (
            f"{grey} If the {place} axis holds colours, take their mean, "
            f"x.mean(axis={colours[0]}), and transpose it if the {rows} axis holds "
            f"rows, x.mean(axis={colours[0]}).T."
        )

    def width(self, n):
        return f"a height of {counted(n, 'pixel')}"

    def size(self, n_frames, n_features):
        width, height = counted(n_frames, "pixel"), counted(n_features, "pixel")
        return f"{width} in width and {height} in height"

    def unlike(self, n_frames, same_lengths):
        if same_lengths:
            return (
                f" Images are {self.shape} arrays, and these have "
                f"{counted(n_frames, 'pixel')} along their first axis each. If their "
                "rows come first, transpose them: X = [x.T for x in X]."
            )
        return (
            f" Images are {self.shape} arrays of one height. Resize them to one, or, "
            "if their rows come first, transpose them: X = [x.T for x in X]."
        )


FRAMES = Terms(
    item="sequence",
    shape="(n_frames, n_features)",
    units=("frame", "feature"),
    frames="frames",
    flat="Give a 1-D sequence its feature axis: x[:, np.newaxis].",
)

IMAGES = _ImageTerms(
    item="image",
    shape="(width, height)",
    units=("pixel column", "pixel row"),
    frames="pixels",
    flat="An image has two axes, (width, height).",
    other_width=" Resize the images to the height of those in fit.",
    turned="If their rows come first,",
    times_wider=2,
)
