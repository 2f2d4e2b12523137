"""Trains the small image classifier again that stands for a model of the Hugging Face kind.

``make_classifier.py DIGITS.npz FOLDER``: ``images`` uint8 ``[n, 28, 28]`` and ``labels``. Writes config.json,
model.safetensors and preprocessor_config.json, as ``from_pretrained`` wants them. The same digits give the
same weights on the same machine.
"""

import sys

import numpy as np
import torch
from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessor

BATCH, EPOCHS = 64, 12


def main(digits: str, folder: str) -> float:
    """Train and save; the share of the training digits that it gets right."""
    torch.manual_seed(2022)
    file = np.load(digits)
    names = {place: str(place) for place in range(10)}
    config = ResNetConfig(
        embedding_size=12,
        hidden_sizes=[16, 32],
        depths=[1, 1],
        layer_type="basic",
        id2label=names,
        label2id={name: place for place, name in names.items()},
    )
    model = ResNetForImageClassification(config)
    images = torch.from_numpy(file["images"]).float()[:, None].expand(-1, 3, -1, -1) / 127.5 - 1
    labels = torch.from_numpy(file["labels"].astype(np.int64))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    steps = EPOCHS * (len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    model.train()
    for _ in range(EPOCHS):
        for places in torch.randperm(len(labels))[: len(labels) // BATCH * BATCH].split(BATCH):
            optimizer.zero_grad()
            model(pixel_values=images[places], labels=labels[places]).loss.backward()
            optimizer.step()
            schedule.step()
    model.eval().save_pretrained(folder)
    ViTImageProcessor(size={"height": 28, "width": 28}).save_pretrained(folder)
    with torch.inference_mode():
        return float((model(pixel_values=images).logits.argmax(1) == labels).float().mean())


if __name__ == "__main__":
    print(f"{main(*sys.argv[1:]):.1%} of the training digits")
