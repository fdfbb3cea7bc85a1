"""Test images for those who have none at hand."""

from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from cnnlab.data.source import Image, ImageSet
from cnnlab.errors import UserError
from cnnlab.look.subject import Subject, in_turn

MOST = 12


@dataclass(frozen=True)
class Examples:
    """Images [H, W, C] with the names of their classes, or why there is none."""

    images: list[Image]
    classes: list[str]
    why_none: str

    def told(self) -> dict[str, Any]:
        """For the page."""
        return {"classes": self.classes, "why_none": self.why_none}

    def at(self, number: int) -> Image:
        """Of those on the page.

        Raises:
            HTTPException: there are not so many.
        """
        if not 0 <= number < len(self.images):
            raise HTTPException(404, "There is no such example.")
        return self.images[number]


def examples_of(subject: Subject) -> Examples:
    """The first of each class, then the second of each; none where the data set is not on this machine."""
    try:
        found: ImageSet = subject.set_of("test")
        positions = in_turn(found.labels)[:MOST]
        images = [found.images[int(position)] for position in positions]
        return Examples(images, [subject.classes[int(found.labels[position])] for position in positions], "")
    except UserError as error:
        return Examples([], [], str(error))
