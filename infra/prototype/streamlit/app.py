"""The meter reader in Streamlit: the same Reader as the Gradio page, in a script that runs top to bottom.

Streamlit runs this file again at every click, so the reader is kept by ``st.cache_resource``. It has no
sketchpad of its own: a number is uploaded, photographed, or taken from the examples. READER_URL asks a
model service, READER_VERSION chooses the model otherwise.
"""

import os
import time
from pathlib import Path

import streamlit as st

from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.prototype.feedback import FOLDER, save_feedback
from fsdl_deploy.reader import open_reader
from fsdl_deploy.remote import RemoteError

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.png"))


@st.cache_resource(show_spinner="Loading the model …")
def reader():
    return open_reader(version=os.environ.get("READER_VERSION", "v2"), url=os.environ.get("READER_URL"))


def chosen_picture() -> bytes | None:
    way = st.segmented_control("Picture", ["Example", "Upload", "Camera"], default="Example")
    if way == "Upload":
        file = st.file_uploader("A picture of a card", type=["png", "jpg", "jpeg", "webp", "bmp", "gif"])
    elif way == "Camera":
        file = st.camera_input("Hold the card before the camera")
    else:
        example = st.selectbox("Card", EXAMPLES, format_func=lambda path: path.stem)
        return example.read_bytes() if example else None
    return file.getvalue() if file else None


st.set_page_config("Meter reader", layout="centered")
st.title("Meter reader")
data = chosen_picture()
if data is None:
    st.info("Choose a picture of a card.")
    st.stop()
try:
    image, model = decode(data), reader()
    start = time.perf_counter()
    reading = model.read([image])[0]
    milliseconds = 1000 * (time.perf_counter() - start)
except PictureError as error:
    st.error(f"This picture cannot be read: {error}.")
    st.stop()
except RemoteError as error:
    st.error(f"The model service does not answer. Try again in a moment. ({error})")
    st.stop()

st.image(image)
st.metric("Reading", reading.digits or "no digits found")
st.progress(min(reading.confidence, 1.0), f"Confidence in the whole reading: {reading.confidence:.1%}")
if reading.digits:
    for column, digit, sure in zip(
        st.columns(len(reading.digits)), reading.digits, reading.digit_confidence, strict=True
    ):
        column.metric(f"{sure:.0%}", digit)
st.caption(f"model {reading.model_version} · read in {milliseconds:.1f} ms")
with st.form("feedback", clear_on_submit=True):
    says = st.text_input("What does it really say?", max_chars=200)
    if st.form_submit_button("This is wrong"):
        save_feedback(FOLDER, image, reading, says)
        st.success("Thank you: the picture and your words are kept for the next model.")
