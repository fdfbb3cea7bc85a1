"""BatchNorm whose statistics are those of all processes' images."""

import torch
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm over the global batch, for processes on CPUs, where torch's SyncBatchNorm does not go.

    Each process must have equally many images. In evaluation it is plain BatchNorm.
    """

    def forward(self, input: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        if not self.training:
            return super().forward(input)
        processes = torch.distributed.get_world_size()
        # one exchange; centred by the running mean, so that the difference below does not lose its digits
        assert self.running_mean is not None
        assert self.running_var is not None
        centre = self.running_mean.detach().clone()
        exact = torch.promote_types(input.dtype, torch.float32)
        centred = input.to(exact) - centre[:, None, None]
        own = torch.stack([centred.mean((0, 2, 3)), centred.square().mean((0, 2, 3))])
        together: Tensor = all_reduce(own)  # type: ignore[no-untyped-call]
        mean, square = together / processes
        variance = (square - mean.square()).clamp(min=0)
        count = input.numel() / input.shape[1] * processes
        with torch.no_grad():
            assert self.momentum is not None
            self.running_mean.lerp_((mean + centre).to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_((variance * count / (count - 1)).to(self.running_var.dtype), self.momentum)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
        scale = torch.rsqrt(variance + self.eps) * self.weight
        normalized: Tensor = ((centred - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]).to(
            input.dtype
        )
        return normalized
