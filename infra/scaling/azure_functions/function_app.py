"""The reader as an Azure function app: called by a request, or by a picture that arrives in storage."""

import json
import logging

import azure.functions as func

from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.scaling import serverless

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="read", methods=["POST"])
def read_card(req: func.HttpRequest) -> func.HttpResponse:
    """A request's body to the answer of ``serverless.respond``."""
    status, answer = serverless.respond(req.get_body())
    return func.HttpResponse(json.dumps(answer), status_code=status, mimetype=serverless.JSON)


@app.blob_trigger(arg_name="picture", path="cards/{name}", connection="Cards")
@app.blob_output(arg_name="stored", path="readings/{name}.json", connection="Cards")
def arrived(picture: func.InputStream, stored: func.Out[str]) -> None:
    """Read a new picture of the container ``cards``; its reading goes where the output binding says.

    A picture that nobody can read is written to the log, and that is all: an exception would mean "deliver
    this event again".
    """
    try:
        (reading,) = serverless.reader().read([decode(picture.read())])
    except PictureError as error:
        logging.error("%s is no card: %s", picture.name, error)
        return
    stored.set(json.dumps({"digits": reading.digits, "confidence": reading.confidence}))
