"""``fsdl-deploy bench WHAT``: the course's speed goals, measured. What is compared is interleaved in one run.

Tests assert no speed: a machine that is busy would fail them. These commands say what holds here, now.
"""

from importlib import import_module

BENCHES = {"batch": "bench_batch", "gpu": "bench_gpu", "ladder": "bench_ladder", "serving": "bench_serving"}


def add_arguments(parser) -> None:
    benches = parser.add_subparsers(dest="bench", required=True, metavar="WHAT")
    for name, module in BENCHES.items():
        home = import_module(f"fsdl_deploy.{module}")
        bench = benches.add_parser(name, description=home.__doc__)
        home.add_arguments(bench)
        bench.set_defaults(bench_run=home.main)


def main(args) -> int:
    return args.bench_run(args)
