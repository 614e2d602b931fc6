"""Audio features are what their definitions, written out in loops, say they are."""

import pickle
import re

import numpy as np
import pytest
from scipy.signal import get_window, spectrogram
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skseq.preprocessing import MFCC, LogMel, SequenceNormalizer, _mel

# At 1000 samples a second, frames of 25 samples every 10: small enough for loops.
SMALL = {"sample_rate": 1000, "n_mels": 6, "n_fft": 64}
FRAME, HOP = 25, 10


def waveforms(lengths=(120, 25, 7, 301), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, n) for n in lengths]


def mel(frequency):
    return 2595 * np.log10(1 + frequency / 700)


def triangles(n_mels, n_fft, sample_rate, f_min, f_max):
    """Rise and fall of each band, bin by bin."""
    step = (mel(f_max) - mel(f_min)) / (n_mels + 1)
    weights = np.zeros((n_fft // 2 + 1, n_mels))
    for k in range(n_fft // 2 + 1):
        place = mel(k * sample_rate / n_fft)
        for band in range(n_mels):
            left = mel(f_min) + band * step
            if left <= place <= left + step:
                weights[k, band] = (place - left) / step
            elif left + step <= place <= left + 2 * step:
                weights[k, band] = (left + 2 * step - place) / step
    return weights


def power_by_definition(frame, n_fft):
    """The sum of the discrete Fourier transform, term by term."""
    power = []
    for k in range(n_fft // 2 + 1):
        terms = [
            x
            * (0.5 - 0.5 * np.cos(2 * np.pi * t / len(frame)))
            * np.exp(-2j * np.pi * k * t / n_fft)
            for t, x in enumerate(frame)
        ]
        power.append(abs(sum(terms)) ** 2)
    return np.array(power)


def log_mel_by_definition(x, f_min=0.0, f_max=500.0, pre_emphasis=0.97, floor=1e-10):
    emphasized = [x[0] - pre_emphasis * x[0]]
    emphasized += [x[t] - pre_emphasis * x[t - 1] for t in range(1, len(x))]
    emphasized += [0.0] * (FRAME - len(x))
    weights = triangles(6, 64, 1000, f_min, f_max)
    rows = []
    for start in range(0, len(emphasized) - FRAME + 1, HOP):
        power = power_by_definition(emphasized[start : start + FRAME], 64)
        rows.append(np.log(np.maximum(power @ weights, floor)))
    return np.array(rows)


def tone(frequency, n_samples=4000, sample_rate=16000):
    return np.sin(2 * np.pi * frequency * np.arange(n_samples) / sample_rate)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"f_min": 20.0, "f_max": 400.0},
        {"pre_emphasis": 0.0},
        {"floor": 1.0},
    ],
    ids=str,
)
def test_log_mel_is_its_definition(parameters):
    X = waveforms((120, 25, 7))
    result = LogMel(**SMALL, **parameters).transform(X)
    for x, found in zip(X, result, strict=True):
        expected = log_mel_by_definition(x, **parameters)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_power_is_that_of_the_scipy_spectrogram():
    [x] = waveforms((16000,))
    window = get_window("hann", 400)
    *_, spectrum = spectrogram(
        x, 16000, window, noverlap=240, nfft=512, detrend=False,
        scaling="spectrum", mode="complex",
    )  # fmt: skip
    power = np.abs(spectrum.T * window.sum()) ** 2
    expected = np.log(power @ triangles(40, 512, 16000, 0, 8000))
    found = LogMel(pre_emphasis=0.0).transform([x])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_mel_filters_and_cepstrum_are_those_of_tensorflow():
    signal = pytest.importorskip("tensorflow").signal
    filters = _mel.mel_filters(16000, 512, 40, 20.0, 7600.0)
    expected = signal.linear_to_mel_weight_matrix(40, 257, 16000, 20.0, 7600.0)
    np.testing.assert_allclose(filters, expected, atol=1e-4)  # computed in float32
    log_mel = LogMel().transform([tone(440)])[0]
    cepstrum = signal.mfccs_from_log_mel_spectrograms(log_mel).numpy()
    cepstrum[:, 0] /= np.sqrt(2)  # the orthonormal transform scales only this one
    found = MFCC(lifter=0).transform([tone(440)])[0]
    np.testing.assert_allclose(found, cepstrum[:, :13], rtol=1e-3, atol=1e-3)


def test_thousand_hertz_are_a_thousand_mel():
    assert _mel._hertz_to_mel(1000.0) == pytest.approx(1000.0, abs=0.05)


@pytest.mark.parametrize("frequency", [200, 440, 1000, 3000, 7000])
def test_pure_tone_peaks_in_the_band_around_it(frequency):
    centres = np.linspace(0, mel(8000), 42)[1:-1]
    features = LogMel().transform([tone(frequency)])[0]
    expected = np.argmin(np.abs(centres - mel(frequency)))
    assert (features.argmax(axis=1) == expected).all()


def test_mfcc_is_the_cosine_sum_of_the_log_mel_energies():
    X = waveforms()
    log_mel = LogMel(**SMALL).transform(X)[0].astype(float)
    k, m = np.arange(4)[:, None], np.arange(6)
    basis = np.cos(np.pi * k * (m + 0.5) / 6) * np.sqrt(np.where(k == 0, 1, 2) / 6)
    found = MFCC(**SMALL, n_mfcc=4, lifter=0).transform(X)[0]
    np.testing.assert_allclose(found, log_mel @ basis.T, atol=1e-5)


def test_lifter_raises_a_coefficient_by_its_factor():
    X = [tone(440)]
    ratio = MFCC(lifter=22).transform(X)[0] / MFCC(lifter=0).transform(X)[0]
    # 1 + 11 sin(pi k / 22), worked out by hand.
    by_hand = [1, 2.57, 4.10, 5.57, 6.95, 8.20, 9.31, 10.25, 11.01, 11.55, 11.89, 12]
    np.testing.assert_allclose(ratio[0, :12], by_hand, atol=0.01)


@pytest.mark.parametrize("deltas", [1, 2])
def test_deltas_are_regression_slopes_with_edges_repeated(deltas):
    X = waveforms()
    found = LogMel(**SMALL, deltas=deltas).transform(X)[3]
    assert found.shape == (28, 6 * (deltas + 1))
    for order in range(deltas):
        static = found[:, 6 * order : 6 * (order + 1)]
        slope = found[:, 6 * (order + 1) : 6 * (order + 2)]
        for t in range(28):
            near = [static[np.clip(t + k, 0, 27)] for k in (-2, -1, 1, 2)]
            rise = 2 * (near[3] - near[0]) + near[2] - near[1]
            np.testing.assert_allclose(slope[t], rise / 10, atol=1e-5)


def test_slope_of_a_ramp_is_its_gradient_and_that_of_one_frame_zero():
    ramp = 3.0 * np.arange(9.0)[:, None]
    np.testing.assert_allclose(_mel.with_deltas(ramp, 1)[2:-2, 1], 3)
    np.testing.assert_array_equal(_mel.with_deltas(ramp[:1], 1)[:, 1], 0)


@pytest.mark.parametrize("n_samples", [1, 24, 25, 26, 34, 35, 36, 45, 300])
def test_frames_are_counted_as_documented(n_samples):
    result = LogMel(**SMALL).transform(waveforms((n_samples,)))
    assert len(result[0]) == 1 + max(0, n_samples - FRAME) // HOP


def test_impulse_is_heard_in_the_frames_that_cover_it():
    x = np.zeros(100)
    x[47] = 1.0
    features = LogMel(**SMALL, pre_emphasis=0.0).transform([x])[0]
    heard = np.flatnonzero(features.max(axis=1) > np.log(1e-9))
    starts = HOP * np.arange(len(features))
    np.testing.assert_array_equal(
        heard, np.flatnonzero((starts <= 47) & (starts + FRAME > 47))
    )


def test_louder_recording_differs_by_a_constant():
    X = waveforms()
    quiet, loud = (
        LogMel(**SMALL, deltas=1).transform(Z) for Z in (X, [10 * x for x in X])
    )
    for a, b in zip(quiet, loud, strict=True):
        np.testing.assert_allclose(b[:, :6] - a[:, :6], 2 * np.log(10), atol=1e-5)
        np.testing.assert_allclose(b[:, 6:], a[:, 6:], atol=1e-5)


def test_loudness_is_in_the_first_cepstral_coefficient_only():
    X = waveforms()
    quiet, loud = (
        MFCC(**SMALL, n_mfcc=5).transform(Z) for Z in (X, [9 * x for x in X])
    )
    for a, b in zip(quiet, loud, strict=True):
        np.testing.assert_allclose(b[:, 1:], a[:, 1:], atol=1e-4)
        assert (b[:, 0] > a[:, 0] + 1).all()


@pytest.mark.parametrize(("dtype", "scale"), [("int16", 2**15), ("int32", 2**31)])
def test_integers_are_fractions_of_their_full_range(dtype, scale):
    X = [(0.9 * scale * x).astype(dtype) for x in waveforms()]
    found = LogMel(**SMALL).transform(X)
    expected = LogMel(**SMALL).transform([x / scale for x in X])
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("form", [list, np.stack, lambda X: np.stack(X)[:, :, None]])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<i4"])
def test_integers_keep_their_range_in_every_form_of_X(form, dtype):
    X = [np.arange(-30, 30, dtype=dtype), np.arange(60, dtype=dtype)]
    scale = 2 ** (8 * X[0].dtype.itemsize - 1)
    X = [(x * (scale // 64)).astype(dtype) for x in X]
    expected = LogMel(**SMALL).transform([x / scale for x in X])
    for a, b in zip(LogMel(**SMALL).transform(form(X)), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_list_of_integers_has_no_clear_range():
    with pytest.raises(ValueError, match=r"X\[0\] has dtype int64"):
        LogMel(**SMALL).transform([[1, 2, 3], [4, 5, 6]])


def test_digital_silence_is_finite():
    result = MFCC().transform([np.zeros(1000, dtype=np.int16)])
    assert np.isfinite(result[0]).all()


@pytest.mark.parametrize(
    "extractor", [LogMel(**SMALL, deltas=2), MFCC(**SMALL, n_mfcc=4)]
)
class TestEveryExtractor:
    def test_waveform_alone_gives_the_same_bits_as_among_others(self, extractor):
        X = waveforms()
        for x, expected in zip(X, extractor.transform(X), strict=True):
            np.testing.assert_array_equal(extractor.transform([x])[0], expected)

    def test_result_is_ragged_float32(self, extractor):
        result = extractor.fit_transform(waveforms())
        assert (result.shape, result.dtype) == ((4,), object)
        assert {x.dtype for x in result} == {np.dtype(np.float32)}

    def test_3d_waveforms_give_a_3d_array(self, extractor):
        X = np.stack(waveforms((50, 50)))
        result = extractor.transform(X[:, :, np.newaxis])
        assert result.shape[:2] == (2, 3)
        np.testing.assert_array_equal(result[1], extractor.transform([X[1]])[0])

    def test_rows_of_a_matrix_are_waveforms_of_any_length(self, extractor):
        X = np.stack(waveforms((50, 50)))
        extractor = clone(extractor).fit(X)
        found = extractor.transform(X[:, :30])
        np.testing.assert_array_equal(found[1], extractor.transform([X[1, :30]])[0])
        assert extractor.n_features_in_ == 1

    def test_blocks_give_what_one_piece_gives(self, extractor, monkeypatch):
        X = waveforms()
        expected = extractor.transform(X)
        monkeypatch.setattr(_mel, "_BLOCK", 3)
        for a, b in zip(extractor.transform(X), expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)

    def test_read_only_input_is_left_as_it_was(self, extractor):
        X = waveforms()
        before = [x.copy() for x in X]
        for x in X:
            x.flags.writeable = False
        extractor.fit_transform(X)
        for x, y in zip(X, before, strict=True):
            np.testing.assert_array_equal(x, y)

    def test_clone_and_pickle_transform_alike(self, extractor):
        X = waveforms()
        expected = extractor.fit(X).transform(X)[0]
        for copy in (clone(extractor), pickle.loads(pickle.dumps(extractor))):
            np.testing.assert_array_equal(copy.transform(X)[0], expected)

    def test_pipeline_passes_frames_on(self, extractor):
        pipeline = make_pipeline(clone(extractor), SequenceNormalizer())
        pipeline.set_params(**{f"{pipeline.steps[0][0]}__deltas": 1})
        result = pipeline.fit_transform(waveforms())
        np.testing.assert_allclose(result[0].mean(axis=0), 0, atol=1e-5)

    def test_two_channels_are_refused_and_leave_no_trace(self, extractor):
        extractor = clone(extractor)
        with pytest.raises(ValueError, match=r"one channel.*X\[0\] has 2 channel"):
            extractor.fit([x.reshape(-1, 2) for x in waveforms((120, 50))])
        assert len(extractor.transform(waveforms())) == 4

    @pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
    def test_integers_of_unclear_range_are_refused(self, extractor, dtype):
        X = [np.zeros(30), np.zeros(30, dtype=dtype)]
        with pytest.raises(ValueError, match=rf"X\[1\] has dtype {dtype}"):
            extractor.transform(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"sample_rate": 0},
            r"'sample_rate' .* float in the range \(0.0, inf\)",
        ),
        ({"window_seconds": "25"}, "'window_seconds' parameter .* must be a float"),
        (
            {"window_seconds": 1e-6},
            "window_seconds=1e-06 is less than one audio",
        ),
        ({"hop_seconds": 1e-6}, "hop_seconds=1e-06 is less than one audio sample"),
        (
            {"n_fft": 399},
            r"'n_fft' .* int in the range \[400, inf\) or None. Got 399",
        ),
        ({"n_mels": 0}, r"'n_mels' .* int in the range \[1, inf\). Got 0 instead"),
        ({"n_mels": 2.5}, "'n_mels' parameter of LogMel must be an int"),
        ({"n_mels": 300}, "n_mels=300 makes band 0 so narrow"),
        ({"sample_rate": 1e12}, r"would take gigabytes\. Correct sample_rate=100"),
        ({"sample_rate": 999, "window_seconds": 1e308}, "would take gigabytes"),
        ({"n_fft": 2**40}, "n_fft=1099511627776 points would take gigabytes"),
        ({"n_mels": 10**12}, "n_mels=1000000000000 bands .* would take gigabytes"),
        ({"f_min": 8000}, r"'f_min' .* range \[0.0, 8000.0\)"),
        ({"f_max": 8001}, r"'f_max' .* range \(0.0, 8000.0\] or None"),
        ({"f_min": 500, "f_max": 400}, r"'f_max' .* range \(500.0, 8000.0\]"),
        ({"pre_emphasis": -0.1}, "'pre_emphasis' parameter of LogMel"),
        ({"floor": 0.0}, "'floor' parameter of LogMel"),
        ({"deltas": 3}, r"'deltas' .* int in the range \[0, 2\]. Got 3"),
        ({"deltas": True}, "'deltas' parameter of LogMel must be an int"),
    ],
    ids=str,
)
def test_bad_parameter_is_named_by_fit_and_transform(parameters, message):
    extractor = LogMel(**parameters)
    for method in (extractor.fit, extractor.transform):
        with pytest.raises(ValueError, match=message):
            method([tone(440)])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_mfcc": 41}, r"'n_mfcc' parameter of MFCC .* range \[1, 40\]. Got 41"),
        ({"n_mfcc": 0}, r"'n_mfcc' .* range \[1, 40\]"),
        ({"lifter": -1}, "'lifter' parameter of MFCC must be a float"),
    ],
    ids=str,
)
def test_bad_parameter_of_the_cepstrum_is_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        MFCC(**parameters).fit([tone(440)])


# -- what is easily mistaken ------------------------------------------------------


@pytest.mark.parametrize("Transformer", [LogMel, MFCC])
@pytest.mark.parametrize("name", ["window_seconds", "hop_seconds"])
def test_samples_given_for_seconds_are_refused_with_the_division(Transformer, name):
    transformer = Transformer(sample_rate=16000, **{name: 160})
    with pytest.raises(ValueError, match=rf"{name}=160 / 16000, which is 0\.01\."):
        transformer.transform([tone(440)])


@pytest.mark.parametrize("sample_rate", [1, 50, 999])
def test_slow_signals_may_have_frames_of_seconds(sample_rate):
    features = LogMel(
        sample_rate=sample_rate, window_seconds=64, hop_seconds=32, n_mels=4
    ).transform([np.ones(128 * sample_rate)])
    assert features[0].shape == (3, 4)


def test_a_frame_of_a_second_is_not_too_long():
    transformer = LogMel(sample_rate=8000, window_seconds=1, hop_seconds=1)
    assert transformer.transform([np.ones(16000)])[0].shape == (2, 40)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_channels_first_are_told_to_be_mixed_along_the_first_axis(n_channels):
    X = [np.stack([tone(440)] * n_channels)]
    with pytest.raises(ValueError, match=r"x\[0\].*x\.mean\(axis=0\)"):
        LogMel().transform(X)
    assert LogMel().transform([X[0].mean(axis=0)])[0].shape[0] > 20


def test_channels_last_are_told_to_be_mixed_along_the_last_axis():
    X = [np.stack([tone(440)] * 2, axis=1)]
    with pytest.raises(ValueError, match=r"x\.mean\(axis=1\)"):
        LogMel().transform(X)
    assert LogMel().transform([X[0].mean(axis=1)])[0].shape[0] > 20


def test_channels_first_of_several_lengths_are_told_to_be_mixed_too():
    X = [tone(440)[None], tone(440, 3000)[None]]
    with pytest.raises(ValueError, match=r"X = \[x\.mean\(axis=0\) if x\.ndim == 2"):
        LogMel().transform(X)
    assert len(LogMel().transform([x.mean(axis=0) for x in X])) == 2


def cure_of(error):
    """The line that an error or a warning says to write."""
    return re.search(r"X = (.*)\.$", str(error)).group(1)


MONO = tone(440)
PCM = (MONO * 30000).astype(np.int16)
MIXED = {
    "mono and stereo": ([MONO, np.stack([MONO] * 2, axis=1)], MONO),
    "a column and stereo": ([MONO[:, None], np.stack([MONO] * 2, axis=1)], MONO),
    "mono and stereo, channels first": ([MONO, np.stack([MONO] * 2)], MONO),
    "stereo integers": ([PCM, np.stack([PCM] * 2, axis=1)], PCM),
    "an array of stereo": (np.stack([np.stack([MONO] * 2)] * 2), MONO),
}


def test_the_line_against_channels_in_several_layouts_keeps_every_sound():
    X = [np.stack([MONO] * 2), np.stack([MONO] * 2, axis=1), MONO]
    with pytest.raises(ValueError, match=r"X\[0\] has 2 channels") as refusal:
        LogMel().transform(X)
    line = re.search(r"X = (\[.*\]), after", str(refusal.value)).group(1)
    for features in LogMel().transform(eval(line, {"X": X, "np": np})):
        np.testing.assert_array_equal(features, LogMel().transform([MONO])[0])


@pytest.mark.parametrize("name", MIXED)
def test_the_line_against_several_channels_keeps_the_sound(name):
    X, mono = MIXED[name]
    with pytest.raises(ValueError, match=r"X\[\d\] has 2 channels") as refusal:
        LogMel().transform(X)
    mixed = eval(cure_of(refusal.value), {"X": X})
    expected = LogMel().transform([mono])[0]
    for features in LogMel().transform([mixed[-1]]):
        np.testing.assert_allclose(features, expected, atol=1e-3)


def test_a_recording_of_two_channels_is_not_read_as_many_waveforms():
    X = np.stack([MONO] * 2, axis=1)
    with pytest.raises(ValueError, match="takes the rows of a 2-D X") as refusal:
        LogMel().transform(X)
    (features,) = LogMel().transform(eval(cure_of(refusal.value), {"X": X}))
    np.testing.assert_array_equal(features, LogMel().transform([MONO])[0])


@pytest.mark.parametrize("normal", [MONO, PCM])
@pytest.mark.parametrize("is_first", [True, False])
def test_the_line_against_mixed_scales_makes_them_one(normal, is_first):
    X = [PCM.astype(float), normal][:: 1 if is_first else -1]
    with pytest.warns(UserWarning, match="X mixes scales: .* floats up to") as caught:
        LogMel().transform(X)
    assert len(caught) == 1
    one, other = LogMel().transform(eval(cure_of(caught[0].message), {"X": X}))
    assert abs(one.max() - other.max()) < 0.5


@pytest.mark.filterwarnings("error")
def test_loud_waveforms_of_one_scale_are_taken_as_they_are():
    LogMel().transform([PCM.astype(float), 500.0 * MONO, np.zeros(1000)])
    LogMel().transform([PCM, MONO, 0.001 * MONO])


@pytest.mark.parametrize("Transformer", [LogMel, MFCC])
@pytest.mark.parametrize("name", ["window_seconds", "hop_seconds"])
def test_frames_longer_than_every_waveform_are_refused_by_fit(Transformer, name):
    transformer = Transformer(sample_rate=8000, **{name: 0.9})
    message = rf"{name}=0\.9 is 7200 .* has 5000, .* Lower it, or check sample_rate\."
    with pytest.raises(ValueError, match=message):
        transformer.fit([np.ones(5000), np.ones(4000)])
    with pytest.warns(UserWarning, match="each becomes a single frame"):
        assert len(transformer.transform([np.ones(5000)])[0]) == 1
    assert len(transformer.fit_transform([np.ones(5000), np.ones(7200)])) == 2


def test_samples_for_seconds_of_slow_signals_are_refused_by_every_use():
    transformer = LogMel(sample_rate=100, window_seconds=1, hop_seconds=160, n_mels=4)
    with pytest.raises(ValueError, match=r"hop_seconds=160 / 100\.$"):
        transformer.transform([np.ones(9000)])


def test_values_of_16_bits_in_a_wider_type_are_warned_of_once():
    narrow = (1e4 * np.sin(np.arange(4000.0))).astype("int16")
    with pytest.warns(UserWarning, match=r"X\[1\] is int32, .* x\.astype\(np\.int16\)"):
        LogMel().transform([narrow, narrow.astype("int32"), narrow.astype("int32")])


def test_values_of_24_bits_in_a_wider_type_are_warned_of():
    wide = (8e6 * np.sin(np.arange(4000.0))).astype("int32")
    with pytest.warns(UserWarning, match=r"as those of 24 bits do; .*: x / 2\*\*23\."):
        LogMel().transform([wide])


def test_a_window_in_milliseconds_is_refused_with_what_it_is_in_seconds():
    transformer = LogMel(sample_rate=16000, window_seconds=25, hop_seconds=10)
    with pytest.raises(ValueError, match=r"in milliseconds, divide by 1000: 0\.025\."):
        transformer.transform([MONO])


@pytest.mark.filterwarnings("error")
def test_loud_values_of_32_bits_are_taken_as_they_are():
    LogMel().transform([(1e8 * np.sin(np.arange(4000.0))).astype("int32")])
