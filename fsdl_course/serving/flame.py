"""A flame graph of one request to our service: which function's time it is, in its thread, and whose code

From left to right the milliseconds of a request, each function above the one that called it. Draws what
``stacks`` has seen. ``fsdl-course bench flame FILE`` writes it.
"""

from collections import defaultdict

from fsdl_course.serving.stacks import LOOP, WORKERS, Stack, Stacks, sample
from fsdl_deploy import figures, files
from fsdl_deploy.measuring.table import Table

DEPTH = 18
"""Functions above each other: what is called deeper belongs to the last of them."""
LETTERS = 150
"""That fit into the width of the figure."""
LEAST = 0.004  # of the width: what is narrower is left out, and its place stays empty
WHOSE = (("PIL.", "Pillow"), ("onnxruntime.", "ONNX Runtime"), ("numpy.", "numpy"),
         ("uvicorn.", "web server"), ("starlette.", "web server"), ("fastapi.", "web server"),
         ("asyncio.", "Python"), ("concurrent.", "Python"), ("threading.", "Python"),
         ("json.", "Python"), ("pydantic.", "web server"))  # fmt: skip
OURS = "the course"
PARTS = {
    "the model's run": "onnxruntime.capi.onnxruntime_inference_collection.run",
    "decode the picture": "picture.decode",
    "hand the answer to the event loop": "concurrent.futures._base._invoke_callbacks",
    "count it": "metrics.count_readings",
    "event loop: HTTP, limits, routes, answer": LOOP,
}
"""What a request is made of: the name of a part, and the function within which its time is spent."""
SUFFIXES = (".svg", ".png", ".pdf")
# What a web server does before and after our own code is a tower of calls of the same width: one step of it.
TOWER = ("uvicorn.", "starlette.", "fastapi.")


def boxes(stacks: Stacks) -> list[tuple[Stack, float, float]]:
    """(stack, left, width) of each box in ms, the widest first among those that stand on the same one."""
    widths: dict[Stack, float] = defaultdict(float)
    for stack, ms in stacks.milliseconds.items():
        short = shortened(stack)
        for depth in range(1, len(short) + 1):
            widths[short[:depth]] += ms
    children: dict[Stack, list[Stack]] = defaultdict(list)
    for stack in widths:
        children[stack[:-1]].append(stack)
    placed: list[tuple[Stack, float, float]] = []

    def place(stack: Stack, left: float) -> None:
        for child in sorted(children[stack], key=lambda child: (-widths[child], child)):
            placed.append((child, left, widths[child]))
            place(child, left)
            left += widths[child]

    place((), 0.0)
    return placed


def shortened(stack: Stack) -> Stack:
    """The stack with each tower of the web server's calls as one step, and no deeper than DEPTH."""
    short: list[str] = []
    for name in stack:
        if not (name.startswith(TOWER) and short and short[-1].startswith(TOWER)):
            short.append(name)
    return tuple(short[:DEPTH])


def whose(name: str) -> str:
    """Whose code a function is."""
    return next((owner for start, owner in WHOSE if name.startswith(start)), OURS)


def draw(stacks: Stacks):
    """The figure."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    placed = boxes(stacks)
    total = sum(stacks.milliseconds.values())
    owners = [OURS, "web server", "Python", "Pillow", "numpy", "ONNX Runtime"]
    colors = dict(zip(owners, [*figures.PALETTE, "gray"], strict=False))
    figure, axes = plt.subplots(figsize=(11, 5))
    for stack, left, width in placed:
        if width < LEAST * total:
            continue
        depth, name = len(stack) - 1, stack[-1]
        color = "lightgray" if name in (LOOP, WORKERS) else colors[whose(name)]
        axes.barh(depth, width, left=left, height=0.94, color=color, edgecolor="white", linewidth=0.5)
        room = int(LETTERS * width / total)
        label = ".".join(name.split(".")[-2:])
        if room > 3:
            text = label if len(label) <= room else label.split(".")[-1]
            text = text if len(text) <= room else text[: room - 1] + "…"
            axes.text(left + width / 2, depth, text, ha="center", va="center", fontsize=7, clip_on=True)
    axes.set(xlabel="of a request (ms)", xlim=(0, total), yticks=[])
    axes.set_ylabel("calls, each above its caller")
    axes.legend(handles=[Patch(color=colors[owner], label=owner) for owner in owners], fontsize=7, ncols=6,
                loc="upper center", bbox_to_anchor=(0.5, 1.1), frameon=False)  # fmt: skip
    return figure


def parts_table(stacks: Stacks) -> Table:
    """The share of each of PARTS in the time of a request; the rest of the time is in no row."""
    whole = sum(stacks.milliseconds.values())
    rows = [[part, stacks.within(name) / whole] for part, name in PARTS.items()]
    return Table(["part", "share"], *rows, formats=["", ".0%"])


def add_arguments(parser) -> None:
    parser.add_argument("file", metavar="FILE", type=files.output, help="the figure, such as flame.svg")
    parser.add_argument("--users", type=int, default=8, help="callers at the same time")
    parser.add_argument("--requests", type=int, default=600, help="of all callers")
    parser.add_argument("--max-batch", type=int, default=16, help="requests that are read together")


def main(args) -> int:
    if min(args.users, args.requests, args.max_batch) < 1:
        raise ValueError("--users, --requests and --max-batch must be at least 1")
    if args.file.suffix not in SUFFIXES:
        raise ValueError(f"{args.file}: the name must end in {', '.join(SUFFIXES)}")
    stacks = sample(args.users, args.requests, ["--threads", "1", "--max-batch", str(args.max_batch)])
    import matplotlib.pyplot as plt

    figure = draw(stacks)
    figure.savefig(args.file, bbox_inches="tight", dpi=150)
    plt.close(figure)
    print(f"{args.file}: {stacks.requests} requests, {stacks.looks} looks")
    return 0
