"""The pictures there are, and how they come to be files."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.atomic import whole
from cnnlab.errors import UserError, did_you_mean, require_count

if TYPE_CHECKING:
    from cnnlab.look.subject import Subject

NEEDED = ("matplotlib", "captum")
MOST = 400  # images; of more a picture would not be readable
# pictures of single images, which are others with class=
OF_IMAGES = ("class_inputs", "deconvolution", "feature_maps", "grad_cam", "guided_backprop", "mistakes")


def names() -> list[str]:
    """All of them: the modules in pictures/."""
    return sorted(file.stem for file in Path(__file__).with_name("pictures").glob("[!_]*.py"))


def wanted(words: str, key: str = "pictures") -> tuple[list[str], bool]:
    """The pictures that `pictures=...` means, and whether those that a run has nothing for are left out.

    '' means those that take seconds, 'all' all; else names with commas between them, in brackets or not. key: by which
    they were asked for.

    Raises:
        UserError: there is no such picture, or none is named.
    """
    if words == "all":
        return names(), True
    if not words:
        require_installed()
        return [name for name in names() if picture(name).CHEAP], True
    asked = [word.strip() for word in words.removeprefix("[").removesuffix("]").split(",") if word.strip()]
    if not asked:
        raise UserError(f"{key}={words}: it names no picture. There are: all, {', '.join(names())}")
    for word in asked:
        if word not in names():
            near = did_you_mean(word, names())
            raise UserError(f"{key}={words}: there is no picture {word}.{near} There are: all, {', '.join(names())}")
    return list(dict.fromkeys(asked)), False


def recorded(pictures: object, every: object, images: object) -> list[str]:
    """The names of pictures that a run is to make as it trains, of what callbacks.pictures says.

    Raises:
        UserError: a picture is not known, or a number is none.
    """
    require_count("callbacks.pictures.every", every)
    require_count("callbacks.pictures.images", images, most=MOST)
    if not isinstance(pictures, list):
        raise UserError(f"callbacks.pictures.pictures={pictures}: it must be a list, as [confusion,filters]")
    key = "callbacks.pictures.pictures"
    return wanted(f"[{','.join(map(str, pictures))}]", key)[0] if pictures else []


def require_installed() -> None:
    """Raises a UserError if what draws is not there."""
    if missing := [package for package in NEEDED if find_spec(package) is None]:
        raise UserError(f"pictures need {' and '.join(missing)}: pip install 'cnnlab[pictures]'")


def picture(name: str) -> Any:
    """The module that draws it."""
    return import_module(f"cnnlab.look.pictures.{name}")


def made(subject: "Subject", chosen: Sequence[str], folder: Path, optional: bool) -> Iterator[tuple[str, Path | str]]:
    """Each picture's name and its file, or why it is left out. Random numbers are as they were before, each time.

    Raises:
        UserError: a picture cannot be made; if optional, only where the run is to blame.
    """
    import torch

    from cnnlab.look.subject import NotForThisRun

    for name in chosen:
        try:
            with torch.random.fork_rng(devices=[subject.device] if subject.device.type == "cuda" else []):
                torch.manual_seed(subject.config["seed"])
                of = f"-{subject.label}" if subject.label is not None and name in OF_IMAGES else ""
                file = saved(picture(name).draw(subject), folder / f"{name}{of}.png")
        except NotForThisRun as error:
            if not optional:
                raise UserError(f"pictures={name}: {error}") from error
            yield name, str(error)
            continue
        yield name, file


def saved(figure: Any, file: Path) -> Path:
    """Written whole."""
    with whole(file) as partial:
        figure.savefig(partial, format="png")
    return file
