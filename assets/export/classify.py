"""Says what is in a picture, with the network in model.safetensors:  python classify.py picture.jpg [more.jpg …]

Needs torch, torchvision, safetensors and Pillow; nothing is fetched from anywhere.
"""

import json
import sys
from pathlib import Path

import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from torch import nn
from torchvision import models, transforms

HERE = Path(__file__).resolve().parent
LABELS = json.loads((HERE / "labels.json").read_text(encoding="utf-8"))


{{build}}


{{prepare}}


def main():
    network = build(len(LABELS["classes"])).eval()
    network.load_state_dict(load_file(HERE / "model.safetensors"))
    for name in sys.argv[1:]:
        picture = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
        with torch.inference_mode():
            shares = network(prepare(picture)[None]).softmax(1)[0].tolist()
        answers = {label: round(share, 6) for label, share in zip(LABELS["classes"], shares)}
        print(json.dumps({"picture": name, "says": max(answers, key=answers.get), "probabilities": answers}, ensure_ascii=False))


if __name__ == "__main__":
    main()
