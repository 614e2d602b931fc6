"""Files are read as the waveforms that were written, at any rate and in any format."""

import doctest
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from skseq.preprocessing import LogMel, _recordings, read_audio

soundfile = pytest.importorskip("soundfile", reason='pip install "skseq[audio]"')


def sine(frequency, rate, seconds=1, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(rate * seconds) / rate)


def write(path, waveform, rate, subtype="PCM_16"):
    soundfile.write(path, waveform, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_a_sine_of_any_rate_is_the_same_sine_at_the_rate_that_is_asked(tmp_path, rate):
    path = write(tmp_path / "tone.wav", sine(440, rate), rate)
    [waveform] = read_audio([path], sample_rate=8000)
    expected = sine(440, 8000)
    assert (waveform.shape, waveform.dtype) == ((len(expected),), np.float32)
    inner = slice(100, -100)  # what lies beyond the ends is not known to a filter
    np.testing.assert_allclose(waveform[inner], expected[inner], atol=2e-3)


def test_what_a_lower_rate_cannot_hold_is_removed_and_nothing_comes_back(tmp_path):
    rate = 16000
    both = sine(500, rate) + sine(6000, rate, amplitude=0.3)
    path = write(tmp_path / "two.wav", both, rate)
    [waveform] = read_audio([path], sample_rate=8000)
    inner = slice(100, -100)
    np.testing.assert_allclose(waveform[inner], sine(500, 8000)[inner], atol=2e-3)


def test_channels_are_averaged(tmp_path):
    left, right = sine(440, 8000), sine(700, 8000, amplitude=0.2)
    path = write(tmp_path / "stereo.wav", np.column_stack([left, right]), 8000)
    [waveform] = read_audio([path], sample_rate=8000)
    np.testing.assert_allclose(waveform, (left + right) / 2, atol=1e-4)


@pytest.mark.parametrize(
    ("subtype", "error"),
    [
        ("PCM_U8", 1 / 127),
        ("PCM_16", 1 / 2**15),
        ("PCM_24", 1e-6),
        ("PCM_32", 1e-6),
        ("FLOAT", 1e-7),
        ("DOUBLE", 1e-7),
    ],
)
def test_numbers_of_every_width_become_the_same_floats(tmp_path, subtype, error):
    expected = sine(440, 8000, amplitude=0.9)
    path = write(tmp_path / "tone.wav", expected, 8000, subtype)
    [waveform] = read_audio([path], sample_rate=8000)
    np.testing.assert_allclose(waveform, expected, atol=error)


def test_integers_are_divided_as_log_mel_divides_them(tmp_path):
    integers = np.array([-(2**15), -1, 0, 1, 2**15 - 1] * 100, dtype="<i2")
    with wave.open(str(tmp_path / "raw.wav"), "wb") as file:
        file.setparams((1, 2, 8000, len(integers), "NONE", None))
        file.writeframes(integers.tobytes())
    waveforms = read_audio([tmp_path / "raw.wav"], sample_rate=8000)
    np.testing.assert_array_equal(waveforms[0], integers / 2**15)
    features = LogMel(8000)
    np.testing.assert_array_equal(
        features.transform(waveforms)[0], features.transform([integers])[0]
    )


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_compressed_files_are_read_too(tmp_path, suffix):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, sine(440, 16000), 16000)
    [waveform] = read_audio([path], sample_rate=16000)
    np.testing.assert_allclose(waveform, sine(440, 16000), atol=0.03)


def test_files_keep_their_order_and_lengths_as_one_array_of_objects(tmp_path):
    paths = [
        write(tmp_path / f"{n}.wav", np.zeros(n), 8000) for n in (300, 100, 100, 200)
    ]
    waveforms = read_audio(map(str, paths), sample_rate=8000)
    assert (waveforms.dtype, waveforms.shape) == (object, (4,))
    assert [len(w) for w in waveforms] == [300, 100, 100, 200]


def test_files_of_two_rates_and_in_stereo_give_the_same_frames(tmp_path):
    stereo = np.column_stack([sine(440, 44100)] * 2)
    paths = [
        write(tmp_path / "a.wav", sine(440, 8000), 8000),
        write(tmp_path / "b.wav", stereo, 44100),
    ]
    one, other = LogMel(8000).transform(read_audio(paths, sample_rate=8000))
    assert one.shape == other.shape
    strong = one[20] > one[20].max() - 5  # noise of rounding is not the same
    assert strong.sum() >= 2
    np.testing.assert_allclose(one[10:-10, strong], other[10:-10, strong], atol=0.02)


def test_a_mix_of_files_above_and_below_the_rate_is_warned_of(tmp_path):
    paths = [
        write(tmp_path / f"{rate}.wav", sine(440, rate), rate) for rate in (8000, 16000)
    ]
    with pytest.warns(UserWarning, match=r"1 file of 2, .*: sample_rate=8000\.$"):
        read_audio(paths, sample_rate=16000)
    read_audio(paths[:1], sample_rate=16000)
    read_audio(paths, sample_rate=8000)


def test_the_example_of_the_docstring_gives_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(_recordings)
    assert (found.failed, found.attempted) == (0, 6)


# Bad input


@pytest.mark.parametrize(
    ("paths", "error", "message"),
    [
        ("a.wav", TypeError, r"is one path, 'a.wav'. Pass \[path\]"),
        (Path("a.wav"), TypeError, r"is one path, PosixPath|WindowsPath"),
        (".", TypeError, r"For a folder, pass sorted\(Path\(folder\).glob"),
        (None, TypeError, "collection of paths. Got NoneType: None"),
        (3, TypeError, "collection of paths. Got int: 3"),
        ([], ValueError, "paths is empty. Check the folder"),
        ([np.zeros(9)], TypeError, r"paths\[0\] must be a str or a path. Got ndarray"),
        ([None], TypeError, r"paths\[0\] must be a str or a path. Got NoneType"),
        (["no.wav"], FileNotFoundError, r"paths\[0\] \('no.wav'\) .* current folder"),
        ([Path("/no.wav")], FileNotFoundError, r"'/no.wav'\) .* Correct the path"),
        (["."], ValueError, r"paths\[0\] \('.'\) is a folder. Pass the files in it"),
    ],
)
def test_what_names_no_file_is_refused(tmp_path, monkeypatch, paths, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        read_audio(paths)


def test_a_file_that_is_not_audio_is_named(tmp_path):
    good = write(tmp_path / "good.wav", sine(440, 16000), 16000)
    for name, content in {
        "text.wav": b"a text",
        "empty.wav": b"",
        "cut.wav": good.read_bytes()[:30],
        "raw.raw": b"1234",
        "none": b"RIFF",
    }.items():
        bad = tmp_path / name
        bad.write_bytes(content)
        message = rf"paths\[1\] \('.*{name}'\) cannot be read as audio: .*ffmpeg"
        with pytest.raises(ValueError, match=message):
            read_audio([good, bad])


def test_a_file_without_sound_is_named(tmp_path):
    path = write(tmp_path / "silent.wav", np.zeros(0), 16000)
    with pytest.raises(ValueError, match=r"silent.wav'\) holds no audio samples"):
        read_audio([path])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_file_with_a_value_that_is_not_finite_is_named(tmp_path, value):
    waveform = sine(440, 16000)
    waveform[7] = value
    path = write(tmp_path / "bad.wav", waveform, 16000, "FLOAT")
    with pytest.raises(ValueError, match=r"bad.wav'\) .* first at audio sample 7\."):
        read_audio([path])


@pytest.mark.parametrize("rate", [0, 16, -8000, 8000.0, None, "8000", True, 10**9])
def test_a_rate_that_is_not_in_hertz_is_refused(rate):
    message = r"'sample_rate' parameter of read_audio must be an int .*\[1000, 1000000"
    with pytest.raises(ValueError, match=message):
        read_audio(["a.wav"], sample_rate=rate)


def test_without_soundfile_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)  # as if it were not there
    with pytest.raises(ImportError, match=r'soundfile.*pip install "skseq\[audio\]"'):
        read_audio(["a.wav"])
