"""`cnnlab predict`: what a trained network says of image files, a batch at a time, however many there are."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cnnlab.atomic import whole
from cnnlab.data.decode import ENDINGS, decode
from cnnlab.data.resize import fit_to
from cnnlab.data.source import Image
from cnnlab.data.threads import in_threads
from cnnlab.errors import UserError
from cnnlab.inference.table_files import WRITERS, Row
from cnnlab.inference.trained import Trained, load_run
from cnnlab.inference.words import folder, number, one_of, parsed
from cnnlab.track import tracked

KEYS = {"run": "", "input": "", "output": "predictions.csv", "top": "5", "batch_size": "64", "on_bad": "error"}
NAMED = 20  # of many unreadable files


def predict(words: Sequence[str]) -> None:
    """Writes a row for each image file: the likeliest classes and their probabilities.

    Raises:
        UserError: a word, the run or the input cannot be used.
        SystemExit: with 2, if files could not be read and on_bad=error; all others are written nevertheless.
    """
    keys, others = parsed("predict", words, KEYS)
    if others:
        raise UserError(f"predict {others[0]}: there is no such key. There are: {', '.join(KEYS)}")
    on_bad = one_of("predict", "on_bad", keys["on_bad"], ("error", "skip"))
    output = Path(keys["output"])
    write = WRITERS[one_of("predict", "output", output.suffix.lstrip(".") or "(no ending)", WRITERS)]
    top, at_once = (number("predict", key, keys[key]) for key in ("top", "batch_size"))
    if not keys["input"]:
        raise UserError("predict: of what? input=<an image, a folder, or a pattern as 'photos/*.jpg'>")
    trained = load_run(folder("predict", keys["run"]))
    count = sum(1 for _ in images_of(keys["input"]))
    if not count:
        raise UserError(f"predict input={keys['input']}: there is no image ({', '.join(sorted(ENDINGS))})")
    bad: list[str] = []
    classes = trained.names
    with ExitStack() as closing:
        rows = write(closing.enter_context(whole(output)), min(top, len(classes)))
        put = closing.enter_context(rows)
        for file, said in tracked(predictions(trained, images_of(keys["input"]), at_once), count, "predicting"):
            if isinstance(said, str):
                bad.append(said)
            else:
                put(row(file, said, classes, min(top, len(classes))))
    print(f"{count - len(bad):,} images: {output}")
    if bad:
        told = "\n".join(f"  {one}" for one in bad[:NAMED])
        more = f"\n  and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
        print(f"{len(bad):,} files could not be read and are left out:\n{told}{more}")
        if on_bad == "error":
            raise SystemExit(2)


def images_of(text: str) -> Iterator[Path]:
    """The image files of a file, a folder with all below it, or a pattern; in order, without a list of them all.

    Raises:
        UserError: there is no such file or folder.
    """
    path = Path(text)
    if path.is_dir():
        for place, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(place, name) for name in sorted(names) if Path(name).suffix.lower() in ENDINGS)
    elif path.is_file():
        yield path
    elif any(sign in text for sign in "*?["):
        yield from (found for found in sorted(path.parent.glob(path.name)) if found.suffix.lower() in ENDINGS)
    else:
        raise UserError(f"predict input={text}: there is no such file or folder")


def predictions(trained: Trained, files: Iterator[Path], at_once: int) -> Iterator[tuple[Path, Tensor | str]]:
    """Of each file its probabilities [K], or why it cannot be read."""
    data = trained.data
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = trained.net.to(device)

    def read(file: Path) -> Image | str:
        try:
            return fit_to(decode(file, data.in_channels)[0], data.image_size)
        except UserError as error:
            return str(error)

    while batch := list(islice(files, at_once)):
        found = list(in_threads(read, batch))
        whole_ones = [image for image in found if not isinstance(image, str)]
        said: Iterator[Tensor] = iter(())
        if whole_ones:
            images = torch.from_numpy(np.stack(whole_ones)).permute(0, 3, 1, 2).to(device)
            with torch.inference_mode():
                said = iter(net(data.normalize(images)).float().softmax(dim=1).cpu())
        for file, one in zip(batch, found, strict=True):
            yield file, one if isinstance(one, str) else next(said)


def row(file: Path, probabilities: Tensor, classes: Sequence[str], top: int) -> Row:
    """The file and its likeliest classes."""
    best = probabilities.topk(top)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    told: Row = {"file": str(file)}
    for place, (label, probability) in enumerate(pairs, 1):
        told |= {f"class_{place}": classes[label], f"probability_{place}": probability}
    return told
