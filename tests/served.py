"""What the tests of the serving libraries share: many callers, each with a picture of their own."""

from concurrent.futures import ThreadPoolExecutor

import httpx2

from fsdl_course.serving.libraries import Library


def ask_together(client: httpx2.Client, library: Library, pictures: list[bytes]) -> list[httpx2.Response]:
    """The answers to all pictures, asked for at the same moment, in order."""

    def ask(picture: bytes) -> httpx2.Response:
        content, headers = library.request(picture)
        return client.post(library.path, content=content, headers=headers)

    with ThreadPoolExecutor(len(pictures)) as callers:
        return list(callers.map(ask, pictures))
