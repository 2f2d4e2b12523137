"""Serverless GPUs: each offer is whole, its age decides, and nothing else decides the lecture's claim."""

import pytest

from fsdl_course import claims
from fsdl_deploy.managed import serverless_gpus
from fsdl_deploy.managed.serverless_gpus import OfferError

OFFER = """
list = "2026-11"
source = "a list"
[[offer]]
provider = "Somebody"
client = "somebody"
version = "1.0"
released = "2025-12"
"""


def read(tmp_path, text):
    file = tmp_path / "offers.toml"
    file.write_text(text)
    return serverless_gpus.offers(file)


def test_every_offer_of_the_course_is_whole_and_the_lectures_come_first():
    known = serverless_gpus.offers()
    assert [offer.lecture for offer in known] == sorted((offer.lecture for offer in known), reverse=True)
    assert {offer.client for offer in known if offer.lecture} == {"banana-dev", "pipeline-ai"}
    assert len(serverless_gpus.table().rows) == len(known) == len({offer.client for offer in known})


@pytest.mark.parametrize(("released", "alive"), [("2026-11", True), ("2025-12", True), ("2025-11", False)])
def test_a_year_without_a_release_is_silence(tmp_path, released, alive):
    (offer,) = read(tmp_path, OFFER.replace("2025-12", released))
    assert offer.alive == alive


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('source = "a list"', "", "no source"),
        ("2026-11", "today", "the list: list must be a month"),
        ("2025-12", "2025-13", "Somebody: released must be a month"),
        ("2025-12", "2126-12", "Somebody: released must be a month that is not still to come"),
        ('"2026-11"', '"2025-11"', "after the list was made"),
        ("[[offer]]", "[offer]", "there is no row"),
        ("version =", 'lecture = "no"\nversion =', "lecture must be true or false"),
        ('version = "1.0"', "", "Somebody has no version"),
        ("version =", 'alive = "yes"\nversion =', "unknown alive"),
    ],
)
def test_an_offer_that_is_not_whole_is_refused(tmp_path, before, after, message):
    assert before in OFFER
    with pytest.raises(OfferError, match=message):
        read(tmp_path, OFFER.replace(before, after))


def test_counts_are_those_of_the_offers():
    known, counted = serverless_gpus.offers(), serverless_gpus.counts()
    assert counted["named"] + counted["others"] == len(known)
    assert counted["named_alive"] + counted["others_alive"] == sum(offer.alive for offer in known)


@pytest.mark.parametrize(
    ("named_alive", "others_alive", "verdict"),
    [(2, 5, claims.HOLDS), (0, 5, claims.PARTLY), (1, 0, claims.PARTLY), (0, 0, claims.FAILS)],
)
def test_the_lectures_sentence_is_decided_by_who_is_left(named_alive, others_alive, verdict):
    (claim,) = [claim for claim in claims.read() if claim.number == 129]
    counted = {"named": 2, "named_alive": named_alive, "others": 9, "others_alive": others_alive}
    assert claim.verdict({"gpus": counted}) == verdict
    assert claim.measured({"gpus": counted})
