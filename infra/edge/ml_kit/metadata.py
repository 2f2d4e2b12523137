"""Metadata in a LiteRT file: ``metadata.py MODEL.tflite OUT.tflite`` adds what goes in and what comes out.

They are a second flatbuffer inside of the first, as the buffer TFLITE_METADATA, and files beside it, such as
the labels, in a zip at the end of the file. So a library on a phone knows how to prepare a picture, and which
word belongs to which score. Source: MediaPipe's metadata_schema.fbs.
"""

import argparse
import io
import json
import os
import zipfile
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"  # MediaPipe imports Matplotlib: a notebook's way to draw is not here

import flatbuffers
from mediapipe.tasks.metadata import metadata_schema_py_generated as described
from mediapipe.tasks.metadata import schema_py_generated as schema

LABELS = "labels.txt"
VERSION = "1.2.0"  # the oldest parser that understands what is used here: associated files, normalization


def picture(deviation: float = 1.0) -> described.TensorMetadataT:
    """The input: red, green and blue, from 0 to 255, divided by ``deviation``."""
    colours = described.ImagePropertiesT()
    colours.colorSpace = described.ColorSpaceType.RGB
    content = described.ContentT()
    content.contentPropertiesType = described.ContentProperties.ImageProperties
    content.contentProperties = colours
    options = described.NormalizationOptionsT()
    options.mean, options.std = [0.0], [deviation]
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


def metadata(deviation: float = 1.0) -> bytes:
    """The flatbuffer of the metadata."""
    graph = described.SubGraphMetadataT()
    graph.inputTensorMetadata, graph.outputTensorMetadata = [picture(deviation)], [scores()]
    model = described.ModelMetadataT()
    model.name, model.version = "Meter digit", "v2"
    model.description, model.license = "Reads one handwritten digit of a meter card", "MIT"
    model.subgraphMetadata, model.minParserVersion = [graph], VERSION
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def described_model(model: bytes, labels: str, deviation: float = 1.0) -> bytes:
    """The file with its metadata, and with its labels in a zip behind it."""
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(metadata(deviation))
    entry.name, entry.buffer = "TFLITE_METADATA", len(content.buffers)
    content.buffers.append(buffer)
    content.metadata = [*(content.metadata or []), entry]
    builder = flatbuffers.Builder(len(model))
    builder.Finish(content.Pack(builder), b"TFL3")
    file = io.BytesIO(bytes(builder.Output()))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(LABELS, "\n".join(labels))
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--labels", default="0123456789", help="in the order of the scores, a letter each")
    parser.add_argument("--deviation", type=float, default=1.0, help="by which the library divides a picture")
    args = parser.parse_args()
    content = described_model(args.model.read_bytes(), args.labels, args.deviation)
    args.out.write_bytes(content)
    print(json.dumps({"bytes": len(content)}))


if __name__ == "__main__":
    main()
