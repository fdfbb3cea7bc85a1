"""Which weights count as the best."""

from pathlib import Path

import pytest
import torch
from lightning import Trainer

from cnnlab.checkpoints import WholeFiles, best


@pytest.mark.parametrize(("new", "saved"), [(0.4, False), (0.5, True), (0.6, True)])
def test_of_epochs_that_tie_the_latest_is_kept(tmp_path: Path, new: float, saved: bool) -> None:
    callback = best(tmp_path)
    callback.best_model_score = torch.tensor(0.5)
    assert callback.check_monitor_top_k(Trainer(logger=False), torch.tensor(new)) is saved


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "last.ckpt"
    WholeFiles().save_checkpoint({"step": 1}, file)
    with pytest.raises(Exception, match="pickle"):
        WholeFiles().save_checkpoint({"step": lambda: 2}, file)
    assert torch.load(file, weights_only=True) == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]
