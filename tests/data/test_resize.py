import numpy as np
import pytest
from PIL import Image as Pillow

from cnnlab.data.resize import all_at, fit_to
from cnnlab.data.source import Image

ARRAY = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)


class OnDemand:
    """Images of various sizes."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, position: int, /) -> Image:
        return np.full((8 + position, 20 - position, 3), position, np.uint8)


@pytest.mark.parametrize("shape", [(8, 8), (20, 8), (8, 21), (300, 170), (1, 1), (500, 3)])
@pytest.mark.parametrize("size", [8, 32, 100])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_of_any_shape_fits(shape: tuple[int, int], size: int, channels: int) -> None:
    fitted = fit_to(np.zeros((*shape, channels), np.uint8), size)
    assert fitted.dtype == np.uint8
    assert fitted.shape == (size, size, channels)


def test_an_image_at_size_is_left_alone() -> None:
    assert np.array_equal(fit_to(ARRAY[0], 8), ARRAY[0])


def test_a_large_image_is_cropped_by_an_eighth() -> None:
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    assert np.array_equal(fit_to(image, 224), image[16:240, 16:240])


@pytest.mark.parametrize("size", [32, 64])
def test_a_small_image_is_resized_whole(size: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 1), np.uint8)
    whole = np.asarray(Pillow.fromarray(image[..., 0]).resize((size, size), Pillow.Resampling.BILINEAR))
    assert np.abs(fit_to(image, size)[..., 0].astype(int) - whole).max() <= 1


def test_the_middle_of_a_wide_image_is_kept_undistorted() -> None:
    image = np.zeros((8, 24, 1), np.uint8)
    image[:, 8:16] = 200
    assert np.all(fit_to(image, 8) == 200)


@pytest.mark.parametrize("shape", [(500, 375), (300, 700), (90, 100)])
def test_resizing_is_pillows_to_the_last_bit_or_the_one_before(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    width, height = (round(n * 256 / min(shape)) for n in (shape[1], shape[0]))
    large = min(shape) > 224
    if not large:
        width, height = (round(n * 224 / min(shape)) for n in (shape[1], shape[0]))
    expected = np.asarray(Pillow.fromarray(image).resize((width, height), Pillow.Resampling.BILINEAR))
    top, left = (height - 224) // 2, (width - 224) // 2
    assert np.abs(fit_to(image, 224).astype(int) - expected[top : top + 224, left : left + 224]).max() <= 1


def test_an_array_at_size_is_not_copied() -> None:
    assert all_at(ARRAY, 8) is ARRAY


def test_all_images_are_brought_to_size_in_order() -> None:
    images = all_at(OnDemand(), 16)
    assert images.shape == (6, 16, 16, 3)
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_resized_array_is_that_of_its_images() -> None:
    assert np.array_equal(all_at(ARRAY, 5), np.stack([fit_to(image, 5) for image in ARRAY]))


def test_an_image_that_cannot_be_written_to_is_resized() -> None:
    image = ARRAY[0].copy()
    image.flags.writeable = False
    assert fit_to(image, 4).shape == (4, 4, 3)


def test_a_line_of_pixels_takes_no_more_memory_than_its_middle() -> None:
    line = np.zeros((1, 3_000_000, 1), np.uint8)
    line[:, 1_500_000 - 100 : 1_500_000 + 100] = 200
    assert fit_to(line, 32).shape == (32, 32, 1)
    assert (fit_to(line, 32) == 200).all()
