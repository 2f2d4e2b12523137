"""Requests that are wrong: each in its own way, and none that a decoder would take."""

import base64
import json

import numpy as np
import pytest

from fsdl_course.capstone import generator, wrong_pictures
from fsdl_deploy.picture import PictureError, decode

PNG = generator.pictures(3, 1)[0]


def fields_of(kind: str):
    body = wrong_pictures.body(kind, "c1", PNG, np.random.default_rng(1))
    return json.loads(body)


@pytest.mark.parametrize("kind", ["no PNG", "cut off", "wrong CRC", "bomb", "header bomb"])
def test_no_decoder_takes_the_picture_though_its_base64_is_right(kind):
    data = base64.b64decode(fields_of(kind)["picture"], validate=True)
    if kind == "wrong CRC":  # the pixels are whole: only the sum of the chunk tells
        assert len(data) == len(PNG) and sum(a != b for a, b in zip(data, PNG, strict=True)) == 1
        return
    with pytest.raises(PictureError):
        decode(data)


def test_a_bomb_is_small_on_the_way_and_large_behind_it():
    assert len(wrong_pictures.bomb(2000)) < 2000**2 / 100
    assert len(fields_of("header bomb")["picture"]) < 1000


def test_each_other_kind_is_wrong_in_one_field():
    with pytest.raises(ValueError):
        fields_of("no JSON")
    assert isinstance(fields_of("a list"), list)
    assert set(fields_of("no id")) == {"picture"} and set(fields_of("no picture")) == {"id"}
    assert isinstance(fields_of("an id that is a number")["id"], int)
    with pytest.raises(ValueError):
        base64.b64decode(fields_of("no base64")["picture"], validate=True)


def test_every_kind_names_the_field_at_fault():
    assert set(wrong_pictures.KINDS.values()) == {"body", "id", "picture"}
