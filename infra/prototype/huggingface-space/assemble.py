"""Put together the folder that is pushed as a Hugging Face Space: ``python assemble.py OUT``.

The Space runs from its own folder and nothing else, so the package, the model with its checksum and a
few example cards are copied in. OUT must be empty or not exist.
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN_FILES = ("README.md", "app.py", "requirements.txt")


def assemble(out: Path, version: str = "v2") -> None:
    """Fill ``out`` with a Space that reads with model ``version``. Raises ValueError if it is not empty."""
    from fsdl_deploy.cards import cards
    from fsdl_deploy.packaging.build_context import copy_reader
    from fsdl_deploy.picture import encode

    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty: give a new folder")
    copy_reader(out, version)
    for name in OWN_FILES:
        shutil.copyfile(HERE / name, out / name)
    (out / "examples").mkdir()
    for number, card in enumerate(cards(4, level="typical", split="test", seed=7), 1):
        (out / "examples" / f"card-{number}.png").write_bytes(encode(card.image))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python assemble.py OUT")
    try:
        assemble(Path(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(f"assemble.py: {error}")
    print(f"The Space is in {sys.argv[1]}: run app.py there, or push the folder")
