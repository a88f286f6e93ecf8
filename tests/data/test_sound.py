"""WAV folders: sample types, channels, rates and lengths, against the features of the very samples."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.io import wavfile

from tests.data.kinds import wav_bytes, write_wav
from tests.features.configurations import frames_of
from tinynas.data import IntLogMel, MelFeatures, Normalization, load
from tinynas.data.readers.quiet import levels
from tinynas.data.readers.wav import read_wav
from tinynas.errors import DataError
from tinynas.features import fixed, from_dict
from tinynas.runs.settings import DataSource

RATE = 4000


def tone(n=1200, hz=500.0):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(n) / RATE)


def folder(path, n=4, length=1200):
    for name, hz in (("high", 1200.0), ("low", 300.0)):
        for number in range(n):
            write_wav(path / name / f"{number}.wav", tone(length, hz + number))
    return path


def test_the_features_are_recorded_and_are_those_of_the_samples(tmp_path) -> None:
    data = load(folder(tmp_path))
    made = data.features
    assert isinstance(made, IntLogMel)
    assert replace(made, log_scale=17, log_zero=0) == IntLogMel.for_sound(RATE, 1200)
    assert data.input_shape == (made.n_frames, made.n_mels, 1)
    assert data.normalization == Normalization((0.0,), (1 / 255,), "uint8")
    assert (data.x.min(), data.x.max()) == (0, pytest.approx(1, abs=2 / made.log_scale))  # the training part's range
    found = np.concatenate([made.apply(read_wav(file)[1][None]) for file in sorted(tmp_path.glob("*/*.wav"))])
    wanted = {data.normalization.apply(one[..., None]).tobytes() for one in found}
    assert {sample.tobytes() for sample in (*data.x, *data.x_test)} == wanted


def test_decibels_are_there_when_asked_for(tmp_path) -> None:
    data = load(folder(tmp_path), features="log_mel")
    assert data.features == MelFeatures.for_sound(RATE, 1200)
    decibels = np.concatenate(
        [data.features.apply(read_wav(file)[1][None]) for file in sorted(tmp_path.glob("*/*.wav"))]
    )
    wanted = {data.normalization.apply(one[..., None]).tobytes() for one in decibels}
    assert {sample.tobytes() for sample in (*data.x, *data.x_test)} == wanted


@pytest.mark.parametrize("kind", ["noise", "pcan"])
def test_noise_reduction_begins_with_the_softest_frames(tmp_path, kind) -> None:
    rng = np.random.default_rng(0)
    for name, hz in (("high", 1200.0), ("low", 300.0)):
        for number in range(4):
            quiet = rng.normal(0, 40 / 32768, 2400)
            quiet[1000:1800] += tone(800, hz + number)
            write_wav(tmp_path / name / f"{number}.wav", quiet)
    data = load(tmp_path, features=f"int_log_mel+{kind}")
    made = data.features
    assert isinstance(made, IntLogMel)
    assert made.noise is not None
    assert made.noise.pcan == (kind == "pcan")
    assert "Noise reduction begins with the noise of the softest tenth of all frames (23 frames)." in data.notes
    frames = np.lib.stride_tricks.sliding_window_view(fixed.to_int16(rng.normal(0, 40 / 32768, 40_000)), made.frame)
    mean = made.magnitudes(frames[:: made.hop]).mean(axis=0)
    assert np.mean(np.array(made.noise.background) / 1024 / mean) == pytest.approx(0.9, abs=0.15)  # it is the softest
    files = sorted(tmp_path.glob("*/*.wav"))
    found = np.concatenate(
        [made.after_noise(level).apply(read_wav(file)[1][None]) for file, level in zip(files, levels(8), strict=True)]
    )
    wanted = {data.normalization.apply(one[..., None]).tobytes() for one in found}
    assert {sample.tobytes() for sample in (*data.x, *data.x_test)} == wanted
    assert load(tmp_path, features=f"int_log_mel+{kind}").digest == data.digest
    assert from_dict(made.to_dict()) == made


def test_the_noise_before_a_recording_is_of_many_levels_and_that_of_a_test_part_is_the_background(tmp_path) -> None:
    decibels = 20 * np.log10(levels(2000))
    assert (decibels.min(), decibels.mean(), decibels.max()) == (
        pytest.approx(-12, abs=0.1),
        pytest.approx(0, abs=0.5),
        pytest.approx(12, abs=0.1),
    )
    folder(tmp_path / "train")
    folder(tmp_path / "test", n=2)
    data = load(tmp_path, features="int_log_mel+pcan")
    made = data.features
    assert isinstance(made, IntLogMel)
    files = sorted((tmp_path / "test").glob("*/*.wav"))
    found = made.apply(np.concatenate([fixed.to_int16(read_wav(file)[1])[None] for file in files]))
    assert (data.normalization.apply(found[..., None]) == data.x_test).all()
    loud, soft = (made.after_noise(factor).noise for factor in (2.0, 1e9))
    assert made.noise is not None
    assert loud is not None
    assert soft is not None
    assert loud.background == tuple(2 * each for each in made.noise.background)
    assert max(soft.background) == 2**32 - 1


@pytest.mark.parametrize(
    ("name", "where"), [("_background_noise_", "folder _background_noise_"), ("Silence", "class 'Silence'")]
)
def test_recordings_of_noise_are_the_background(tmp_path, name, where) -> None:
    folder(tmp_path)
    rng = np.random.default_rng(0)
    for number in range(5):
        write_wav(tmp_path / name / f"{number}.wav", rng.normal(0, 0.01, 1200))
        write_wav(tmp_path / "unknown" / f"{number}.wav", rng.normal(0, 0.2, 1200))
    data = load(tmp_path, features="int_log_mel+noise")
    made = data.features
    assert isinstance(made, IntLogMel)
    assert made.noise is not None
    assert f"Noise reduction begins with the noise of the {where} (70 frames)." in data.notes
    noises = [fixed.to_int16(read_wav(file)[1]) for file in sorted((tmp_path / name).glob("*.wav"))]
    views = [np.lib.stride_tricks.sliding_window_view(each, made.frame)[:: made.hop] for each in noises]
    frames = np.concatenate(views)
    assert (made.noise.background == np.round(1024 * made.magnitudes(frames).mean(axis=0))).all()


def test_digital_silence_is_no_noise(tmp_path) -> None:
    for name, hz in (("high", 1200.0), ("low", 300.0), ("silence", 0.0)):
        for number in range(4):
            write_wav(tmp_path / name / f"{number}.wav", np.concatenate([np.zeros(800), tone(400, hz)]))
    made = load(tmp_path, features="int_log_mel+pcan").features
    assert isinstance(made, IntLogMel)
    assert made.noise is not None
    rng = np.random.default_rng(0)
    faint = np.round(rng.normal(0, 2, (2000, made.frame))).astype(np.int16)
    np.testing.assert_allclose(np.array(made.noise.background) / 1024, made.magnitudes(faint).mean(axis=0), rtol=0.35)


def test_windows_of_a_recording_follow_what_is_before_them(tmp_path) -> None:
    folder(tmp_path, length=12_000)
    write_wav(tmp_path / "_noise_" / "faint.wav", np.random.default_rng(0).normal(0, 1e-4, 9000))
    data = load(tmp_path, window=600, stride=330, features="int_log_mel+noise")
    made = data.features
    assert isinstance(made, IntLogMel)
    sounds = [fixed.to_int16(read_wav(file)[1]) for file in sorted(tmp_path.glob("[!_]*/*.wav"))]
    levelled = [made.after_noise(level) for level in levels(8)]
    starts = np.arange(0, 12_000 - 599, 330)
    logs = [each.logs_of_windows(sound, starts) for each, sound in zip(levelled, sounds, strict=True)]
    wanted = {data.normalization.apply(one[..., None]).tobytes() for one in made.bytes_of(np.concatenate(logs))}
    assert {sample.tobytes() for sample in (*data.x, *data.x_test)} == wanted
    alone = levelled[0].logs(frames_of(made, sounds[0][9900:10_500]))
    assert logs[0][30].max() < alone.max() - 65536 // 2  # half a neper: the tone has become the noise


def test_frames_of_windows_that_overlap_are_those_of_clips(tmp_path) -> None:
    folder(tmp_path, length=2000)
    for kind in ("int_log_mel", "log_mel"):
        data = load(tmp_path, mels=10, window=600, stride=130, features=kind)
        sounds = [read_wav(file)[1] for file in sorted(tmp_path.glob("*/*.wav"))]
        clips = np.concatenate([np.lib.stride_tricks.sliding_window_view(each, 600)[::130] for each in sounds])
        found = {sample.tobytes() for sample in (*data.x, *data.x_test)}
        assert found == {data.normalization.apply(one[..., None]).tobytes() for one in data.features.apply(clips)}


def test_a_run_from_before_the_choice_goes_on_with_decibels(tmp_path) -> None:
    before = load(folder(tmp_path), features="log_mel")
    source = DataSource(kind="path", path=str(tmp_path), digest=before.digest)
    assert source.load().digest == before.digest
    now = load(tmp_path)
    assert source.model_copy(update={"digest": now.digest}).load().features == now.features
    assert source.model_copy(update={"digest": "other"}).load().features == now.features  # the caller tells


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_every_sample_type_is_brought_to_one(tmp_path, dtype) -> None:
    wave = tone()
    if dtype == np.uint8:
        raw = np.round(wave * 127 + 128).astype(dtype)
    else:
        raw = (wave * (np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1)).astype(dtype)
    wavfile.write(tmp_path / "a.wav", RATE, raw)
    rate, sound, is_open = read_wav(tmp_path / "a.wav")
    assert not is_open
    assert rate == RATE
    np.testing.assert_allclose(sound, wave, atol=0.01)


def test_channels_are_averaged(tmp_path) -> None:
    wavfile.write(tmp_path / "a.wav", RATE, np.stack([tone(), 0 * tone()], axis=1).astype(np.float32))
    np.testing.assert_allclose(read_wav(tmp_path / "a.wav")[1], tone() / 2, atol=1e-6)


def test_rates_must_agree_or_be_brought_together(tmp_path) -> None:
    folder(tmp_path)
    time = np.arange(2400) / 8000
    wavfile.write(tmp_path / "low" / "9.wav", 8000, (0.5 * np.sin(2 * np.pi * 300 * time)).astype(np.float32))
    with pytest.raises(DataError, match=r"sample rates differ \(.*4000 Hz, .*8000 Hz\): give sample_rate"):
        load(tmp_path)
    data = load(tmp_path, sample_rate=4000)
    assert data.features is not None
    assert (data.features.sample_rate, data.features.clip) == (4000, 1200)
    resampled = load(folder(tmp_path), sample_rate=3000)
    assert resampled.features is not None
    assert resampled.features.clip == 900


def test_short_files_end_with_silence_and_windows_cut_long_ones(tmp_path) -> None:
    folder(tmp_path, length=1200)
    write_wav(tmp_path / "low" / "short.wav", tone(300))
    whole = load(tmp_path, mels=10)
    assert len(whole.x) + len(whole.x_test) == 9
    assert whole.groups is None
    cut = load(tmp_path, mels=10, window=500, stride=250)
    assert len(cut.x) + len(cut.x_test) == 8 * 3 + 1  # starts at 0, 250, 500 of 1200; the short one once
    assert cut.groups is not None
    assert len(cut.groups.names) == 9


def test_a_window_longer_than_every_file(tmp_path) -> None:
    with pytest.raises(
        DataError, match="the longest file has 1,200 samples at 4000 Hz, fewer than the window of 2,000,000,000"
    ):
        load(folder(tmp_path), window=2_000_000_000)


@pytest.mark.parametrize("options", [{}, {"window": 600, "stride": 300}])
def test_two_parts_each_with_its_own_lengths(tmp_path, options) -> None:
    folder(tmp_path / "train", n=4, length=1200)
    folder(tmp_path / "test", n=2, length=1000)
    write_wav(tmp_path / "test" / "low" / "long.wav", tone(1900))
    data = load(tmp_path, mels=10, **options)
    assert data.features is not None
    assert data.features.clip == options.get("window", 1200)
    assert (len(data.x), len(data.x_test)) == ((24, 4 * 2 + 5) if options else (8, 5))


def test_long_recordings_need_a_window(tmp_path) -> None:
    folder(tmp_path, n=2, length=RATE * 11)
    with pytest.raises(DataError, match=r"longest file lasts 11\.0 s: give window"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read as a WAV file"),
        (b"RIFF", "cannot be read as a WAV file"),
        (b"noise" * 100, "cannot be read as a WAV file"),
        (wav_bytes(0), "holds 0 samples"),
        (wav_bytes(500)[:-10], "Reached EOF prematurely"),
        (wav_bytes(500, rate=1), "holds 500 samples at 1 Hz"),
        (wav_bytes(500).replace(b"data", b"junk"), "cannot be read as a WAV file"),
    ],
)
def test_broken_files_are_named(tmp_path, content, sentence) -> None:
    folder(tmp_path)
    (tmp_path / "low" / "3.wav").write_bytes(content)
    with pytest.raises(DataError, match=rf"low/3\.wav: .*{sentence}"):
        load(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_floats_that_are_no_sound(tmp_path, value) -> None:
    folder(tmp_path)
    wavfile.write(tmp_path / "low" / "3.wav", RATE, np.full(1200, value, dtype=np.float32))
    with pytest.raises(DataError, match=r"low/3\.wav: holds float32 samples beyond any range of sound"):
        load(tmp_path)


def test_nothing_but_silence_cannot_be_learned(tmp_path) -> None:
    for name in ("a", "b"):
        for number in range(3):
            write_wav(tmp_path / name / f"{number}.wav", np.zeros(1200))
    with pytest.raises(DataError, match="every training clip has the same features"):
        load(tmp_path)


def test_clips_too_short_for_a_frame(tmp_path) -> None:
    folder(tmp_path, length=50)
    with pytest.raises(DataError, match="clips of 50 samples at 4000 Hz are shorter than a frame"):
        load(tmp_path)
    with pytest.raises(DataError, match="too narrow for the FFT: at most"):
        load(folder(tmp_path), mels=300)


def unknown(n, size, align=2, riff=None, extra=b"") -> bytes:
    """A WAV file of n 16-bit samples whose data chunk claims `size` bytes, as of a recorder that could not go back."""
    import struct

    sound = (8000 * np.sin(np.arange(n) * 0.3)).astype("<i2").tobytes()
    head = b"RIFF" + struct.pack("<I", size if riff is None else riff) + b"WAVE" + extra
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, align, 16)
    return head + form + b"data" + struct.pack("<I", size) + sound


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7FFFF000])
@pytest.mark.parametrize("riff", [None, 0, 36, 0xFFFFFFFF])
@pytest.mark.parametrize("extra", [b"", b"LIST\x04\0\0\0INFO", b"junk\x03\0\0\0abc\0"])
def test_sound_of_unknown_length_is_read_to_the_end(tmp_path, size, riff, extra) -> None:
    (tmp_path / "a.wav").write_bytes(unknown(900, size, riff=riff, extra=extra) + b"\x07")  # half a sample too much
    sound = read_wav(tmp_path / "a.wav")
    assert sound.is_open
    wanted = (8000 * np.sin(np.arange(900) * 0.3)).astype("<i2").astype(np.float64) / 2**15
    np.testing.assert_array_equal(sound.samples, wanted.astype(np.float32))


def test_it_is_said_which_files_do_not_know_their_length(tmp_path) -> None:
    folder(tmp_path)
    for number in range(2):
        (tmp_path / "low" / f"{number}.wav").write_bytes(unknown(1200, 0xFFFFFFFF * number))
    data = load(tmp_path)
    assert "2 files do not say how long they are (0.wav, 1.wav) and were read to their end." in data.notes
    assert len(data.x) + len(data.x_test) == 8


def test_sound_that_is_truly_empty_or_cut_off_is_still_told(tmp_path) -> None:
    for content in (unknown(0, 0), unknown(0, 0) + b"LIST\x04\0\0\0INFO", wav_bytes(500)[:-10]):
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(DataError, match=r"a\.wav: (cannot be read as a WAV file|holds 0 samples)"):
            read_wav(tmp_path / "a.wav")


def test_windows_of_sound_in_seconds(tmp_path) -> None:
    folder(tmp_path, length=4000)
    assert load(tmp_path, window="200ms", stride="100ms").digest == load(tmp_path, window=800, stride=400).digest
    assert load(tmp_path, sample_rate="2k").features.sample_rate == 2000
