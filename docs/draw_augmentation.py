"""Draws docs/augmentation/*.png: a sequence, and two draws of each augmenter.

python docs/draw_augmentation.py [NAME ...]
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from scipy.ndimage import zoom

from skseq import augmentation as a
from skseq.datasets import make_digit_strips, make_gestures, make_letters
from skseq.preprocessing import LogMel

FOLDER = Path(__file__).with_name("augmentation")
RATE = 8000
TEXT = "recurrent nets"

spoken = make_letters(
    1, n_letters=(5, 5), silence=(0.1, 0.1), sample_rate=RATE, random_state=0
).audio[0]
log_mel = LogMel(sample_rate=RATE, floor=1e-4)
mel = log_mel.transform([spoken])[0]
gesture = make_gestures(
    1, n_classes=2, weights=(1e-9, 1), length=(60, 60), noise=0.02, random_state=26
)[0][0]
strip = make_digit_strips(1, n_digits=(4, 4), gap=(1, 2), random_state=1)[0][0]
image = np.clip(zoom(strip.astype(float), 4, order=3, mode="nearest"), 0, 1)


# -- ways to draw a sequence ----------------------------------------------------------


def draw_mel(axes, frames: np.ndarray) -> None:
    axes.imshow(frames.T, origin="lower", aspect="auto", vmin=mel.min(), vmax=mel.max())
    axes.set_xlim(0, 1.25 * len(mel))
    axes.set_xlabel("frame")


def draw_sound(axes, waveform: np.ndarray) -> None:
    draw_mel(axes, log_mel.transform([waveform])[0])


def draw_wave(axes, waveform: np.ndarray) -> None:
    axes.plot(np.arange(len(waveform)) / RATE, waveform, linewidth=0.4)
    axes.set(ylim=(-0.8, 0.8), xlabel="second")


def draw_lines(axes, frames: np.ndarray) -> None:
    axes.plot(frames, linewidth=1.2)
    low, high = gesture.min(), gesture.max()
    margin = 0.4 * (high - low)
    axes.set(xlim=(0, 1.25 * len(gesture)), ylim=(low - margin, high + 2 * margin))
    axes.set_xlabel("frame")


def draw_image(axes, frames: np.ndarray) -> None:
    axes.imshow(frames.T, cmap="gray_r", vmin=0, vmax=1)
    axes.set_xticks([])


def draw_text(axes, text: str) -> None:
    axes.set(xlim=(-1, 1.15 * len(TEXT)), ylim=(-1, 1), xticks=[])
    axes.set_frame_on(False)
    for place, character in enumerate(text):
        shown = "␣" if character == " " else character
        axes.text(place, 0, shown, fontsize=13, family="monospace", ha="center")


# -- what is drawn --------------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """An augmenter, a sequence for it, how to draw that, and two telling seeds."""

    augment: Callable
    sequence: object
    draw: Callable
    seeds: tuple[int, ...]
    height: float = 1.5  # inches


def of_mel(augment, *seeds):
    return Picture(augment, mel, draw_mel, seeds)


def of_sound(augment, *seeds):
    return Picture(augment, spoken, draw_sound, seeds)


def of_gesture(augment, *seeds):
    return Picture(augment, gesture, draw_lines, seeds)


def of_image(augment, *seeds):
    return Picture(augment, image, draw_image, seeds, height=0.95)


def of_text(augment, *seeds):
    return Picture(augment, TEXT, draw_text, seeds, height=0.6)


PICTURES = [
    of_mel(a.FrequencyMask(), 0, 1),
    of_mel(a.TimeMask(), 0, 1),
    of_mel(a.SpecAugment(), 0, 1),
    of_mel(a.FeatureWarp(), 3, 4),
    of_gesture(a.TimeStretch(0.6, 1.6), 3, 4),
    of_gesture(a.GaussianNoise(0.2), 0, 1),
    of_gesture(a.FrameGain(0.5, 2), 3, 4),
    of_gesture(a.Shift(0.2), 0, 11),
    of_gesture(a.Crop(0.5), 1, 3),
    of_sound(a.SpeedPerturb(0.8, 1.25), 3, 4),
    of_sound(a.AddNoise(), 0, 3),
    Picture(a.Gain(), spoken, draw_wave, (3, 4)),
    of_sound(a.Reverberate(RATE, low=0.3, high=0.9, direct=0.0), 3, 4),
    of_image(a.Shear(), 3, 4),
    of_image(a.Elastic(1.5), 0, 1),
    of_image(a.Blur(2.0), 2, 5),
    of_text(a.TokenDropout(0.2), 0, 1),
    of_text(a.Swap(0.2), 0, 1),
    of_mel(a.Compose([a.FeatureWarp(), a.TimeStretch(), a.SpecAugment()]), 0, 1),
    of_gesture(a.OneOf([a.TimeStretch(0.6, 1.6), a.FrameGain(0.5, 2)]), 3, 1),
    of_image(a.Sometimes(a.Shear()), 3, 4),
]


def name_of(picture: Picture) -> str:
    return type(picture.augment).__name__


def draw(picture: Picture) -> Image.Image:
    """Draw the sequence and two draws side by side, in few colours."""
    figure, panels = plt.subplots(
        1, 3, figsize=(7.5, picture.height), sharey=True, layout="constrained"
    )
    generators = [np.random.default_rng(seed) for seed in picture.seeds]
    draws = [picture.augment(picture.sequence, rng) for rng in generators]
    titles = ("before", "one draw", "another")
    for axes, title, sequence in zip(
        panels, titles, [picture.sequence, *draws], strict=True
    ):
        axes.set_title(title, fontsize=9)
        picture.draw(axes, sequence)
        axes.set_yticks([])
        axes.tick_params(labelsize=7)
        axes.xaxis.label.set_size(8)
    written = BytesIO()
    figure.savefig(written, dpi=110)
    plt.close(figure)
    return Image.open(written).convert("RGB").quantize(48)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="augmenters to draw; all by default")
    names = parser.parse_args().names
    plt.switch_backend("Agg")
    FOLDER.mkdir(exist_ok=True)
    for picture in PICTURES:
        name = name_of(picture)
        if not names or name in names:
            draw(picture).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
