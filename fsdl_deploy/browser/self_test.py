"""The cards that are built into the app: a new model must read them before it may read anything else

``python -m fsdl_deploy.browser.self_test`` writes ``infra/edge/browser/app/self_test.json`` anew.
"""

import base64
import json

from fsdl_deploy import files
from fsdl_deploy.browser.app_files import SOURCES
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

FILE = SOURCES / "self_test.json"
NUMBER, AT_LEAST, SEED = 8, 7, 49


def content() -> str:
    """The file: clean cards of unseen digits as PNG in base64, their truths, and how many must be right."""
    built_in = [
        {"png": base64.b64encode(encode(card.image)).decode(), "digits": card.truth}
        for card in cards(NUMBER, "clean", seed=SEED)
    ]
    return json.dumps({"at_least": AT_LEAST, "cards": built_in}, indent=1) + "\n"


if __name__ == "__main__":
    files.write(FILE, content())
