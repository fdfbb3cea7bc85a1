"""What Hydra is told of a cell that did not finish."""

import pytest
from hydra.core.utils import JobStatus

from cnnlab.errors import UserError
from cnnlab.launch.outcome import Told


def test_a_failed_cells_error_comes_without_hydras_list_of_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told(overrides=["model=lenet5"], status=JobStatus.FAILED)
    told.return_value = UserError("it did not finish")
    with pytest.raises(UserError, match="it did not finish"):
        _ = told.return_value
    assert capsys.readouterr() == ("", "")
