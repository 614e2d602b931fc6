"""Reads real data sets from files into arrays and strings.

Knows only the module that finds the files.
"""

import os
from typing import Any

import numpy as np
from scipy.io import wavfile
from sklearn.utils import Bunch

from skseq.datasets._home import find_file


def fetch_ldc93s1(*, data_home=None, return_X_y=False) -> Any:
    """Load two spoken English utterances: a sentence and part of it.

    The sentence "She had your dark suit in greasy wash water all year", and its cut
    from 0.8 s to 2.0 s, "dark suit in greasy". It is the two-utterance set with which
    tutorials show that a model can learn anything at all.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that holds `ldc93s1/LDC93S1.wav` and `ldc93s1/LDC93S1.txt`; see
        :func:`get_data_home`.
    return_X_y : bool, default=False
        Whether to return `(audio, transcripts)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        audio : list of 2 ndarrays of shape (n_audio_samples,), dtype=int16
            The recordings, of 2.9 s and 1.2 s.
        transcripts : list of 2 str
            What is spoken, in lower-case letters and spaces, without punctuation.
        rate : int
            Audio samples per second, 16000.

    (audio, transcripts) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.

    Notes
    -----
    The recording is the sample that the Linguistic Data Consortium publishes of its
    TIMIT corpus, LDC93S1 [1]_, and remains under the Consortium's terms.

    References
    ----------
    .. [1] J. S. Garofolo et al., "TIMIT Acoustic-Phonetic Continuous Speech Corpus",
       LDC93S1, Linguistic Data Consortium, 1993.
       https://catalog.ldc.upenn.edu/LDC93S1
    """
    source = "https://catalog.ldc.upenn.edu/LDC93S1"
    rate, sentence = wavfile.read(find_file(data_home, "ldc93s1/LDC93S1.wav", source))
    line = find_file(data_home, "ldc93s1/LDC93S1.txt", source).read_text("utf-8")
    _start, _stop, *words = line.lower().split()
    transcript = "".join(c for c in " ".join(words) if c.isalpha() or c == " ")
    audio = [sentence, sentence[int(0.8 * rate) : int(2.0 * rate)]]
    transcripts = [transcript, "dark suit in greasy"]
    if return_X_y:
        return audio, transcripts
    return Bunch(audio=audio, transcripts=transcripts, rate=rate)


def fetch_spoken_digits(*, speakers=None, data_home=None, return_X_y=False) -> Any:
    """Load recordings of single English digits by several speakers.

    Each speaker says every digit 50 times. To see how well a model does on people it
    has not heard, split by `speaker`, for example with
    :class:`~sklearn.model_selection.LeaveOneGroupOut`.

    Parameters
    ----------
    speakers : list of str, default=None
        The names of the speakers whose recordings to return. None returns all.
    data_home : str or path-like, default=None
        The folder that holds `spoken_digits/spoken_digits.npz`; see
        :func:`get_data_home`.
    return_X_y : bool, default=False
        Whether to return `(audio, digit)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        audio : list of n_recordings ndarrays of shape (n_audio_samples,), dtype=int16
            The recordings, each a view of 0.1 s to 1.3 s into one array.
        digit : ndarray of shape (n_recordings,), dtype=int
            The digit that is spoken, 0 to 9.
        speaker : ndarray of shape (n_recordings,), dtype=str
            Who speaks it.
        index : ndarray of shape (n_recordings,), dtype=int
            Which of the speaker's recordings of that digit it is, 0 to 49.
        rate : int
            Audio samples per second, 8000.

    (audio, digit) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If one of `speakers` has no recordings.

    Notes
    -----
    The Free Spoken Digit Dataset [1]_, under the licence CC BY-SA 4.0.

    References
    ----------
    .. [1] Z. Jackson et al., "Free Spoken Digit Dataset".
       https://github.com/Jakobovski/free-spoken-digit-dataset
    """
    source = "https://github.com/Jakobovski/free-spoken-digit-dataset"
    data = _load_arrays(find_file(data_home, "spoken_digits/spoken_digits.npz", source))
    speaker = data["speaker_names"][data["speaker"]]
    chosen = np.flatnonzero(_is_chosen(speaker, speakers))
    stops = np.cumsum(data["length"], dtype=np.int64)
    starts = stops - data["length"]
    audio = [data["audio"][starts[i] : stops[i]] for i in chosen]
    digit = data["digit"][chosen].astype(np.int64)
    if return_X_y:
        return audio, digit
    return Bunch(
        audio=audio,
        digit=digit,
        speaker=speaker[chosen],
        index=data["index"][chosen].astype(np.int64),
        rate=int(data["rate"]),
    )


def fetch_captchas(*, data_home=None, return_X_y=False) -> Any:
    """Load images of distorted words of five characters.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that holds `captcha/captcha.npz`; see :func:`get_data_home`.
    return_X_y : bool, default=False
        Whether to return `(images, labels)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        images : ndarray of shape (n_images, n_columns, height), dtype=float32
            Grey values from 0 (black) to 1 (white). A frame is a column of 50 pixels,
            from top to bottom; 200 columns run from left to right.
        labels : list of n_images str
            The text of each image: five characters out of 19 digits and lower-case
            letters.

    (images, labels) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If the file is missing.

    Notes
    -----
    The images are from the set by R. Wilhelmy and H. Rosas that the Keras example on
    reading captchas uses [1]_; it comes without a licence of its own.

    References
    ----------
    .. [1] "OCR model for reading Captchas", Keras code examples.
       https://keras.io/examples/vision/captcha_ocr/
    """
    source = "https://keras.io/examples/vision/captcha_ocr/"
    data = _load_arrays(find_file(data_home, "captcha/captcha.npz", source))
    columns = data["images"].transpose(0, 2, 1)
    images = columns.astype(np.float32, order="C") / np.float32(255)
    labels = data["labels"].tolist()
    if return_X_y:
        return images, labels
    return Bunch(images=images, labels=labels)


def fetch_librispeech_speakers(*, data_home=None, return_X_y=False) -> Any:
    """Load frames of read English, one utterance of each of 251 speakers.

    To train an embedder on them and to see whether it tells people apart whom it has
    not heard, hold speakers out, and compare parts of their utterances. Parts of one
    utterance share the channel as well as the voice: remove the mean of each part, or
    the recording is recognized and not who speaks.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that holds `librispeech/train_speakers.npz`; see
        :func:`get_data_home`.
    return_X_y : bool, default=False
        Whether to return `(frames, speaker)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        frames : list of n_speakers ndarrays of shape (n_frames, 40), dtype=float32
            The natural logarithm of the power in 40 mel bands, in steps of 0.17. Each
            is a view into one array.
        speaker : ndarray of shape (n_speakers,), dtype=int
            The number of each speaker in the corpus.
        gender : ndarray of shape (n_speakers,), dtype=str
            "F" or "M".
        hop_seconds : float
            The time from one frame to the next, 0.01.

    (frames, speaker) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If the file is missing.

    See Also
    --------
    make_voices : Voices that are generated, several sequences of each.

    Notes
    -----
    From the clean training utterances of LibriSpeech [1]_, under the license CC BY 4.0.

    References
    ----------
    .. [1] V. Panayotov, G. Chen, D. Povey and S. Khudanpur, "Librispeech: An ASR corpus
       based on public domain audio books", ICASSP 2015. https://www.openslr.org/12
    """
    source = "https://www.openslr.org/12"
    name = "librispeech/train_speakers.npz"
    data = _load_arrays(find_file(data_home, name, source))
    values = data["frames"].astype(np.float32)
    values *= np.float32(data["step"])
    values += np.float32(data["lo"])
    frames = np.split(values, np.cumsum(data["lengths"], dtype=np.int64)[:-1])
    speaker = data["speaker"].astype(np.int64)
    if return_X_y:
        return frames, speaker
    return Bunch(
        frames=frames, speaker=speaker, gender=data["gender"], hop_seconds=0.01
    )


def _load_arrays(path: os.PathLike) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _is_chosen(speaker: np.ndarray, speakers: list[str] | None) -> np.ndarray:
    """Mark the recordings of any of `speakers`."""
    if speakers is None:
        return np.ones(len(speaker), dtype=bool)
    available = np.unique(speaker).tolist()
    if isinstance(speakers, str) or not len(speakers) or set(speakers) - set(available):
        raise ValueError(
            f"speakers must be a list of some of the names {available}. "
            f"Got {speakers!r} instead."
        )
    return np.isin(speaker, list(speakers))
