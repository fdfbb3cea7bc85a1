"""What the network says of an image, and where it looks."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from cnnlab.data.resize import fit_to
from cnnlab.data.source import Image
from cnnlab.look.pictures.grad_cam import grad_cam, last_map
from cnnlab.look.subject import NotForThisRun, Subject

TOP = 5
STRONGEST = 0.75  # of the map's colour over the image
LEAST_SIDE = 224  # pixels that a picture is drawn with at least


@dataclass(frozen=True)
class Answerer:
    """A trained network that is asked one image at a time: Grad-CAM hangs itself into it."""

    subject: Subject
    names: Sequence[str]
    lock: Lock

    def answer(self, image: Image) -> dict[str, Any]:
        """Of an image [H, W, C]: the likeliest classes, what the network saw, and the map over it, as data URLs."""
        subject = self.subject
        size = subject.data.image_size
        fitted = np.ascontiguousarray(fit_to(image, size))
        with self.lock:
            inputs = subject.data.normalize(torch.from_numpy(fitted).permute(2, 0, 1)[None].to(subject.device))
            probabilities = subject.probabilities(inputs)[0].cpu()
            best = probabilities.topk(min(TOP, len(self.names)))
            try:
                stage = last_map(subject.net, inputs).stage
                heat = grad_cam(subject.net, stage, inputs, best.indices[:1].to(subject.device))[0].cpu().numpy()
                why = ""
            except NotForThisRun as error:
                heat, why = None, str(error)
        seen = subject.pixels(inputs)[0]
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return {
            "top": [{"class": self.names[label], "probability": share} for label, share in pairs],
            "seen": data_url(seen),
            "map": None if heat is None else data_url(over(seen, heat)),
            "why_no_map": why,
            "size": size,
        }


def over(seen: NDArray[np.float32], heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map [H, W] in colours over the grey image [H, W, C], the stronger the less of it shows through."""
    colours = mpl.colormaps["plasma"](heat)[..., :3]
    share = STRONGEST * heat[..., None]
    mixed: NDArray[np.float32] = (1 - share) * seen.mean(axis=-1, keepdims=True) + share * colours
    return mixed


def png(pixels: NDArray[Any]) -> bytes:
    """Of [H, W, C] in 0..1, or uint8; enlarged by whole numbers where it is small."""
    whole = pixels if pixels.dtype == np.uint8 else (255 * pixels).round().astype(np.uint8)
    if whole.shape[2] not in (1, 3):
        whole = whole.mean(axis=2, keepdims=True).astype(np.uint8)
    times = max(1, -(-LEAST_SIDE // max(whole.shape[:2])))
    picture = Pillow.fromarray(whole[..., 0] if whole.shape[2] == 1 else whole)
    stream = io.BytesIO()
    picture.resize((times * picture.width, times * picture.height), Pillow.Resampling.NEAREST).save(stream, "PNG")
    return stream.getvalue()


def data_url(pixels: NDArray[Any]) -> str:
    """The PNG, for a page."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode()
