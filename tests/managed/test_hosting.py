"""A month's bill in each place, again by hand: in fractions, from the file's own digits."""

import dataclasses
import math
import tomllib
from fractions import Fraction
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy.cards import cards
from fsdl_deploy.managed import hosting, month
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import FILE, PriceError, changed, prices
from fsdl_deploy.picture import encode

HAND = {
    name: Fraction(row["value"]) if isinstance(row["value"], int) else row["value"]
    for name, row in tomllib.loads(FILE.read_text(encoding="utf-8"), parse_float=Fraction).items()
}
MONTH = Month(
    5_000_000, 18.0, 0.0025, overhead=0.005, cold_seconds=0.5, bytes_in=15_000, bytes_out=400, log_bytes=180
)
N = Fraction(5_000_000)
HOURS, MILLION = 730, Fraction(10**6)
LOGS = N * 180 / 10**9 * (HAND["log_gb"] + HAND["log_gb_month"])
OUT = N * 400 / 10**9 * HAND["internet_gb"]
DATA = N * 15_400 / 10**9 * HAND["endpoint_gb"]
BALANCER = HOURS * (
    HAND["balancer_hour"]
    + HAND["balancer_unit_hour"] * max(N / (HOURS * 3600) / 25, N * 15_400 / 10**9 / HOURS)
)


def waits_longer(busy: float, servers: int, seconds: float, service: float) -> float:
    """Erlang C with factorials, not by the recursion of the package: the share that waits so long."""
    if busy >= servers:
        return 1.0
    last = busy**servers / math.factorial(servers) * servers / (servers - busy)
    all_busy = last / (sum(busy**number / math.factorial(number) for number in range(servers)) + last)
    return all_busy * math.exp(-(servers - busy) * seconds / service)


def needed(each: Month, cores: int, seconds: float, least: int) -> int:
    """Instances by trying all numbers from ``least`` up."""
    busy = each.readings / (HOURS * 3600) * each.peak * seconds
    number = least
    while busy > each.room * cores * number * (1 + 1e-9) or (
        waits_longer(busy, cores * number, each.patience, seconds) > 0.01
    ):
        number += 1
    return number


def test_instances_and_endpoints_by_hand():
    for place, price in (("EC2 m5.xlarge", "ec2_m5_xlarge_hour"), ("EC2 c5.xlarge", "ec2_c5_xlarge_hour")):
        expected = 2 * HOURS * HAND[price] + BALANCER + LOGS + OUT
        assert hosting.bill(place, MONTH).total == pytest.approx(float(expected), rel=1e-12)
    for size in ("m5", "c5"):
        expected = 2 * HOURS * HAND[f"endpoint_{size}_xlarge_hour"] + DATA + LOGS + OUT
        bill = hosting.bill(f"SageMaker ml.{size}.xlarge", MONTH)
        assert bill.total == pytest.approx(float(expected), rel=1e-12) and bill.count == 2
    expected = 2 * HOURS * HAND["server_hour"] + BALANCER + LOGS + OUT
    assert hosting.bill("EC2 m7g.large", MONTH).total == pytest.approx(float(expected), rel=1e-12)


def test_the_function_and_the_serverless_endpoint_by_hand():
    # 2.5 ms and 5 ms besides are billed as 8; a hundredth starts an instance: half a second in all.
    call = Fraction(99, 100) * Fraction(8, 1000) + Fraction(1, 100) * Fraction(1, 2)
    compute = N * call * Fraction(1769, 1024) * HAND["function_gb_second"]
    expected = compute + N / MILLION * HAND["function_million_requests"] + LOGS + OUT
    assert hosting.bill("Lambda", MONTH).total == pytest.approx(float(expected), rel=1e-12)
    endpoint = N * call * 2 * HAND["endpoint_serverless_gb_second"] + DATA + LOGS + OUT
    assert hosting.bill("SageMaker serverless", MONTH).total == pytest.approx(float(endpoint), rel=1e-12)


@pytest.mark.parametrize(("cold_seconds", "billed"), [(0.0, 8), (0.008, 8), (0.0081, 9), (0.5, 500)])
def test_a_cold_call_is_billed_once_for_all_that_it_does(cold_seconds, billed):
    here = dataclasses.replace(MONTH, cold=1.0, cold_seconds=cold_seconds)
    compute = N * Fraction(billed, 1000) * Fraction(1769, 1024) * HAND["function_gb_second"]
    assert hosting.bill("Lambda", here).lines["compute"] == pytest.approx(float(compute), rel=1e-12)


@pytest.mark.parametrize(
    ("memory", "steps"), [(128, 1), (1024, 1), (1025, 2), (6144, 6), (6145, None), (10240, None)]
)
def test_a_serverless_endpoint_has_memory_in_steps_and_no_more_than_six_of_them(memory, steps):
    here = dataclasses.replace(MONTH, memory=memory, cold=0.0, seconds=1e-12, overhead=0.001)
    bill = hosting.bill("SageMaker serverless", here)
    if steps is None:
        assert bill is None and "SageMaker serverless" not in {each.place for each in hosting.bills(here)}
        with pytest.raises(ValueError, match=f"SageMaker serverless has no {memory} MB"):
            hosting.total("SageMaker serverless", here)
    else:
        compute = N * Fraction(1, 1000) * steps * HAND["endpoint_serverless_gb_second"]
        assert bill.lines["compute"] == pytest.approx(float(compute), rel=1e-12)


def test_prices_of_two_regions_or_in_another_unit_are_not_added_up():
    known = dict(prices())
    ireland = dataclasses.replace(known["ec2_c5_xlarge_hour"], region="eu-west-1")
    with pytest.raises(
        PriceError, match=r"of us-east-1, .* of eu-west-1: a bill adds up prices of one region"
    ):
        hosting.bill("EC2 c5.xlarge", MONTH, known | {"ec2_c5_xlarge_hour": ireland})
    assert hosting.bill("EC2 m5.xlarge", MONTH, known | {"ec2_c5_xlarge_hour": ireland}).total > 0
    for name, unit in (
        ("ec2_c5_xlarge_hour", "month"),
        ("balancer_unit_hour", "hour"),
        ("log_gb", "GB-second"),
    ):
        wrong = known | {name: dataclasses.replace(known[name], unit=unit)}
        with pytest.raises(PriceError, match=f"{name} is for a {unit}; what is computed here"):
            hosting.bill("EC2 c5.xlarge", MONTH, wrong)


def test_the_provisioned_function_and_fargate_by_hand():
    memory = Fraction(1769, 1024)
    count = needed(MONTH, 1, 0.008, 1)
    ready = count * HOURS * 3600 * memory * HAND["function_provisioned_gb_second"]
    compute = N * Fraction(8, 1000) * memory * HAND["function_provisioned_compute_gb_second"]
    expected = ready + compute + N / MILLION * HAND["function_million_requests"] + LOGS + OUT
    bill = hosting.bill("Lambda, provisioned", MONTH)
    assert (bill.count, bill.total) == (count, pytest.approx(float(expected), rel=1e-12))
    hour = HAND["fargate_core_hour"] + 2 * HAND["fargate_gb_hour"]
    expected = 2 * HOURS * hour + BALANCER + LOGS + OUT
    assert hosting.bill("Fargate", MONTH).total == pytest.approx(float(expected), rel=1e-12)


def test_a_gpu_is_counted_by_its_rate_and_by_the_cores_beside_it():
    assert hosting.bill("EC2 g4dn.xlarge", MONTH) is None
    assert not {bill.place for bill in hosting.bills(MONTH)} & hosting.GPUS.keys()
    many = dataclasses.replace(MONTH, readings=8e9, gpu_rate=8000.0)
    fast = hosting.bill("EC2 g4dn.xlarge", many)
    assert fast.count == needed(many, 1, 1 / 8000, 2)
    held = hosting.bill("EC2 g4dn.xlarge", dataclasses.replace(many, around=0.001))
    assert held.count == needed(many, 4, 0.001, 2) > fast.count
    assert {bill.place for bill in hosting.bills(many)} >= hosting.GPUS.keys()
    expected = fast.count * HOURS * HAND["endpoint_g5_xlarge_hour"]
    assert hosting.bill("SageMaker ml.g5.xlarge", many).lines["instances"] == pytest.approx(float(expected))


@pytest.mark.parametrize("readings", [0, 5e6, 1e8, 7e8, 3e9])
@pytest.mark.parametrize("peak", [1.0, 3.4, 18.0])
def test_instances_are_counted_as_by_trying_all_numbers(readings, peak):
    here = Month(readings, peak, 0.0025)
    for cores in (1, 4):
        if here.rate * here.seconds < 80:  # factorials
            assert here.count(cores, here.seconds, 2) == needed(here, cores, here.seconds, 2)


def test_short_patience_and_little_room_take_more_instances():
    here = Month(1e9, 1.0, 0.01)
    counts = [
        dataclasses.replace(here, **change).count(1, 0.01, 1)
        for change in ({}, {"room": 0.3}, {"room": 1.0, "patience": 1e-4}, {"room": 1.0, "patience": 10.0})
    ]
    assert counts[1] > counts[0] and counts[2] > counts[3]


def test_nothing_read_costs_nothing_where_nothing_waits():
    idle = dataclasses.replace(MONTH, readings=0)
    totals = {bill.place: bill.total for bill in hosting.bills(idle)}
    assert totals["Lambda"] == totals["SageMaker serverless"] == 0
    assert all(
        total > 10 for place, total in totals.items() if place not in ("Lambda", "SageMaker serverless")
    )
    assert hosting.bill("Lambda", idle).per_million(0) is None
    assert hosting.bill("Lambda", MONTH).per_million(N) == pytest.approx(
        hosting.bill("Lambda", MONTH).total / 5
    )


MONTHS = st.builds(
    Month,
    readings=st.floats(0, 1e9),
    peak=st.floats(1, 20),
    seconds=st.floats(1e-4, 0.05),
    overhead=st.floats(0, 0.05),
    cold=st.floats(0, 1),
    cold_seconds=st.floats(0, 10),
    room=st.floats(0.1, 1),
    patience=st.floats(0.01, 10),
    least=st.integers(1, 4),
    memory=st.floats(512, 10240),
    gpu_rate=st.none() | st.floats(1000, 1e6),
)


@settings(max_examples=60, deadline=None)
@given(MONTHS, st.floats(1, 5))
def test_more_readings_never_cost_less_and_no_line_is_below_nothing(here, times):
    more = dataclasses.replace(here, readings=here.readings * times)
    for place in hosting.PLACES | hosting.GPUS:
        bill = hosting.bill(place, here)
        if bill is not None:
            after = hosting.bill(place, more)
            assert min(bill.lines.values()) >= 0 and math.isfinite(bill.total)
            assert after.count >= bill.count and after.total >= bill.total * (1 - 1e-12)


@settings(max_examples=40, deadline=None)
@given(
    MONTHS, st.sampled_from([name for name, price in prices().items() if not price.limit]), st.floats(1, 3)
)
def test_a_higher_price_never_makes_a_place_cheaper(here, name, times):
    higher = changed({name: prices()[name].value * times})
    for place in hosting.PLACES | hosting.GPUS:
        bill = hosting.bill(place, here)
        assert bill is None or hosting.bill(place, here, higher).total >= bill.total * (1 - 1e-12)


def test_every_price_of_the_table_moves_some_bill_or_is_of_an_older_day():
    here = dataclasses.replace(MONTH, gpu_rate=1000.0)
    before = {bill.place: bill.total for bill in hosting.bills(here)}
    unused = [
        name
        for name, price in prices().items()
        if not price.limit
        and {bill.place: bill.total for bill in hosting.bills(here, changed({name: 2 * price.value}))}
        == before
    ]
    assert unused == [
        "endpoint_m5_xlarge_hour_before",
        "endpoint_g4dn_xlarge_hour_2023",
        "ec2_g4dn_xlarge_hour_ireland",
    ]


def test_the_bytes_of_a_card_are_those_of_our_cards():
    pictures = [len(encode(card.image)) * 4 / 3 for card in cards(60, "typical", seed=7)]
    assert mean(pictures) == pytest.approx(month.CARD_BYTES, rel=0.1)


def test_a_place_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="no place 'EC2'; the places are Lambda"):
        hosting.bill("EC2", MONTH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"readings": -1}, "readings must be a number not below 0"),
        ({"readings": math.nan}, "readings must be a number not below 0"),
        ({"readings": math.inf}, "readings must be a number not below 0"),
        ({"seconds": 0}, "seconds must be a number above 0"),
        ({"peak": 0.9}, "peak must not be below 1"),
        ({"peak": math.nan}, "peak must not be below 1"),
        ({"room": 1.1}, "room and cold are shares"),
        ({"cold": 2}, "room and cold are shares"),
        ({"least": 0}, "least must be a whole number"),
        ({"least": 1.5}, "least must be a whole number"),
        ({"least": 1001}, "least must be a whole number from 1 to 1,000"),
        ({"least": 10**12}, "least must be a whole number"),
        ({"memory": 64}, "memory must be at least 128 MB"),
        ({"gpu_rate": 0}, "gpu_rate must be a number above 0"),
        *(({"readings": bad}, "readings must be a number, not") for bad in ("5e6", None, [5], True, 10**400)),
        ({"least": 1 << 60_000}, "least must be a number, not a number of thousands of digits"),
        ({"gpu_rate": "fast"}, "gpu_rate must be a number, not 'fast'"),
    ],
)
def test_a_month_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(MONTH, **change)


def test_too_many_busy_cores_are_refused_and_not_counted_for_an_hour():
    with pytest.raises(ValueError, match="cores busy; 100,000 can be counted"):
        hosting.bill("EC2 c5.xlarge", dataclasses.replace(MONTH, readings=1e14))


def test_the_recorded_month_has_what_the_records_say():
    from fsdl_deploy.managed import measured_rates

    here = Month.recorded(1e6, 2.0, least=3)
    assert (here.seconds, here.least) == (measured_rates.service().seconds, 3)
    assert here.overhead + here.seconds == pytest.approx(measured_rates.function_call().median)
    rows = hosting.table(here).rows
    assert len(rows) == len(hosting.PLACES)
    assert [row[0] for row in rows] == [bill.place for bill in hosting.bills(here)]


def test_how_busy_instances_are_is_their_work_over_their_time():
    bills = {bill.place: bill for bill in hosting.bills(dataclasses.replace(MONTH, gpu_rate=1000.0))}
    seconds = 5_000_000 * 0.0025
    assert bills["EC2 c5.xlarge"].busy == pytest.approx(seconds / (730 * 3600 * 8))
    assert bills["Fargate"].busy == pytest.approx(seconds / (730 * 3600 * 2))
    assert bills["SageMaker ml.g5.xlarge"].busy == pytest.approx(5000 / (730 * 3600 * 2))
    assert bills["Lambda"].busy is None and bills["SageMaker serverless"].busy is None
    for peak in (1.0, 18.0):
        bill = hosting.bill("EC2 c5.xlarge", dataclasses.replace(MONTH, readings=2e9, peak=peak))
        assert bill.busy * peak <= MONTH.room
        assert bill.count == MONTH.least or bill.busy * peak > MONTH.room * (1 - 1 / bill.count)


def test_what_is_free_is_taken_off_requests_and_seconds_apart_and_off_nothing_else():
    here = Month(5e6, 1.0, 0.1, overhead=0.0, cold=0.0, memory=2048)
    whole, less = hosting.bill("Lambda", here), hosting.less_the_free(here)
    assert less.lines["requests"] == pytest.approx(4 * prices()["function_million_requests"].value)
    assert less.lines["compute"] == pytest.approx(
        (5e6 * 0.1 * 2 - 400_000) * prices()["function_gb_second"].value
    )
    assert less.total == pytest.approx(
        whole.total
        - prices()["function_million_requests"].value
        - 400_000 * prices()["function_gb_second"].value
    )
    small = hosting.less_the_free(dataclasses.replace(here, readings=1000))
    assert small.lines["requests"] == small.lines["compute"] == 0 < small.total
    assert hosting.less_the_free(dataclasses.replace(here, readings=0)).total == 0


def test_the_table_of_a_month_has_each_value_that_a_bill_of_processors_is_made_of():
    table = Month(1234.0, 5.0, 0.0077, least=7, room=0.35, patience=0.9, memory=2048, cold=0.03).table()
    text = " ".join(row[1] for row in table.rows)
    assert all(value in text for value in ("1,234", "5.0", "7.70 ms", "35%", "0.9 s", "2048 MB", "3% of"))


def with_limits(folder, **limits):
    """A copy of the table with other limits, as somebody with another provider has it."""
    text = FILE.read_text(encoding="utf-8")
    for name, (before, after) in limits.items():
        head, row, rest = text.partition(f"[{name}]")
        assert f"value = {before}\n" in rest.partition("[")[0]
        text = head + row + rest.replace(f"value = {before}\n", f"value = {after}\n", 1)
    file = folder / "prices.toml"
    file.write_text(text, encoding="utf-8")
    return prices(file)


@pytest.mark.parametrize("place", ["Lambda", "Lambda, provisioned", "SageMaker serverless"])
def test_the_memory_of_a_core_is_that_of_the_table_in_use(tmp_path, place):
    """With twice the memory for a core, the same memory has half a core, and a call takes twice as long."""
    known = with_limits(tmp_path, function_memory_of_a_core=(1769, 4096))
    here = dataclasses.replace(MONTH, memory=2048, cold=0.0, overhead=0.0, seconds=0.02)
    slow = dataclasses.replace(here, seconds=0.04)
    assert hosting.bill(place, here, known).lines == hosting.bill(place, slow).lines
    assert hosting.total(place, here, known) > hosting.total(place, here)


def test_the_most_memory_is_that_of_the_table_in_use(tmp_path):
    less = with_limits(tmp_path, function_most_memory=(10240, 2048))
    here = dataclasses.replace(MONTH, memory=3000)
    functions = {"Lambda", "Lambda, provisioned"}
    assert functions <= {bill.place for bill in hosting.bills(here)}
    assert not functions & {bill.place for bill in hosting.bills(here, less)}
    with pytest.raises(ValueError, match="Lambda has no 3000 MB"):
        hosting.total("Lambda", here, less)
    assert hosting.bill("Lambda", dataclasses.replace(MONTH, memory=10241)) is None


def test_a_limit_that_was_raised_allows_more(tmp_path):
    known = with_limits(tmp_path, function_most_memory=(10240, 20480))
    assert hosting.bill("Lambda", dataclasses.replace(MONTH, memory=20480), known).total > 0
