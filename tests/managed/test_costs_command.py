"""`fsdl-deploy managed costs`: a table or JSON, and one sentence for what cannot be."""

import json

import pytest

from fsdl_deploy import cli
from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import changed


def test_the_table_has_every_place_and_says_what_it_is_of(capsys):
    assert cli.main(["managed", "costs", "--readings", "1e8", "--shape", "office"]) == 0
    printed = capsys.readouterr().out
    assert all(place in printed for place in hosting.PLACES)
    assert "100,000,000 readings a month" in printed and "infra/managed/prices.toml" in printed
    assert not any(place in printed for place in hosting.GPUS)


def test_json_has_the_bills_with_a_price_that_is_changed(capsys):
    options = "managed costs --readings 2e7 --peak 3 --ms 12 --least 3 --gpu-rate 900 --json"
    assert cli.main([*options.split(), "--price", "internet_gb=0.5"]) == 0
    printed = json.loads(capsys.readouterr().out)
    month = Month.recorded(2e7, 3.0, seconds=0.012, least=3, gpu_rate=900.0)
    expected = hosting.bills(month, changed({"internet_gb": 0.5}))
    assert [place["place"] for place in printed["places"]] == [bill.place for bill in expected]
    assert [place["total"] for place in printed["places"]] == pytest.approx([bill.total for bill in expected])
    assert printed["month"]["seconds"] == 0.012 and len(expected) == len(hosting.PLACES | hosting.GPUS)


def test_what_an_account_has_free_is_computed_below_the_table_and_in_json(capsys):
    month = Month.recorded(5e6, 3.0)
    whole, less = hosting.total(hosting.LAMBDA, month), hosting.less_the_free(month).total
    assert f"{less:,.2f}" != f"{whole:,.2f}"
    assert cli.main(["managed", "costs", "--peak", "3"]) == 0
    assert f"Lambda costs {less:,.2f} USD, not {whole:,.2f}." in capsys.readouterr().out
    assert cli.main(["managed", "costs", "--peak", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lambda_less_the_free"]["total"] == pytest.approx(less)


def test_a_place_that_cannot_take_the_month_is_named_with_its_reason(capsys):
    options = ["managed", "costs", "--readings", "100", "--request-bytes", "7e6"]
    assert cli.main(options) == 0
    printed = capsys.readouterr().out
    assert "No bill for SageMaker serverless: it takes 4 MB in a body at most" in printed
    assert "No bill for Lambda: it takes 6 MB in a body at most, and the request has 6.68." in printed
    assert "free" not in printed
    assert cli.main([*options, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["not_had"].keys() == {"Lambda", "Lambda, provisioned", "SageMaker serverless"}
    assert answer["not_had"].keys().isdisjoint(place["place"] for place in answer["places"])
    assert answer["lambda_less_the_free"] is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("--readings -1", "readings must be a number not below 0"),
        ("--readings nan", "readings must be a number not below 0"),
        ("--readings 1e15", "cores busy; 100,000 can be counted"),
        ("--peak 0.5", "peak must not be below 1"),
        ("--ms 0", "seconds must be a number above 0"),
        ("--memory 64", "memory must be at least 128 MB"),
        ("--request-bytes -1", "bytes_in must be a number not below 0"),
        ("--price internet_gb=1e999", "internet_gb: value must be a number above 0"),
        ("--price internet_gb=1e300", "internet_gb: value must be a number above 0, from 1e-12 to 1e+12"),
        ("--least 0", "least must be a whole number"),
        ("--least 100000000000", "least must be a whole number from 1 to 1,000"),
        ("--gpu-rate -3", "gpu_rate must be a number above 0"),
        ("--price lambda=1", "there is no price lambda"),
        ("--price internet_gb", "a price is set by name=value"),
        ("--price internet_gb=-1", "internet_gb: value must be a number above 0"),
        ("--price xlarge_cores=8", "xlarge_cores is a limit"),
    ],
)
def test_bad_input_gets_one_sentence(capsys, options, problem):
    assert cli.main(["managed", "costs", *options.split()]) == 1
    printed = capsys.readouterr()
    assert problem in printed.err and printed.err.count("\n") == 1 and not printed.out
