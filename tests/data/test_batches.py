from itertools import chain

import numpy as np
import pytest

from cnnlab.data.batches import EvaluationBatches, TrainBatches
from cnnlab.data.limits import limited

WORLD_SIZES = pytest.mark.parametrize("world_size", [1, 2, 3])
EVALUATED = pytest.mark.parametrize("length", [1, 4, 9, 10, 12, 13])


def batches(
    length: int = 40, *, train: bool = True, rank: int = 0, world_size: int = 1, seed: int = 0, epoch: int = 0
) -> list[list[int]]:
    sampler = (
        TrainBatches(length, 6, seed, 1.0, 1, rank, world_size)
        if train
        else EvaluationBatches(length, 4, 1.0, 4, rank, world_size)
    )
    sampler.set_epoch(epoch)
    return [positions.tolist() for _, positions in sampler]


def of_all_ranks(length: int, world_size: int, *, train: bool) -> list[list[list[int]]]:
    return [batches(length, train=train, rank=rank, world_size=world_size) for rank in range(world_size)]


@WORLD_SIZES
@EVALUATED
def test_evaluation_sees_every_position_once(length: int, world_size: int) -> None:
    seen = [position for rank in of_all_ranks(length, world_size, train=False) for batch in rank for position in batch]
    assert sorted(seen) == list(range(length))


@WORLD_SIZES
@EVALUATED
def test_in_evaluation_all_ranks_have_the_same_number_of_batches(length: int, world_size: int) -> None:
    assert {len(rank) for rank in of_all_ranks(length, world_size, train=False)} == {-(-length // (4 * world_size))}


def test_evaluation_keeps_the_order() -> None:
    assert batches(10, train=False) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_evaluation_is_the_same_in_every_epoch() -> None:
    assert batches(10, train=False, epoch=0) == batches(10, train=False, epoch=5)


def test_a_rank_may_get_nothing_in_the_end() -> None:
    assert batches(9, train=False, rank=1, world_size=2)[-1] == []


@WORLD_SIZES
@EVALUATED
def test_evaluation_has_the_batches_of_one_process(length: int, world_size: int) -> None:
    ranks = [batch for rank in of_all_ranks(length, world_size, train=False) for batch in rank if batch]
    assert sorted(ranks) == batches(length, train=False)


@WORLD_SIZES
def test_training_ranks_partition_each_batch_of_one_process(world_size: int) -> None:
    ranks = of_all_ranks(40, world_size, train=True)
    together = [sorted(chain(*parts)) for parts in zip(*ranks, strict=True)]
    assert together == [sorted(batch) for batch in batches(40)]


@WORLD_SIZES
def test_training_ranks_get_equal_shares(world_size: int) -> None:
    sizes = {len(batch) for rank in of_all_ranks(40, world_size, train=True) for batch in rank}
    assert sizes == {6 // world_size}


def test_training_leaves_out_the_incomplete_last_batch() -> None:
    assert [len(batch) for batch in batches(40)] == [6] * 6


def test_training_sees_no_position_twice_in_an_epoch() -> None:
    seen = np.concatenate(batches(42))
    assert sorted(seen) == list(range(42))


def test_another_epoch_leaves_out_other_positions() -> None:
    assert set(chain(*batches(epoch=0))) != set(chain(*batches(epoch=1)))


def test_another_epoch_has_another_order() -> None:
    assert batches(epoch=0) != batches(epoch=1)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_the_same_seed_gives_the_same_order(seed: int) -> None:
    assert batches(seed=seed, epoch=3) == batches(seed=seed, epoch=3)


def test_another_seed_gives_another_order() -> None:
    assert batches(seed=1) != batches(seed=2)


def test_seed_0_is_a_seed_like_any_other() -> None:
    assert batches(seed=0) != batches(seed=1)
    assert batches(seed=0) != [list(range(start, start + 6)) for start in range(0, 36, 6)]


def test_the_seed_and_the_epoch_are_not_added_up() -> None:
    assert batches(seed=1, epoch=0) != batches(seed=0, epoch=1)


def test_the_order_does_not_come_from_the_global_generator() -> None:
    np.random.seed(1)
    first = batches()
    np.random.seed(2)
    assert batches() == first


def test_without_a_new_epoch_the_order_is_repeated() -> None:
    sampler = TrainBatches(12, 4, 0, 1.0, 1, 0, 1)
    assert [p.tolist() for _, p in sampler] == [p.tolist() for _, p in sampler]


def test_a_batch_carries_its_epoch() -> None:
    sampler = TrainBatches(12, 4, 0, 1.0, 1, 0, 1)
    sampler.set_epoch(7)
    assert [epoch for epoch, _ in sampler] == [7, 7, 7]


@WORLD_SIZES
def test_the_length_is_the_number_of_batches(world_size: int) -> None:
    for length in (12, 23, 24, 25):
        for sampler in (
            TrainBatches(length, 12, 0, 1.0, 2, 0, world_size),
            EvaluationBatches(length, 12, 1.0, 12, 0, world_size),
        ):
            assert len(sampler) == len(list(sampler))


def test_pieces_are_the_batch() -> None:
    pieces = [where.tolist() for _, where in TrainBatches(40, 12, 0, 1.0, 3, 0, 1)]
    assert [len(piece) for piece in pieces] == [4] * 9
    whole = [where.tolist() for _, where in TrainBatches(40, 12, 0, 1.0, 1, 0, 1)]
    assert [list(chain(*pieces[n : n + 3])) for n in (0, 3, 6)] == whole


@pytest.mark.parametrize(("limit", "left"), [(1.0, 7), (0.5, 3), (0.01, 1), (1, 1), (5, 5), (100, 7)])
def test_a_limit_is_a_share_or_a_number(limit: float, left: int) -> None:
    assert limited(7, limit) == left


@WORLD_SIZES
def test_a_limit_holds_for_all_ranks_together(world_size: int) -> None:
    ranks = [list(EvaluationBatches(40, 5, 3, 4, rank, world_size)) for rank in range(world_size)]
    assert sorted(position for rank in ranks for _, batch in rank for position in batch) == list(range(12))
    assert len(TrainBatches(40, 12, 0, 2, 2, 0, world_size)) == 4
