"""The reader that remembers: size, age, model version, single flight, errors."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fsdl_deploy.optimization.caching import CachedReader, Counts, key
from fsdl_deploy.picture import PictureError
from fsdl_deploy.reading import Reading


class Counting:
    """Reads the grey of a picture; counts; can be slow, and can fail."""

    def __init__(self, version="v2"):
        self.model_version, self.read_images = version, []
        self.gate, self.entered, self.error = threading.Event(), threading.Event(), None
        self.gate.set()

    def read(self, images):
        self.read_images += images
        self.entered.set()
        assert self.gate.wait(20)
        if self.error:
            raise self.error
        return [Reading(str(image[0, 0]), 1.0, (1.0,), self.model_version) for image in images]


def grey(value, width=40):
    return np.full((32, width), value, np.uint8)


def digits(readings):
    return [int(reading.digits) for reading in readings]


def test_the_second_time_is_from_memory_in_the_right_order():
    inner = Counting()
    reader = CachedReader(inner)
    assert digits(reader.read([grey(1), grey(2)])) == [1, 2]
    assert digits(reader.read([grey(3), grey(2), grey(1), grey(4)])) == [3, 2, 1, 4]
    assert len(inner.read_images) == 4
    assert reader.counts == Counts(hits=2, shared=0, misses=4) and reader.counts.hit_rate == 1 / 3


def test_the_same_picture_twice_in_one_call_is_read_once():
    inner = Counting()
    reader = CachedReader(inner)
    assert digits(reader.read([grey(7), grey(8), grey(7)])) == [7, 8, 7]
    assert len(inner.read_images) == 2


def test_another_shape_of_the_same_bytes_is_another_picture():
    wide = np.arange(32 * 64, dtype=np.uint32).astype(np.uint8).reshape(32, 64)
    assert key(wide, "v2") != key(wide.reshape(64, 32), "v2") != key(wide, "v3")
    assert key(wide, "v2") == key(np.asfortranarray(wide), "v2")


def test_a_new_model_reads_everything_again_and_the_old_answers_are_not_given():
    inner = Counting("v1")
    reader = CachedReader(inner)
    assert reader.read([grey(1)])[0].model_version == "v1"
    inner.model_version = "v2"
    assert reader.read([grey(1)])[0].model_version == "v2"
    assert len(inner.read_images) == 2


def test_it_stays_small_and_forgets_what_was_used_least_recently():
    inner = Counting()
    reader = CachedReader(inner, size=3)
    reader.read([grey(1), grey(2), grey(3)])
    reader.read([grey(1)])
    reader.read([grey(4)])
    assert len(reader) == 3
    before = len(inner.read_images)
    reader.read([grey(1), grey(4)])
    assert len(inner.read_images) == before
    reader.read([grey(2)])
    assert len(inner.read_images) == before + 1


def test_what_is_too_old_is_read_again():
    now = [0.0]
    inner = Counting()
    reader = CachedReader(inner, seconds=60)
    reader._kept = type(reader._kept)(10, 60, timer=lambda: now[0])
    reader.read([grey(1)])
    now[0] = 59
    reader.read([grey(1)])
    assert len(inner.read_images) == 1
    now[0] = 61
    reader.read([grey(1)])
    assert len(inner.read_images) == 2


def test_many_at_once_with_the_same_picture_share_one_reading():
    inner = Counting()
    inner.gate.clear()
    reader = CachedReader(inner)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(reader.read, [grey(5)])
        assert inner.entered.wait(20)
        others = [pool.submit(reader.read, [grey(5)]) for _ in range(8)]
        while reader.counts.shared < 8:
            assert not first.done()
        inner.gate.set()
        assert [digits(future.result(20)) for future in [first, *others]] == [[5]] * 9
    assert len(inner.read_images) == 1 and reader.counts.hit_rate == 8 / 9


def test_an_error_reaches_everybody_who_waits_and_is_not_remembered():
    inner = Counting()
    inner.gate.clear()
    inner.error = RuntimeError("the model is ill")
    reader = CachedReader(inner)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reader.read, [grey(5)])
        assert inner.entered.wait(20)
        second = pool.submit(reader.read, [grey(5)])
        while not reader.counts.shared:
            assert not first.done()
        inner.gate.set()
        for future in (first, second):
            with pytest.raises(RuntimeError, match="ill"):
                future.result(20)
    inner.error = None
    assert digits(reader.read([grey(5)])) == [5]


def behind(reader, first, *others):
    """The futures of read(first), and of read(other) for each of ``others``, which wait for its pictures."""
    inner, pool = reader.reader, ThreadPoolExecutor(1 + len(others))
    inner.gate.clear()
    inner.entered.clear()
    futures = [pool.submit(reader.read, first)]
    assert inner.entered.wait(20)
    futures += [pool.submit(reader.read, other) for other in others]
    while reader.counts.shared < sum(map(len, others)):
        assert not futures[0].done()
    pool.shutdown(wait=False)
    return futures


@pytest.mark.parametrize("answer", [[], None, ["one", "two"]])
def test_a_reader_that_miscounts_is_an_error_for_all_and_nobody_waits_for_ever(answer):
    inner = Counting()
    reader = CachedReader(inner)
    honest, inner.read = inner.read, lambda images: honest(images) and answer
    futures = behind(reader, [grey(1)], [grey(1)])
    inner.gate.set()
    for future in futures:
        with pytest.raises((RuntimeError, TypeError), match=r"readings for 1 pictures|NoneType"):
            future.result(20)
    assert len(reader) == 0 and not reader._under_way


def test_what_was_asked_of_the_old_model_is_read_by_it_and_kept_for_it_only():
    old, new = Counting("v1"), Counting("v2")
    reader = CachedReader(old)

    class Swapped(Counting):
        @property
        def model_version(self):
            reader.reader = new  # between the question for the version and the reading
            return "v1"

        @model_version.setter
        def model_version(self, version):
            pass

    reader.reader = Swapped()
    assert reader.read([grey(1)])[0].model_version == "v1"
    reader.reader = old
    assert reader.read([grey(1)])[0].model_version == "v1"
    reader.reader = new
    assert reader.read([grey(1)])[0].model_version == "v2"


def test_a_version_that_changes_during_a_reading_is_not_remembered_as_the_old_one():
    inner = Counting("v1")
    reader = CachedReader(inner)
    (future,) = behind(reader, [grey(1)])
    inner.model_version = "v2"  # as behind a URL, where it is known after the answer
    inner.gate.set()
    assert future.result(20)[0].model_version == "v2"
    inner.model_version = "v1"
    assert reader.read([grey(1)])[0].model_version == "v1"


def test_readings_of_several_versions_are_remembered():
    inner = Counting("v1, then v2")
    reader = CachedReader(inner)
    inner.read = lambda images: [Reading("1", 1.0, (1.0,), version) for version in ("v1", "v2")]
    reader.read([grey(1), grey(2)])
    assert len(reader) == 2


def test_a_bad_picture_is_no_error_for_who_waits_for_a_good_one_beside_it():
    inner = Counting()
    reader, honest = CachedReader(inner), inner.read

    def read(images):
        readings = honest(images)
        if any(image[0, 0] == 66 for image in images):
            raise RuntimeError("bad")
        return readings

    inner.read = read
    both, good, bad = behind(reader, [grey(1), grey(66)], [grey(1)], [grey(66)])
    inner.gate.set()
    assert digits(good.result(20)) == [1]
    for future in (both, bad):
        with pytest.raises(RuntimeError, match="bad"):
            future.result(20)
    assert len(reader) == 1 and reader.counts.shared <= 1


def test_an_interrupt_of_one_caller_is_not_raised_to_another():
    inner = Counting()
    reader = CachedReader(inner)
    inner.error = KeyboardInterrupt()
    first, second = behind(reader, [grey(5)], [grey(5)])
    inner.read = Counting().read  # for who asks again
    inner.gate.set()
    with pytest.raises(KeyboardInterrupt):
        first.result(20)
    assert digits(second.result(20)) == [5]


def test_pictures_are_hashed_before_the_lock_is_taken(monkeypatch):
    reader = CachedReader(Counting())

    def watching(image, version):
        assert not reader._lock.locked()
        return key(image, version)

    monkeypatch.setattr("fsdl_deploy.optimization.caching.key", watching)
    assert digits(reader.read([grey(1), grey(2)])) == [1, 2]


def test_fifty_threads_with_changing_models_and_errors_get_right_answers():
    class Moody(Counting):
        def read(self, images):
            if random.random() < 0.1:
                raise RuntimeError("mood")
            return [Reading(str(image[0, 0]), 1.0, (1.0,), self.model_version) for image in images]

    readers = [Moody("v1"), Moody("v2")]
    reader = CachedReader(readers[0], size=20)

    def customer(seed):
        chance = random.Random(seed)
        for _ in range(100):
            reader.reader = chance.choice(readers)
            values = [chance.randrange(30) for _ in range(chance.randint(1, 4))]
            try:
                assert digits(reader.read([grey(value) for value in values])) == values
            except RuntimeError as error:
                assert str(error) == "mood"

    with ThreadPoolExecutor(50) as pool:
        for future in [pool.submit(customer, seed) for seed in range(50)]:
            future.result(60)
    assert not reader._under_way
    for own in readers:
        own.read = lambda images, own=own: Counting.read(own, images)
        reader.reader = own
        readings = reader.read([grey(value) for value in range(30)])
        assert {reading.model_version for reading in readings} == {own.model_version}


def test_what_is_no_picture_is_named_by_its_place_and_nothing_is_read():
    inner = Counting()
    with pytest.raises(PictureError, match="picture 1: "):
        CachedReader(inner).read([grey(1), np.zeros((2, 2)), grey(2)])
    assert inner.read_images == []


@pytest.mark.parametrize("settings", [{"size": 0}, {"seconds": 0}])
def test_settings_without_sense_are_refused(settings):
    with pytest.raises(ValueError, match="at least 1"):
        CachedReader(Counting(), **settings)
