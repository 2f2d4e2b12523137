"""Metadata in a LiteRT file: ``metadata.py MODEL.tflite OUT.tflite`` says what goes in, and what comes out.

They are a second flatbuffer inside of the first, as the buffer TFLITE_METADATA, and files beside it, such as
the labels, in a zip at the end of the file. So a library on a phone knows how to prepare a picture, and which
word belongs to which score. Source: MediaPipe's metadata_schema.fbs.
"""

import io
import sys
import zipfile
from pathlib import Path

import flatbuffers
from mediapipe.tasks.metadata import metadata_schema_py_generated as described
from mediapipe.tasks.metadata import schema_py_generated as schema

LABELS = "labels.txt"
VERSION = "1.2.0"  # the oldest parser that understands what is used here: associated files, normalization


def picture() -> described.TensorMetadataT:
    """The input: red, green and blue, from 0 to 255 as they are."""
    colours = described.ImagePropertiesT()
    colours.colorSpace = described.ColorSpaceType.RGB
    content = described.ContentT()
    content.contentPropertiesType = described.ContentProperties.ImageProperties
    content.contentProperties = colours
    options = described.NormalizationOptionsT()
    options.mean, options.std = [0.0], [1.0]
    unit = described.ProcessUnitT()
    unit.optionsType, unit.options = described.ProcessUnitOptions.NormalizationOptions, options
    stats = described.StatsT()
    stats.min, stats.max = [0.0], [255.0]
    tensor = described.TensorMetadataT()
    tensor.name, tensor.description = "picture", "a handwritten digit in the middle of a square"
    tensor.content, tensor.processUnits, tensor.stats = content, [unit], stats
    return tensor


def scores() -> described.TensorMetadataT:
    """The output: a score from 0 to 1 for each line of the labels."""
    labels = described.AssociatedFileT()
    labels.name, labels.description = LABELS, "a digit a line, in the order of the scores"
    labels.type = described.AssociatedFileType.TENSOR_AXIS_LABELS
    content = described.ContentT()
    content.contentPropertiesType = described.ContentProperties.FeatureProperties
    content.contentProperties = described.FeaturePropertiesT()
    stats = described.StatsT()
    stats.min, stats.max = [0.0], [1.0]
    tensor = described.TensorMetadataT()
    tensor.name, tensor.description = "score", "how sure the network is of each digit"
    tensor.content, tensor.associatedFiles, tensor.stats = content, [labels], stats
    return tensor


def metadata() -> bytes:
    """The flatbuffer of the metadata."""
    graph = described.SubGraphMetadataT()
    graph.inputTensorMetadata, graph.outputTensorMetadata = [picture()], [scores()]
    model = described.ModelMetadataT()
    model.name, model.version = "Meter digit", "v2"
    model.description, model.license = "Reads one handwritten digit of a meter card", "MIT"
    model.subgraphMetadata, model.minParserVersion = [graph], VERSION
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def described_model(model: bytes, labels: list[str]) -> bytes:
    """The file with its metadata, and with its labels in a zip behind it."""
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(metadata())
    entry.name, entry.buffer = "TFLITE_METADATA", len(content.buffers)
    content.buffers.append(buffer)
    content.metadata = [*(content.metadata or []), entry]
    builder = flatbuffers.Builder(len(model))
    builder.Finish(content.Pack(builder), b"TFL3")
    file = io.BytesIO(bytes(builder.Output()))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(LABELS, "\n".join(labels))
    return file.getvalue()


if __name__ == "__main__":
    written = described_model(Path(sys.argv[1]).read_bytes(), [str(digit) for digit in range(10)])
    Path(sys.argv[2]).write_bytes(written)
