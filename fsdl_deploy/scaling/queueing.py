"""How long requests wait for a server, by their rate and the number of servers: Erlang's formula of 1917

Requests come one by one, independent of each other (a Poisson process), wait in *one* queue for the next of
``servers`` that is free, and take an exponentially distributed time: in Kendall's letters M/M/c. A service
differs in both: each replica has a queue of its own, which makes waits longer, and times vary less than an
exponential's, which makes them shorter. Times are in seconds, rates in requests a second.
"""

import math


def chance_to_wait(rate: float, per_server: float, servers: int) -> float:
    """Erlang C: the share of requests that find every server busy; 1 where they cannot keep up.

    ``rate``: requests that come in a second. ``per_server``: how many a second one server answers at best.
    """
    _check(rate, per_server, servers)
    load = rate / per_server  # in Erlang: servers that are busy on average
    if load >= servers:
        return 1.0
    blocked = 1.0  # Erlang B, by its recursion: factorials would overflow
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mean_wait(rate: float, per_server: float, servers: int) -> float:
    """Seconds that a request waits on average before a server begins with it; infinite if the queue grows."""
    spare = servers * per_server - rate
    return chance_to_wait(rate, per_server, servers) / spare if spare > 0 else math.inf


def wait_time(rate: float, per_server: float, servers: int, percent: float = 99) -> float:
    """Seconds that ``percent`` of the requests wait at most before a server begins with them.

    0 where more than that wait for nobody, infinite if servers cannot keep up.
    """
    if not 0 < percent < 100:
        raise ValueError(f"percent must lie between 0 and 100, not {percent}")
    waits, spare = chance_to_wait(rate, per_server, servers), servers * per_server - rate
    if spare <= 0:
        return math.inf
    late = 1 - percent / 100
    return math.log(waits / late) / spare if waits > late else 0.0


def share_longer(seconds: float, rate: float, per_server: float, servers: int) -> float:
    """The share of requests that are answered later than ``seconds`` after they came."""
    waits, spare = chance_to_wait(rate, per_server, servers), servers * per_server - rate
    if spare <= 0:
        return 1.0
    served = math.exp(-per_server * seconds)
    if math.isclose(spare, per_server, rel_tol=1e-6):  # both parts of the time have the same distribution
        return (1 - waits) * served + waits * (1 + per_server * seconds) * served
    both = (spare * served - per_server * math.exp(-spare * seconds)) / (spare - per_server)
    return (1 - waits) * served + waits * both


def answer_time(rate: float, per_server: float, servers: int, percent: float = 99) -> float:
    """Seconds within which ``percent`` of the requests are answered; infinite if servers cannot keep up."""
    if not 0 < percent < 100:
        raise ValueError(f"percent must lie between 0 and 100, not {percent}")
    if chance_to_wait(rate, per_server, servers) == 1:
        return math.inf
    low, high = 0.0, 1 / per_server
    while share_longer(high, rate, per_server, servers) > 1 - percent / 100:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        late = share_longer(middle, rate, per_server, servers) > 1 - percent / 100
        low, high = (middle, high) if late else (low, middle)
    return high


def replicas_for(rate: float, per_server: float, seconds: float, percent: float = 99) -> int:
    """The fewest servers with which ``percent`` of the requests wait for ``seconds`` at most.

    Bisected, since more servers never make a wait longer. Raises ValueError for seconds below 0.
    """
    _check(rate, per_server, 1)
    if not seconds >= 0:
        raise ValueError(f"seconds must not be below 0: {seconds}")
    if not 0 < percent < 100:
        raise ValueError(f"percent must lie between 0 and 100, not {percent}")
    late, load = 1 - percent / 100, rate / per_server

    def enough(servers: int) -> bool:
        spare = servers * per_server - rate
        return spare > 0 and _waits(load, servers) <= late * math.exp(min(spare * seconds, 700))

    few = math.floor(load)  # never enough: nothing is spare
    step = 1
    while not enough(few + step):
        few, step = few + step, 2 * step
    many = few + step
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def _waits(load: float, servers: int) -> float:
    """Erlang C as ``chance_to_wait`` has it, summed from its largest terms on: quick for many servers.

    Erlang B is one over the sum of ``servers! / (servers - k)! / load ** k``, whose terms soon become small.
    ``load`` must be below ``servers``.
    """
    total, term, left = 1.0, 1.0, servers
    while left > 0 and load > 0 and term > 1e-17 * total and total < 1e18:  # beyond: nobody waits
        term *= left / load
        total, left = total + term, left - 1
    blocked = 1 / total if load > 0 else 0.0
    return blocked / (1 - load / servers * (1 - blocked))


def _check(rate: float, per_server: float, servers: int) -> None:
    if not 0 <= rate < math.inf or not 0 < per_server < math.inf:
        raise ValueError(f"rates must be finite and not below 0, per_server above 0: {rate}, {per_server}")
    if not isinstance(servers, int) or servers < 1:
        raise ValueError(f"servers must be a whole number from 1 up, not {servers!r}")
