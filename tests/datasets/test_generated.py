from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import LeaveOneGroupOut

from skseq.datasets import (
    fetch_captchas,
    fetch_ldc93s1,
    fetch_librispeech_speakers,
    fetch_spoken_digits,
    get_data_home,
    make_digit_strips,
    make_spoken_digit_strings,
)
from skseq.preprocessing import MFCC, LogMel


@pytest.fixture(scope="module")
def label_of_image():
    """The label of each scikit-learn digit, by its pixels column by column."""
    digits = load_digits()
    keys = [(image.T / 16).astype(np.float32).tobytes() for image in digits.images]
    return dict(zip(keys, digits.target, strict=True))


def blocks(strips):
    """The 8x8 images of strips without gaps, as bytes."""
    joined = np.concatenate(strips)
    return [block.tobytes() for block in joined.reshape(-1, 8, 8)]


@pytest.mark.parametrize("gap", [0, 2])
def test_a_strip_is_exactly_its_images_and_gaps(label_of_image, gap):
    X, y = make_digit_strips(20, gap=(gap, gap), random_state=0)
    for strip, label in zip(X, y, strict=True):
        assert strip.dtype == np.float32
        assert strip.shape == (8 * len(label) + gap * (len(label) + 1), 8)
        cells = strip[gap:].reshape(len(label), 8 + gap, 8)
        assert not strip[:gap].any()
        assert not cells[:, 8:].any()
        read = [label_of_image[cell[:8].tobytes()] for cell in cells]
        assert "".join(map(str, read)) == label


def test_train_and_test_strips_share_no_image(label_of_image):
    options = {"n_samples": 1500, "gap": (0, 0), "random_state": 0}
    train, test, both = (
        set(blocks(make_digit_strips(**options, subset=subset)[0]))
        for subset in ("train", "test", "all")
    )
    assert train | test | both <= label_of_image.keys()
    assert not train & test
    assert (len(train), len(test)) == (pytest.approx(1438, abs=30), 359)
    assert both & train
    assert both & test


def test_strips_have_every_allowed_number_of_digits_and_gap():
    _, y = make_digit_strips(200, n_digits=(2, 4), random_state=0)
    assert {len(label) for label in y} == {2, 3, 4}
    X, _ = make_digit_strips(200, n_digits=(1, 1), gap=(1, 3), random_state=0)
    assert {len(strip) - 8 for strip in X} == {2, 3, 4, 5, 6}


def test_noise_has_the_standard_deviation_asked_for():
    options = {"n_samples": 300, "n_digits": (4, 4), "gap": (2, 2)}
    X, _ = make_digit_strips(**options, noise=0.5, random_state=0)
    blank = np.concatenate([strip[:2] for strip in X])
    assert blank.std() == pytest.approx(0.5, rel=0.05)
    assert abs(blank.mean()) < 0.03


def test_same_random_state_gives_the_same_strips():
    X, y = make_digit_strips(5, noise=0.1, random_state=3)
    X_again, y_again = make_digit_strips(5, noise=0.1, random_state=3)
    X_other, _ = make_digit_strips(5, noise=0.1, random_state=4)
    assert y == y_again
    np.testing.assert_equal(X, X_again)
    assert not np.array_equal(np.concatenate(X), np.concatenate(X_other))


def test_given_strings_are_written_with_images_of_their_digits():
    strings = ["9081726354", "00", "7"]
    X, y = make_digit_strips(strings=strings, gap=(1, 1), random_state=0)
    assert y == strings
    images = load_digits()
    names = {
        image.T.tobytes(): str(name)
        for image, name in zip(
            (images.images / 16).astype("float32"), images.target, strict=True
        )
    }
    for x, string in zip(X, strings, strict=True):
        columns = x[1:].reshape(len(string), 9, 8)[:, :8]
        found = [names[np.ascontiguousarray(image).tobytes()] for image in columns]
        assert "".join(found) == string


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
        ({"n_samples": 2.5}, TypeError, "n_samples must be an instance of int"),
        ({"n_digits": (0, 3)}, ValueError, r"n_digits\[0\] == 0, must be >= 1"),
        ({"n_digits": (3, 2)}, ValueError, r"n_digits\[1\] == 2, must be >= 3"),
        ({"n_digits": 3}, TypeError, "n_digits must be a pair .* Got 3 instead"),
        ({"gap": (-1, 3)}, ValueError, r"gap\[0\] == -1, must be >= 0"),
        ({"gap": (0.5, 3)}, TypeError, r"gap\[0\] must be an instance of int"),
        ({"noise": -0.1}, ValueError, "noise == -0.1, must be >= 0"),
        ({"subset": "dev"}, ValueError, "among .'train', 'test', 'all'.* Got 'dev'"),
        ({"strings": "12"}, TypeError, r"must be a list of str. Pass \['12'\]"),
        ({"strings": ["1", "1a"]}, ValueError, r"digits.*strings\[1\] is '1a'"),
        ({"strings": ["1", ""]}, ValueError, r"digits.*strings\[1\] is ''"),
        ({"strings": [12]}, ValueError, r"digits.*strings\[0\] is 12"),
    ],
)
def test_strips_refuse_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_digit_strips(**options)


def test_data_home_is_the_argument_then_the_variable_then_a_folder_at_home(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("SKSEQ_DATA_HOME", str(tmp_path / "variable"))
    assert get_data_home(tmp_path / "argument") == tmp_path / "argument"
    assert get_data_home() == tmp_path / "variable"
    monkeypatch.delenv("SKSEQ_DATA_HOME")
    assert get_data_home() == Path.home() / "skseq_data"
    assert get_data_home("~/x") == Path.home() / "x"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fetch", "name"),
    [
        (fetch_ldc93s1, "ldc93s1/LDC93S1.wav"),
        (fetch_spoken_digits, "spoken_digits/spoken_digits.npz"),
        (make_spoken_digit_strings, "spoken_digits/spoken_digits.npz"),
        (fetch_captchas, "captcha/captcha.npz"),
        (fetch_librispeech_speakers, "librispeech/train_speakers.npz"),
    ],
)
def test_a_missing_set_says_what_to_put_where(fetch, name, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        fetch(data_home=tmp_path)
    message = str(caught.value)
    for part in (name, str(tmp_path / name), "https://", "SKSEQ_DATA_HOME"):
        assert part in message


@pytest.fixture
def digits_home(tmp_path):
    """A set of 12 recordings: the value of each audio sample tells its recording."""
    length = np.arange(3, 15, dtype=np.int32)
    (tmp_path / "spoken_digits").mkdir()
    np.savez(
        tmp_path / "spoken_digits" / "spoken_digits.npz",
        audio=np.repeat(np.arange(1, 13, dtype=np.int16), length),
        length=length,
        digit=np.arange(12, dtype=np.int8) % 4,
        speaker=np.repeat(np.arange(3, dtype=np.int8), 4),
        index=np.zeros(12, dtype=np.int8),
        speaker_names=np.array(["ann", "bob", "cy", "nobody"]),
        rate=np.int64(100),
    )
    return tmp_path


def test_spoken_digits_are_cut_at_their_lengths(digits_home):
    data = fetch_spoken_digits(data_home=digits_home)
    assert [set(audio.tolist()) for audio in data.audio] == [{i} for i in range(1, 13)]
    assert [len(audio) for audio in data.audio] == list(range(3, 15))
    assert data.speaker.tolist() == ["ann"] * 4 + ["bob"] * 4 + ["cy"] * 4
    assert data.rate == 100


def test_spoken_digits_of_chosen_speakers_are_theirs_alone(digits_home):
    data = fetch_spoken_digits(speakers=["cy", "ann"], data_home=digits_home)
    assert set(data.speaker) == {"ann", "cy"}
    assert np.unique(np.concatenate(data.audio)).tolist() == [1, 2, 3, 4, 9, 10, 11, 12]
    assert data.digit.tolist() == [0, 1, 2, 3] * 2
    audio, digit = fetch_spoken_digits(
        speakers=["bob"], data_home=digits_home, return_X_y=True
    )
    assert len(audio) == len(digit) == 4


@pytest.mark.parametrize("speakers", [["nobody"], ["ann", "zoe"], "ann", []])
def test_unknown_speakers_are_refused_with_the_known_ones(speakers, digits_home):
    with pytest.raises(ValueError, match=r"names \['ann', 'bob', 'cy'\]\. Got"):
        fetch_spoken_digits(speakers=speakers, data_home=digits_home)


def test_a_digit_string_is_its_recordings_with_silence_between(digits_home):
    recordings = fetch_spoken_digits(data_home=digits_home)
    data = make_spoken_digit_strings(
        60, n_digits=(2, 5), pause=(0.02, 0.15), data_home=digits_home, random_state=0
    )
    assert {len(string) for string in data.strings} == {2, 3, 4, 5}
    assert set(data.speaker) == {"ann", "bob", "cy"}
    for audio, string, speaker, chosen, bounds in zip(
        data.audio,
        data.strings,
        data.speaker,
        data.recordings,
        data.bounds,
        strict=True,
    ):
        parts = [recordings.audio[i] for i in chosen]
        np.testing.assert_array_equal(audio[audio != 0], np.concatenate(parts))
        for part, (start, stop) in zip(parts, bounds, strict=True):
            np.testing.assert_array_equal(audio[start:stop], part)
        pauses = bounds[1:, 0] - bounds[:-1, 1]
        assert pauses.min() >= 2
        assert pauses.max() <= 15
        assert len(audio) == sum(map(len, parts)) + pauses.sum()
        assert (bounds[0, 0], bounds[-1, 1]) == (0, len(audio))
        assert string == "".join(str(recordings.digit[i]) for i in chosen)
        assert set(recordings.speaker[chosen]) == {speaker}
        assert audio.dtype == np.int16


def test_digit_strings_split_by_speaker_share_no_recording(digits_home):
    data = make_spoken_digit_strings(40, data_home=digits_home, random_state=0)
    folds = LeaveOneGroupOut().split(data.audio, data.strings, groups=data.speaker)
    heard = [
        {value for i in part for value in data.audio[i] if value}
        for fold in folds
        for part in fold
    ]
    assert len(heard) == 6
    for train, test in zip(heard[::2], heard[1::2], strict=True):
        assert train
        assert test
        assert not train & test


def test_same_random_state_gives_the_same_digit_strings(digits_home):
    options = {"n_samples": 10, "data_home": digits_home, "return_X_y": True}
    audio, strings = make_spoken_digit_strings(**options, random_state=1)
    audio_again, strings_again = make_spoken_digit_strings(**options, random_state=1)
    _, strings_other = make_spoken_digit_strings(**options, random_state=2)
    assert strings == strings_again != strings_other
    np.testing.assert_equal(audio, audio_again)


def test_given_strings_are_spoken_each_by_one_speaker(digits_home):
    recordings = fetch_spoken_digits(data_home=digits_home)
    known = {
        name: "".join(map(str, recordings.digit[recordings.speaker == name]))
        for name in np.unique(recordings.speaker)
    }
    spoken = set.intersection(*map(set, known.values()))
    strings = [digit * n for n in (1, 3) for digit in sorted(spoken)]
    data = make_spoken_digit_strings(
        strings=strings, data_home=digits_home, random_state=0
    )
    assert data.strings == strings
    for string, chosen, speaker in zip(
        strings, data.recordings, data.speaker, strict=True
    ):
        assert "".join(map(str, recordings.digit[chosen])) == string
        assert set(recordings.speaker[chosen]) == {speaker}


@pytest.mark.parametrize(
    ("strings", "error", "says"),
    [
        ("12", TypeError, r"Pass \['12'\]"),
        (["1", ""], ValueError, r"strings\[1\] is ''"),
        (["1a"], ValueError, r"strings\[0\] is '1a'"),
        ([12], ValueError, r"strings\[0\] is 12"),
    ],
)
def test_what_is_spoken_is_made_of_digits(strings, error, says, digits_home):
    with pytest.raises(error, match=says):
        make_spoken_digit_strings(strings=strings, data_home=digits_home)


def test_a_digit_that_a_speaker_never_spoke_is_named(digits_home):
    recordings = fetch_spoken_digits(speakers=["ann"], data_home=digits_home)
    missing = min(set(range(10)) - set(recordings.digit.tolist()))
    with pytest.raises(ValueError, match=f"digit {missing}, of which 'ann' has no"):
        make_spoken_digit_strings(
            strings=[str(missing)], speakers=["ann"], data_home=digits_home
        )


# Frames of 8 audio samples, each 3 after the last.
FRAMES = {"window_seconds": 0.08, "hop_seconds": 0.03, "n_mels": 2}


@pytest.mark.parametrize("Features", [LogMel, MFCC])
def test_a_frame_has_the_label_of_what_is_spoken_in_its_middle(digits_home, Features):
    extra = {"n_mfcc": 2} if Features is MFCC else {}
    recordings = fetch_spoken_digits(data_home=digits_home)
    data = make_spoken_digit_strings(
        150,
        n_digits=(1, 3),
        data_home=digits_home,
        frames=Features(100, **FRAMES, **extra),
        random_state=0,
    )
    assert min(map(len, data.audio)) <= 4  # the middle of a frame lies beyond its end
    for audio, frames, labels in zip(data.audio, data.frames, data.labels, strict=True):
        assert frames.shape == (len(labels), 2)
        for i, label in enumerate(labels):
            # The value of an audio sample tells its recording.
            value = audio[min(3 * i + 4, len(audio) - 1)]
            spoken = str(recordings.digit[value - 1]) if value else "pause"
            assert label == spoken
    assert {*np.concatenate(data.labels)} == {"0", "1", "2", "3", "pause"}


def test_strings_are_the_same_bits_with_labels_of_frames_and_without(digits_home):
    options = {"n_samples": 10, "data_home": digits_home, "random_state": 0}
    without = make_spoken_digit_strings(**options)
    labeled = make_spoken_digit_strings(**options, frames=LogMel(100, **FRAMES))
    assert labeled.keys() - without.keys() == {"frames", "labels"}
    for name, values in without.items():
        np.testing.assert_equal(labeled[name], values)
    X, y = make_spoken_digit_strings(
        **options, frames=LogMel(100, **FRAMES), return_X_y=True
    )
    np.testing.assert_equal((X, y), (labeled.frames, labeled.labels))


def test_what_cuts_into_frames_is_left_as_it_was(digits_home):
    log_mel = LogMel(100, **FRAMES)
    make_spoken_digit_strings(3, data_home=digits_home, frames=log_mel)
    assert not hasattr(log_mel, "n_features_in_")


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        (LogMel(), r"sample rate of the recordings, 100\. .* pass LogMel\(100\)"),
        (MFCC(8000), r"Got MFCC with sample_rate=8000; pass MFCC\(100\)"),
        (LogMel, "'frames' parameter .* instance of 'skseq.*LogMel' or None"),
        ("frame", "'frames' parameter .* Got 'frame' instead"),
    ],
)
def test_what_cuts_into_frames_must_fit_the_recordings(frames, says, digits_home):
    with pytest.raises(ValueError, match=says):
        make_spoken_digit_strings(2, data_home=digits_home, frames=frames)


def test_real_strings_have_eleven_labels_and_pauses_where_nothing_is_heard(data_home):
    data = make_spoken_digit_strings(
        60, data_home=data_home, frames=LogMel(8000), random_state=0
    )
    assert {*np.concatenate(data.labels)} == {*"0123456789", "pause"}
    for audio, string, frames, labels in zip(
        data.audio, data.strings, data.frames, data.labels, strict=True
    ):
        assert frames.shape == (len(labels), 40)
        assert len(labels) == 1 + (len(audio) - 200) // 80
        changes = np.append(True, labels[1:] != labels[:-1])
        runs = labels[changes & (labels != "pause")]
        assert "".join(runs) == string
        silent = [not audio[80 * i : 80 * i + 200].any() for i in range(len(labels))]
        assert {*labels[silent]} <= {"pause"}


def test_digit_strings_refuse_a_negative_pause(digits_home):
    with pytest.raises(ValueError, match=r"pause\[0\] == -0\.1, must be >= 0"):
        make_spoken_digit_strings(pause=(-0.1, 0.1), data_home=digits_home)


def test_captcha_frames_are_the_columns_of_the_image(tmp_path):
    images = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)
    (tmp_path / "captcha").mkdir()
    np.savez(tmp_path / "captcha" / "captcha.npz", images=images, labels=["ab", "cd"])
    X, y = fetch_captchas(data_home=tmp_path, return_X_y=True)
    np.testing.assert_allclose(X[1][4] * 255, images[1, :, 4])
    assert X.shape == (2, 5, 3)
    assert y == ["ab", "cd"]


def test_frames_of_speakers_are_the_stored_steps_cut_at_their_lengths(tmp_path):
    stored = np.arange(5 * 2, dtype=np.uint8).reshape(5, 2)
    (tmp_path / "librispeech").mkdir()
    np.savez(
        tmp_path / "librispeech" / "train_speakers.npz",
        frames=stored,
        lengths=np.array([2, 3], dtype=np.int32),
        speaker=[19, 7],
        gender=["F", "M"],
        lo=-3.0,
        step=0.5,
    )
    data = fetch_librispeech_speakers(data_home=tmp_path)
    np.testing.assert_array_equal(data.frames[0], [[-3.0, -2.5], [-2.0, -1.5]])
    np.testing.assert_array_equal(data.frames[1][2], [1.0, 1.5])
    assert [x.shape for x in data.frames] == [(2, 2), (3, 2)]
    assert {x.dtype for x in data.frames} == {np.dtype(np.float32)}
    assert (data.speaker.tolist(), data.gender.tolist()) == ([19, 7], ["F", "M"])
    X, y = fetch_librispeech_speakers(data_home=tmp_path, return_X_y=True)
    np.testing.assert_array_equal(X[1], data.frames[1])
    assert y.tolist() == [19, 7]


def test_a_pickle_among_the_data_is_not_opened(tmp_path):
    (tmp_path / "captcha").mkdir()
    labels = np.array(["ab", None], dtype=object)
    np.savez(
        tmp_path / "captcha" / "captcha.npz", images=np.zeros((2, 1, 1)), labels=labels
    )
    with pytest.raises(ValueError, match="allow_pickle=False"):
        fetch_captchas(data_home=tmp_path)


def test_ldc93s1_is_the_sentence_and_its_cut(data_home):
    data = fetch_ldc93s1(data_home=data_home)
    assert data.transcripts == [
        "she had your dark suit in greasy wash water all year",
        "dark suit in greasy",
    ]
    assert data.rate == 16000
    assert [(len(audio), audio.dtype) for audio in data.audio] == [
        (46797, np.int16),
        (19200, np.int16),
    ]
    whole, cut = data.audio
    np.testing.assert_array_equal(whole[12800:32000], cut)


def test_spoken_digits_hold_every_digit_of_every_speaker_equally_often(data_home):
    data = fetch_spoken_digits(data_home=data_home)
    for name in np.unique(data.speaker):
        assert np.bincount(data.digit[data.speaker == name]).tolist() == [50] * 10
    assert data.rate == 8000
    assert {audio.dtype for audio in data.audio} == {np.dtype(np.int16)}
    assert min(map(len, data.audio)) > 0.1 * data.rate


def test_captchas_are_grey_images_with_five_characters_of_19(data_home):
    data = fetch_captchas(data_home=data_home)
    assert data.images.shape == (len(data.labels), 200, 50)
    assert data.images.dtype == np.float32
    assert (data.images.min(), data.images.max()) == (0, 1)
    assert {len(label) for label in data.labels} == {5}
    assert len(set("".join(data.labels))) == 19


def test_librispeech_has_one_utterance_of_each_of_251_speakers(data_home):
    data = fetch_librispeech_speakers(data_home=data_home)
    assert len({*data.speaker.tolist()}) == len(data.frames) == 251
    assert {*data.gender.tolist()} == {"F", "M"}
    assert {x.shape[1] for x in data.frames} == {40}
    minutes = sum(map(len, data.frames)) * data.hop_seconds / 60
    assert minutes == pytest.approx(52, abs=1)
    values = np.concatenate(data.frames)
    assert np.log(1e-10) - 1e-4 < values.min() < values.max() < 25
