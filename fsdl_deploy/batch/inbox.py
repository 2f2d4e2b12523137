"""The inbox: the cards that customers have sent, as files that a batch job finds.

``INBOX/MONTH/SHARD/CUSTOMER.jpg``, one card per customer and month. A shard is the customer's name
without its last three digits: a folder stays small however many customers there are, and so does the
memory of whoever lists it. Files may also lie in the month's folder itself. Knows nothing about models.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.customers import Customers, months_since_start
from fsdl_deploy.picture import MAX_BYTES, encode

CHUNK = 500
MOST_CHUNK = 100_000  # cards whose rows are in memory together
# Files that systems leave beside the pictures, and files still on their way; without regard to case.
NOT_SENT = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "folder.htt")
ON_THE_WAY = (
    ".part",
    ".partial",
    ".filepart",
    ".crdownload",
    ".opdownload",
    ".download",
    ".tmp",
    ".aria2",
    "~",
)
NOT_SHARDS = ("__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found")
QUALITY = 92  # of the JPEG files


@dataclass(frozen=True)
class Chunk:
    """Pictures that are read and stored together: paths below the month's folder, in order."""

    pictures: tuple[str, ...]


def customer_of(picture: str) -> str:
    """The customer who sent ``picture``: the file's name without its ending."""
    return os.path.splitext(os.path.basename(picture))[0]


def place_of(customer: str, ending: str) -> str:
    """Where the card of ``customer`` lies below the month's folder: in its shard."""
    return os.path.join(customer[:-3], customer + ending)


def month_folder(inbox: str | os.PathLike, month: str) -> Path:
    """The folder of ``month`` (YYYY-MM). Raises ValueError for no month, FileNotFoundError for no folder."""
    months_since_start(month)
    path = Path(inbox) / month
    if not path.is_dir():
        raise FileNotFoundError(
            f"there are no cards of {month} in {inbox}: {path} is no folder ('fsdl-deploy inbox' makes one)"
        )
    return path


def chunks(
    inbox: str | os.PathLike, month: str, size: int = CHUNK, backwards: bool = False
) -> Iterator[Chunk]:
    """Yield the month's pictures in chunks of at most ``size``, shard by shard, always in the same order.

    Hidden files, what systems leave in folders, and files still being written (``*.part``, ``*.crdownload``)
    are left alone.
    """
    if size < 1:
        raise ValueError(f"a chunk has at least one card, not {size}")
    if size > MOST_CHUNK:
        raise ValueError(f"a chunk has at most {MOST_CHUNK:,} cards, not {size:,}")
    path = month_folder(inbox, month)
    for shard in sorted(_shards(path), reverse=backwards):
        names = sorted(_files(path / shard))
        for start in sorted(range(0, len(names), size), reverse=backwards):
            yield Chunk(tuple(os.path.join(shard, name) for name in names[start : start + size]))


def count_cards(inbox: str | os.PathLike, month: str) -> int:
    """How many pictures the month has."""
    path = month_folder(inbox, month)
    return sum(sum(1 for _ in _files(path / shard)) for shard in _shards(path))


def read_file(path: str | os.PathLike) -> bytes:
    """The bytes of a picture's file, cut where it is already too big to be one."""
    with open(path, "rb", buffering=0) as file:
        # As much as there is: asked for the limit, Python would make room for all of it first.
        return file.read(min(os.fstat(file.fileno()).st_size, MAX_BYTES) + 1)


def _shards(path: Path) -> Iterator[str]:
    yield ""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir() and not entry.name.startswith(".") and entry.name.lower() not in NOT_SHARDS:
                yield entry.name


def _files(path: Path) -> Iterator[str]:
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name.lower()
            if name.startswith((".", "~$")) or name in NOT_SENT or name.endswith(ON_THE_WAY):
                continue
            if entry.is_file():
                yield entry.name


def fill(
    inbox: str | os.PathLike,
    customers: Customers,
    month: str,
    different: int | None = None,
    drift: str | None = None,
    progress: bool = False,
) -> int:
    """Write every customer's card of ``month``; return how many there are.

    Drawing costs more than reading: with ``different`` only so many cards are drawn, and the other
    customers get one of them again (a hard link), for tests of speed and memory. A card that is
    already there stays.
    """
    from tqdm.auto import tqdm

    months_since_start(month)
    path = Path(inbox) / month
    different = min(different or customers.n, customers.n)
    for i in tqdm(range(customers.n), "write cards", unit="card", disable=not progress):
        target = path / _name(i)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            if i < different:
                files.write(target, encode(customers.card(i, month, drift).image, QUALITY))
            else:
                _again(path / _name(i % different), target)
    return customers.n


def _name(i: int) -> str:
    return place_of(f"C{i:07d}", ".jpg")


def _again(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links, or a file that has as many as it may
        target.write_bytes(source.read_bytes())


def add_arguments(parser) -> None:
    parser.add_argument("inbox", metavar="INBOX", help="folder of the inbox")
    parser.add_argument("--month", default="2026-10", help="YYYY-MM")
    parser.add_argument("--customers", type=int, default=1000, help="one card each")
    parser.add_argument(
        "--different", type=int, help="draw only so many cards and repeat them (default: all)"
    )
    parser.add_argument(
        "--level",
        default="typical",
        choices=["clean", "typical", "hard"],
        help="how hard the cards are to read",
    )
    parser.add_argument("--seed", type=int, default=0, help="other cards by another seed")


def main(args) -> int:
    if args.different is not None and args.different < 1:
        raise ValueError(f"--different is 1 or more, not {args.different}")
    if args.seed < 0:
        raise ValueError(f"--seed is a whole number from 0 up, not {args.seed}")
    customers = Customers(args.customers, args.seed, args.level)
    cards = fill(args.inbox, customers, args.month, args.different, progress=True)
    print(f"{cards:,} cards in {Path(args.inbox) / args.month}")
    return 0
