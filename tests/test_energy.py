"""Energy, read from made-up counters."""

from pathlib import Path

import pytest
import torch

from cnnlab import energy

CPU = torch.device("cpu")


@pytest.fixture
def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A processor's counter, as Linux shows it."""
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    package = tmp_path / "intel-rapl:0"
    package.mkdir()
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of the package, which counts it already
    (package / "max_energy_range_uj").write_text("10000000\n")
    (package / "energy_uj").write_text("9000000\n")
    return package


def test_joules_are_the_difference_of_two_readings(zone: Path) -> None:
    before = energy.counters(CPU)
    (zone / "energy_uj").write_text("9500000\n")
    assert energy.joules(before, energy.counters(CPU)) == pytest.approx(0.5)


def test_a_counter_that_has_begun_anew_is_read_on(zone: Path) -> None:
    before = energy.counters(CPU)
    (zone / "energy_uj").write_text("2000000\n")
    assert energy.joules(before, energy.counters(CPU)) == pytest.approx(3.0)


def test_where_nothing_can_be_read_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    assert energy.joules(energy.counters(CPU), energy.counters(CPU)) is None
