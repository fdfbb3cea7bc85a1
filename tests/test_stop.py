"""What signals do while a run trains."""

import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from lightning import Trainer

from cnnlab.callbacks.stop import Stop
from cnnlab.launch.child import stopped


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """They are as they were afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def listening(number: int, handler: Any) -> Stop:
    """A Stop that has taken the place of a handler."""
    signal.signal(number, handler)
    stop = Stop()
    stop.on_train_start()
    return stop


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(logger=False, accelerator="cpu", enable_model_summary=False)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_first_is_noted_and_the_second_ends_at_once(number: int, code: int, trainer: Trainer) -> None:
    stop = listening(number, stopped)
    assert not stop.asked(trainer, surely=True)
    os.kill(os.getpid(), number)
    assert stop.asked(trainer, surely=True)
    with pytest.raises(SystemExit) as ended:
        os.kill(os.getpid(), number)
    assert ended.value.code == code


@pytest.mark.parametrize("handler", [stopped, signal.SIG_DFL])
def test_obeying_ends_the_process_with_the_signals_code(handler: Any) -> None:
    stop = listening(signal.SIGTERM, handler)
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        stop.obey()
    assert ended.value.code == 143


def test_a_rank_takes_what_its_agent_and_the_system_say_for_one_signal() -> None:
    stop = listening(signal.SIGTERM, signal.SIG_DFL)
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.number == signal.SIGTERM
    stop.since -= 10  # seconds later
    with pytest.raises(SystemExit):
        os.kill(os.getpid(), signal.SIGTERM)


def test_whoever_listened_to_a_time_limit_hears_of_it_when_all_is_saved(trainer: Trainer) -> None:
    heard: list[int] = []

    def requeue(number: int, _: FrameType | None) -> None:
        heard.append(number)
        raise SystemExit(-1)

    stop = listening(signal.SIGUSR2, requeue)
    os.kill(os.getpid(), signal.SIGUSR2)
    assert stop.asked(trainer, surely=True)
    assert heard == []
    with pytest.raises(SystemExit):
        stop.obey()
    assert heard == [signal.SIGUSR2]


def test_a_run_goes_on_where_whoever_listens_lets_it(trainer: Trainer) -> None:
    stop = listening(signal.SIGTERM, lambda *_: None)
    os.kill(os.getpid(), signal.SIGTERM)
    stop.obey()
    assert not stop.asked(trainer, surely=True)


def test_a_time_limit_that_nobody_listens_to_is_left_alone() -> None:
    listening(signal.SIGUSR2, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN
