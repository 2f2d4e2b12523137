"""The inbox: one file a customer and month, listed in chunks that are always the same."""

import os
import shutil

import pytest

from fsdl_deploy.batch import inbox
from fsdl_deploy.cli import main
from fsdl_deploy.customers import Customers
from fsdl_deploy.picture import decode


def names(folder, month="2026-10", **options):
    return [picture for chunk in inbox.chunks(folder, month, **options) for picture in chunk.pictures]


def test_every_customer_has_one_card_and_it_is_the_right_one(tmp_path):
    customers = Customers(3, seed=5)
    assert inbox.fill(tmp_path, customers, "2026-10") == inbox.count_cards(tmp_path, "2026-10") == 3
    for i, picture in enumerate(names(tmp_path)):
        assert inbox.customer_of(picture) == customers.customer(i).name
        image = decode((tmp_path / "2026-10" / picture).read_bytes())
        card = customers.card(i, "2026-10").image
        assert image.shape == card.shape and abs(image.astype(int) - card).mean() < 4


def test_filling_again_changes_nothing_and_finishes_what_is_missing(tmp_path):
    inbox.fill(tmp_path, Customers(4), "2026-10", different=2)
    files = sorted((tmp_path / "2026-10" / "C0000").iterdir())
    before = [file.read_bytes() for file in files]
    assert before[0] == before[2] != before[1] == before[3]
    files[1].unlink()
    inbox.fill(tmp_path, Customers(4), "2026-10", different=2)
    assert [file.read_bytes() for file in files] == before


def test_chunks_stay_in_a_shard_and_backwards_has_the_same_chunks(month_of_cards):
    forwards = list(inbox.chunks(month_of_cards, "2026-10", 25))
    assert [len(chunk.pictures) for chunk in forwards] == [25, 25, 10, 25, 25, 10]
    assert list(inbox.chunks(month_of_cards, "2026-10", 25, backwards=True)) == forwards[::-1]
    assert len(set(names(month_of_cards))) == inbox.count_cards(month_of_cards, "2026-10") == 120


def test_half_written_and_hidden_files_are_left_alone_and_all_others_are_not(tmp_path, month_of_cards):
    shutil.copytree(month_of_cards, tmp_path, dirs_exist_ok=True)
    month = tmp_path / "2026-10"
    (month / "C0000" / "C0000001.part").write_bytes(b"half")
    (month / ".DS_Store").write_bytes(b"mac")
    os.mkfifo(month / "C0000" / "pipe.png")  # opening it would wait for ever
    (month / "flat.jpg").write_bytes(b"no picture, but no reason to lose it silently")
    assert set(names(tmp_path)) - set(names(month_of_cards)) == {"flat.jpg"}


@pytest.mark.parametrize(
    ("month", "error", "problem"),
    [("2026-13", ValueError, "YYYY-MM"), ("2026-11", FileNotFoundError, "no cards of 2026-11")],
)
def test_a_month_that_is_none_or_has_none_is_said(month_of_cards, month, error, problem):
    with pytest.raises(error, match=problem):
        names(month_of_cards, month)
    with pytest.raises(ValueError, match="at least one card"):
        names(month_of_cards, size=0)


def test_the_command(tmp_path, capsys):
    assert main(["inbox", str(tmp_path), "--customers", "3", "--different", "1", "--month", "2025-02"]) == 0
    assert capsys.readouterr().out.startswith("3 cards in")
    assert inbox.count_cards(tmp_path, "2025-02") == 3
    assert main(["inbox", str(tmp_path), "--different", "0"]) == 1
    assert main(["inbox", str(tmp_path), "--customers", "0"]) == 1
    capsys.readouterr()
    assert main(["inbox", str(tmp_path), "--seed", "-1"]) == 1
    assert "--seed is a whole number from 0 up" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    ["Thumbs.db", "desktop.ini", "DESKTOP.INI", "C1.jpg.crdownload", "C1.JPG.PART", "C1.jpg.filepart",
     "C1.tmp", "C1.jpg~", "~$C1.jpg", ".DS_Store", "._C1.jpg", "Icon\r"],
)  # fmt: skip
def test_what_nobody_sent_is_no_card(tmp_path, name):
    folder = tmp_path / "2026-10"
    for place in (folder, folder / "C0000", folder / "@eaDir", folder / "__MACOSX"):
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"x")
    (folder / "C0000" / "C0000001.jpg").write_bytes(b"x")
    (folder / "@eaDir" / "C0000001.jpg").write_bytes(b"a thumbnail")
    assert names(tmp_path) == [os.path.join("C0000", "C0000001.jpg")]
    assert inbox.count_cards(tmp_path, "2026-10") == 1


def test_a_chunk_has_a_size_that_fits_into_memory(tmp_path):
    (tmp_path / "2026-10").mkdir()
    for size, problem in ((0, "at least one"), (10**9, "at most 100,000")):
        with pytest.raises(ValueError, match=problem):
            list(inbox.chunks(tmp_path, "2026-10", size))
