"""Ask a drift library what it says of four sets of cards, in an environment that has it.

python ask.py LIBRARY < statistics.json: {"names": […], "reference": [[…], …], "sets": {NAME: [[…], …]}}

Prints JSON: seconds until it is imported, what it says of each set, and which hosts it wanted to speak to. No
host is spoken to: names are not looked up. Needs the library alone.
"""

import atexit
import importlib
import json
import socket
import sys
import time
from contextlib import redirect_stdout

hosts = []


def refuse(address, *rest, **options):
    """In place of a look-up or a connection: note the host and fail, as without a network."""
    host = address[0] if isinstance(address, tuple) else address
    host = host.decode() if isinstance(host, bytes) else str(host)
    if host not in hosts:
        hosts.append(host)
    raise OSError(f"no network: {host} is not looked up")


def without_network():
    socket.getaddrinfo = socket.gethostbyname = refuse
    socket.socket.connect = lambda self, address: refuse(address)
    socket.socket.connect_ex = lambda self, address: refuse(address)


def river(names, reference, sets):
    """ADWIN and KSWIN see one card after the other: how many of a set until each says that it changed."""
    from river import drift

    answers = {}
    for title, rows in sets.items():
        first = {}
        for column, name in enumerate(names):
            for kind in (drift.ADWIN, drift.KSWIN):
                detector = kind() if kind is drift.ADWIN else kind(alpha=0.0001, seed=0)
                for row in reference:
                    detector.update(row[column])
                for place, row in enumerate(rows, 1):
                    detector.update(row[column])
                    if detector.drift_detected:
                        first[f"{name}, {kind.__name__}"] = place
                        break
        answers[title] = {"changed": sorted(first), "after": min(first.values(), default=None)}
    return answers


def frouros(names, reference, sets):
    """Kolmogorov and Smirnov's test, for each statistic: p below 0.05 over their number is a change."""
    import numpy as np
    from frouros.detectors.data_drift import KSTest

    answers = {}
    for title, rows in sets.items():
        changed = []
        for column, name in enumerate(names):
            detector = KSTest()
            detector.fit(X=np.array([row[column] for row in reference]))
            result, _ = detector.compare(X=np.array([row[column] for row in rows]))
            if result.p_value < 0.05 / len(names):
                changed.append(name)
        answers[title] = {"changed": changed, "drift": bool(changed)}
    return answers


def evidently(names, reference, sets):
    """Its preset for drift, as it comes: a test for each column, and a verdict on the whole."""
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    usual, answers = pd.DataFrame(reference, columns=names), {}
    for title, rows in sets.items():
        snapshot = Report([DataDriftPreset()]).run(pd.DataFrame(rows, columns=names), usual)
        metrics = snapshot.dict()["metrics"]
        share = metrics[0]["value"]["share"]
        changed = [
            metric["config"]["column"] for metric in metrics[1:] if _beyond(metric["config"], metric["value"])
        ]
        answers[title] = {"changed": changed, "share": share, "drift": share >= 0.5}
    answers[title]["report bytes"] = len(snapshot.get_html_str(as_iframe=False).encode())
    return answers


def _beyond(test, value):
    """Distances are large, p-values small, where a column has changed."""
    return value < test["threshold"] if "p_value" in test["method"] else value >= test["threshold"]


def alibi_detect(names, reference, sets):
    """KSDrift: a test for each column, corrected for their number (Bonferroni)."""
    import numpy as np
    from alibi_detect.cd import KSDrift

    detector, answers = KSDrift(np.array(reference), p_val=0.05), {}
    for title, rows in sets.items():
        data = detector.predict(np.array(rows))["data"]
        below = [name for name, p in zip(names, data["p_val"]) if p < data["threshold"]]  # noqa: B905
        answers[title] = {"changed": below, "drift": bool(data["is_drift"])}
    return answers


def nannyml(names, reference, sets):
    """How well the columns explain each other (PCA), by chunks of as many cards as a set has."""
    import nannyml
    import pandas as pd

    size, answers = len(next(iter(sets.values()))), {}
    calculator = nannyml.DataReconstructionDriftCalculator(column_names=list(names), chunk_size=size)
    calculator.fit(pd.DataFrame(reference, columns=names))
    single = nannyml.UnivariateDriftCalculator(
        column_names=list(names), continuous_methods=["jensen_shannon"], chunk_size=size
    )
    single.fit(pd.DataFrame(reference, columns=names))
    for title, rows in sets.items():
        frame = pd.DataFrame(rows, columns=names)
        whole = calculator.calculate(frame).filter(period="analysis").to_df()
        alone = single.calculate(frame).filter(period="analysis").to_df()
        changed = [name for name in names if alone[name, "jensen_shannon", "alert"].any()]
        alert = bool(whole["reconstruction_error", "alert"].any())
        answers[title] = {"changed": changed, "drift": alert}
    return answers


LIBRARIES = {
    "river": ("river.drift", river),
    "frouros": ("frouros.detectors.data_drift", frouros),
    "evidently": ("evidently.presets", evidently),
    "alibi-detect": ("alibi_detect.cd", alibi_detect),
    "nannyml": ("nannyml", nannyml),
}


def main():
    module, question = LIBRARIES[sys.argv[1]]
    statistics = json.load(sys.stdin)
    without_network()
    begin, processor = time.perf_counter(), time.process_time()
    with redirect_stdout(sys.stderr):
        importlib.import_module(module)
        spent = {"seconds": time.perf_counter() - begin, "processor seconds": time.process_time() - processor}
        answers = question(**statistics)
        atexit._run_exitfuncs()  # what a library sends at its end is seen, too
    print(json.dumps({"import": spent, "answers": answers, "hosts": hosts}))


if __name__ == "__main__":
    main()
