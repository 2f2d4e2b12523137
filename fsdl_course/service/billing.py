"""Billing, the second application: `billing.py URL CARD LAST` asks the service and says the units used"""

import base64
import json
import sys
import urllib.request
from pathlib import Path


def units_used(url: str, card: str, last_reading: int) -> int:
    """The reading of the picture in the file ``card``, less the last one; an unread card counts as 0."""
    text = base64.b64encode(Path(card).read_bytes()).decode()
    body = json.dumps({"pictures": [text]}).encode()
    request = urllib.request.Request(url + "/read", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        reading = json.load(answer)["readings"][0]
    return int(reading["digits"] or 0) - last_reading


if __name__ == "__main__":
    print(units_used(sys.argv[1], sys.argv[2], int(sys.argv[3])), "units used", flush=True)
    sys.stdin.read()  # so that its memory can be measured before it ends
