"""The lecture's flow (estimator, deploy, predict) in today's SageMaker SDK, as far as each step goes

``flow.py PLANE ROUTER CARD`` prints a line of JSON for each step: whether it went, and what it gave or said.
The addresses are of this machine: a stand-in of AWS's API, and who answers invocations. CARD is a picture.
"""

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROLE = "arn:aws:iam::123456789012:role/meter-reader"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/meter-reader:1"
PORT = 9007  # the SDK's own choice, which cannot be changed


def slide():
    """The slide's import."""
    from sagemaker.huggingface import HuggingFace

    return HuggingFace.__name__


def no_account():
    """Its successor, on a machine without an account."""
    from sagemaker.serve import ModelBuilder

    ModelBuilder(image_uri=IMAGE, role_arn=ROLE, instance_type="ml.m5.xlarge").build(model_name="reader")
    return "built"


def session(plane: str, router: str):
    """The SDK's session, whose clients ask this machine. Without a bucket's name it asks AWS who we are."""
    import boto3
    from sagemaker.core.helper.session_helper import Session

    nobody = boto3.Session(
        aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1"
    )
    clients = {
        "sagemaker_client": nobody.client("sagemaker", endpoint_url=plane),
        "sagemaker_runtime_client": nobody.client("sagemaker-runtime", endpoint_url=router),
    }
    return Session(boto_session=nobody, default_bucket="meter-reader", **clients)


def in_process(known, card: bytes) -> str:
    """The reader in this process, behind the SDK's own small server."""
    import numpy as np
    from sagemaker.serve import ModelBuilder
    from sagemaker.serve.builder.schema_builder import SchemaBuilder
    from sagemaker.serve.mode.function_pointers import Mode
    from sagemaker.serve.spec.inference_spec import InferenceSpec

    from fsdl_deploy import picture
    from fsdl_deploy.reader import OnnxReader
    from fsdl_deploy.running.ports import problem_at

    if problem_at(PORT) is None:
        raise OSError(f"port {PORT}, which the SDK takes and nobody can choose, is taken by another program")

    class MeterReader(InferenceSpec):
        def load(self, model_dir):
            return OnnxReader("v2")

        def invoke(self, input_object, model):
            return {"digits": model.read([np.asarray(input_object)])[0].digits}

    image = picture.decode(card)
    builder = ModelBuilder(
        inference_spec=MeterReader(),
        schema_builder=SchemaBuilder(image, {"digits": "1"}),
        mode=Mode.IN_PROCESS,
        role_arn=ROLE,
        sagemaker_session=known,
    )
    builder.build()
    return str(builder.deploy_local().invoke(image).body)


def build(known, name: str):
    """A model in the stand-in; returns its builder."""
    from sagemaker.serve import ModelBuilder

    builder = ModelBuilder(
        image_uri=IMAGE,
        role_arn=ROLE,
        sagemaker_session=known,
        instance_type="ml.m5.xlarge",
        env_vars={"FSDL_VERSION": "v2"},
    )
    builder.build(model_name=name)
    return builder


def forgive_empty(known) -> None:
    """moto answers ``{}`` for what was never set; AWS leaves it out, and from now on so do clients here."""
    from sagemaker.core.utils.utils import SageMakerClient

    def without_empty(parsed: dict, **_) -> None:
        for name in [name for name, value in parsed.items() if value == {}]:
            del parsed[name]

    known.boto_session.events.register("after-call.sagemaker", without_empty)
    SageMakerClient.reset()  # its clients are made anew, and hear of it


def deploy_and_invoke(known, card: bytes) -> str:
    """``deploy``, and ``invoke``, which was ``predict``."""
    from fsdl_deploy.running import waiting

    machines = {"initial_instance_count": 1, "instance_type": "ml.m5.xlarge"}
    deployed = build(known, "reader-sdk").deploy(endpoint_name="sdk", wait=False, **machines)
    answers = []

    def answered() -> bool:
        with contextlib.suppress(Exception):  # its instance is being started
            answers.append(deployed.invoke(body=card, content_type="image/png").body.read().decode())
        return bool(answers)

    waiting.until(answered, 60, TimeoutError, "an answer of the endpoint")
    return json.loads(answers[0])["predictions"][0]["digits"]


def step(name: str, work: Callable[[], object]) -> object:
    """Do it, and print how it went; what the SDK itself prints is put aside."""
    aside, begin = io.StringIO(), time.perf_counter()
    try:
        with contextlib.redirect_stdout(aside):
            given = work()
        report = {"name": name, "went": True, "words": str(given)[:300]}
    except BaseException as error:
        given = None
        sentence = " ".join(str(error).split())
        report = {"name": name, "went": False, "words": f"{type(error).__name__}: {sentence}"[:300]}
    print(json.dumps(report | {"seconds": time.perf_counter() - begin}), flush=True)
    return given


def main(plane: str, router: str, card: str) -> None:
    """All steps, in order."""
    picture_bytes = Path(card).read_bytes()
    step("the slide's import", slide)
    step("no account", no_account)
    known = step("a session with the stand-in", lambda: session(plane, router))
    step("in this process", lambda: in_process(known, picture_bytes))
    step("build", lambda: build(known, "reader-stops"))
    forgive_empty(known)
    step("deploy, invoke", lambda: deploy_and_invoke(known, picture_bytes))


if __name__ == "__main__":
    main(*sys.argv[1:])
