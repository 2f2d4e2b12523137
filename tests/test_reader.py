import os
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
from expected import least_right

from fsdl_deploy.cards import cards
from fsdl_deploy.cli import main
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import PictureError, encode
from fsdl_deploy.reader import OnnxReader, TorchReader, batches, open_reader, pad
from fsdl_deploy.reading import Reading
from fsdl_deploy.weights import VERSIONS, WeightsError

SETTINGS = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")


@pytest.fixture(scope="module")
def pile():
    return [card for level in ("clean", "typical", "hard") for card in cards(20, level, seed=8)]


@pytest.mark.parametrize("version", VERSIONS)
def test_onnx_and_torch_say_the_same(version, pile):
    images = [card.image for card in pile]
    for onnx, torch in zip(OnnxReader(version).read(images), TorchReader(version).read(images), strict=True):
        assert onnx.digits == torch.digits
        assert onnx.confidence == pytest.approx(torch.confidence, abs=1e-4)
        assert onnx.digit_confidence == pytest.approx(torch.digit_confidence, abs=1e-4)


@pytest.mark.parametrize("height", [16, 32, 64, 90])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_parity_on_many_sizes_and_batches(height, count):
    onnx, torch = OnnxReader("v2"), TorchReader("v2")
    rng = np.random.default_rng(height * count)
    for _ in range(3):
        widths = rng.integers(height // 2, 6 * height, count)
        images = [rng.integers(0, 256, (height, int(w)), dtype=np.uint8) for w in widths]
        for a, b in zip(onnx.read(images), torch.read(images), strict=True):
            assert a.digits == b.digits and a.confidence == pytest.approx(b.confidence, abs=1e-4)


def test_reading_does_not_depend_on_the_company(pile):
    reader = OnnxReader("v2")
    images = [card.image for card in pile]
    together = reader.read(images)
    backwards = reader.read(images[::-1])[::-1]
    for reading, image, again in zip(together, images, backwards, strict=True):
        alone = reader.read([image])[0]
        assert alone.digits == reading.digits == again.digits
        assert alone.confidence == pytest.approx(reading.confidence, abs=1e-4)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_padding_changes_a_reading(version, pile):
    """Buckets of fixed widths, as some runtimes need them, read as the card alone: ``preprocess.MARGIN``."""
    reader = OnnxReader(version)
    for card in pile[:8]:
        digits, sure, confidence = reader.run(*pad([card.image]))
        for wider in (1, 7, 32, 300):
            padded = reader.run(*pad([card.image], card.image.shape[1] + wider))
            steps = digits.shape[1]
            assert (padded[0][:, :steps] == digits).all() and (padded[0][:, steps:] == -1).all()
            assert np.allclose(padded[1][:, :steps], sure, atol=1e-5)
            assert np.allclose(padded[2], confidence, atol=1e-5)


@pytest.mark.parametrize("version", ["teacher", "v2"])
def test_it_can_read(version):
    pile = list(cards(60, "clean", seed=3))
    readings = OnnxReader(version).read([card.image for card in pile])
    assert sum(r.digits == c.truth for r, c in zip(readings, pile, strict=True)) >= least_right(
        version, "clean", len(pile)
    )
    assert all(len(r.digits) == len(r.digit_confidence) and r.model_version == version for r in readings)


def test_sizes_may_be_mixed_and_order_is_kept(pile):
    small = [card.image[::2, ::2].copy() for card in pile]
    mixed = [image for pair in zip([c.image for c in pile], small, strict=True) for image in pair]
    readings = OnnxReader("v2").read(mixed)
    assert [r.digits for r in readings[::2]] == [
        r.digits for r in OnnxReader("v2").read([c.image for c in pile])
    ]


def test_batches_hold_every_picture_once_and_pad_with_paper():
    rng = np.random.default_rng(0)
    images = [
        rng.integers(0, 255, (int(rng.choice([32, 64])), int(rng.integers(32, 90))), dtype=np.uint8)
        for _ in range(50)
    ]
    seen = []
    for places, pictures, widths in batches(images, size=8):
        assert len(places) <= 8 and pictures.dtype == np.uint8
        for place, picture, width in zip(places, pictures, widths, strict=True):
            assert (picture[:, :width] == images[place]).all() and (picture[:, width:] == 255).all()
        seen += places
    assert sorted(seen) == list(range(50))


def test_nothing_to_read_and_a_blank_card():
    reader = OnnxReader("v2")
    assert reader.read([]) == []
    blank = reader.read([np.full((64, 200), 255, np.uint8)])[0]
    assert blank.digits == "" and blank.digit_confidence == ()


def test_a_bad_picture_is_named_by_its_place(pile):
    with pytest.raises(PictureError, match=r"picture 1: .*float64"):
        OnnxReader("v2").read([pile[0].image, pile[1].image / 255])


def test_open_reader_chooses_by_one_argument():
    assert isinstance(open_reader("v1"), OnnxReader)
    with open_reader(url="http://127.0.0.1:9") as remote:
        assert type(remote).__name__ == "RemoteReader"


def test_unknown_version_says_which_there_are():
    with pytest.raises(WeightsError, match=r"teacher.*v1.*v2"):
        OnnxReader("v9")


def test_command_reads_and_names_bad_files(tmp_path, capsys, pile):
    good, bad, missing = tmp_path / "card.png", tmp_path / "bad.png", tmp_path / "missing.png"
    good.write_bytes(encode(pile[0].image))
    bad.write_bytes(b"no picture")
    assert main(["read", str(good)]) == 0
    reading = OnnxReader("v2").read([pile[0].image])[0]
    assert capsys.readouterr().out.split("\t")[1] == reading.digits
    assert main(["read", str(bad), str(missing), str(good)]) == 1
    output = capsys.readouterr()
    assert f"{bad}: the bytes are not a picture" in output.err and f"{missing}: No such file" in output.err
    assert reading.digits in output.out, "the good one is read all the same"
    assert main(["read", "--version", "v9", str(good)]) == 1
    assert "v9" in capsys.readouterr().err


def test_reading_is_a_value():
    assert Reading("1", 0.5, (0.5,), "v2") == Reading("1", 0.5, (0.5,), "v2")


def test_onnx_reader_reports_nothing_and_writes_nothing_for_the_user(tmp_path):
    environ = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    program = "from fsdl_deploy.reader import OnnxReader; OnnxReader()"
    subprocess.run([sys.executable, "-c", program], env=environ | {"HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("height", [512, 700, 1000])
def test_a_large_picture_is_read_as_the_whole_graph_reads_it(height):
    reader = OnnxReader()
    for card in cards(4, seed=height):
        width = card.image.shape[1] * height // 64
        large = np.asarray(PIL.Image.fromarray(card.image).resize((width, height)))
        digits, _, confidence = reader.run(*pad([large]))
        (reading,) = reader.read([large])
        assert reading.digits == "".join(str(digit) for digit in digits[0] if digit >= 0)
        assert reading.confidence == pytest.approx(confidence[0], abs=0.1)


def test_few_large_pictures_go_to_the_model_together():
    images = [np.full((4000, 4000), 255, np.uint8), *[np.full((511, 4000), 255, np.uint8)] * 5]
    seen = [pictures.shape for _, pictures, _ in batches(images)]
    assert sum(count for count, *_ in seen) == 6 and max(map(np.prod, seen)) <= 2**22
    assert [places for places, *_ in batches([np.full((64, 300), 255, np.uint8)] * 32)] == [list(range(32))]


MEMORY = """
import numpy as np
import psutil
from fsdl_deploy.cards import cards
from fsdl_deploy.reader import OnnxReader

def megabytes():
    return psutil.Process().memory_info().rss / 2**20

reader, deck = OnnxReader(), [card.image for card in cards(32)]
reader.read(deck)
before = megabytes()
reader.read([np.full((3000, 5000), 255, np.uint8)] * 3)
reader.read(deck)
print(megabytes() - before)
"""


def test_memory_after_large_pictures_is_near_what_it_was():
    """Through the graph whole, three of 15 megapixels leave hundreds of MiB in ONNX Runtime's arena."""
    out = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True).stdout
    assert float(out) < 60


@pytest.mark.skipif(os.name != "posix", reason="elsewhere names are text")
def test_a_name_that_no_terminal_shows_ends_nothing(tmp_path):
    """Names that are no UTF-8, or hold an end of a line or a terminal's code; a terminal with ASCII only."""
    names = [b"Z\xe4hler.png", "Zähler.png".encode(), b"a\nb.png", b"\x1b[2J.png"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(encode(np.full((32, 96), 255, np.uint8)))
    command = [sys.executable, "-m", "fsdl_deploy.cli", "read", *names]
    for encoding, second in (("utf-8", "Zähler.png"), ("ascii", "Z\\xe4hler.png")):
        environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
        process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=120)
        lines = process.stdout.decode(encoding).splitlines()
        labels = [line.partition("\t")[0] for line in lines]
        assert labels == ["Z\\udce4hler.png", second, "a\\nb.png", "\\x1b[2J.png"], process.stderr
        assert process.returncode == 0
