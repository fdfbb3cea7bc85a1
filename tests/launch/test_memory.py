"""Batches in pieces, where a GPU's memory does not suffice: which number of them is next."""

import pytest
import torch

from cnnlab.launch.memory import advice, in_pieces, is_out_of_memory, more_pieces
from conftest import compose_config


@pytest.mark.parametrize(
    ("words", "pieces", "following"),
    [
        ([], 1, 2),
        ([], 2, 4),
        (["datamodule.batch_size=27"], 1, 3),  # equal pieces only
        (["datamodule.batch_size=8", "trainer.devices=2"], 2, 4),  # of a process' share
        (["trainer.micro_batches=8"], 1, 16),  # what is configured did not do
        (["datamodule.batch_size=4"], 4, None),  # each image is alone already
    ],
)
def test_the_next_number_of_pieces_is_at_least_twice_and_divides_the_batch(
    words: list[str], pieces: int, following: int | None
) -> None:
    assert more_pieces(compose_config("trainer=cpu", *words), pieces) == following


def test_fewer_images_are_tested_at_once_where_batches_come_in_pieces() -> None:
    config = in_pieces(compose_config("datamodule.batch_size=32"), 4)
    assert config["trainer"]["micro_batches"] == 4
    assert config["datamodule"]["eval_batch_size"] == 8
    assert config["datamodule"]["batch_size"] == 32


def test_pieces_are_advised_while_there_can_be_more() -> None:
    assert advice(compose_config()).startswith("trainer.micro_batches=2 ")
    assert advice(compose_config("datamodule.batch_size=1")).startswith("datamodule.eval_batch_size")


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_want_of_memory_is_known_by_what_torch_says(error: RuntimeError, is_it: bool) -> None:
    assert is_out_of_memory(error) == is_it
