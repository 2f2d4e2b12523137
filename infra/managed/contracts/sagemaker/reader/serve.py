"""Our reader as a container of one's own for SageMaker, as a tutorial would write it."""

from dataclasses import asdict

import uvicorn
from fastapi import FastAPI, Request

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader

app = FastAPI()
reader = OnnxReader()


@app.get("/ping")
def ping():
    return "well"


@app.post("/invocations")
async def invocations(request: Request):
    return asdict(reader.read([decode(await request.body())])[0])


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=8080)
