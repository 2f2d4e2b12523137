"""``locust -f users.py``: customers who send a card, wait for its reading, and send it again.

``CARD`` names the file with the body of their request, and ``CARD_PATH`` where it goes.
"""

import os
from pathlib import Path

import gevent
from locust import FastHttpUser, constant, events, task

BODY = Path(os.environ["CARD"]).read_bytes()


@events.init.add_listener
def set_the_clock(**_):
    """gevent's clock stood still during the imports: a run of two seconds would end at once."""
    gevent.get_hub().loop.update_now()


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def send_a_card(self):
        self.client.post(os.environ["CARD_PATH"], data=BODY, headers={"Content-Type": "application/json"})
