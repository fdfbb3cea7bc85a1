"""A network at work on a batch of noise that lies on the device: neither data nor Lightning's loop."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from cnnlab.bench.steps import PRECISIONS, trained_network
from cnnlab.build import build_classifier
from cnnlab.levers import device_of, memory_format, pull, settings
from cnnlab.optim import add_l1
from cnnlab.run import Config

Work = Callable[[], object]


@dataclass(frozen=True)
class Workload:
    """A training step with optimizer and all, and a forward pass in evaluation; each waits until it is done."""

    net: nn.Module
    images: int
    train: Work
    infer: Work


def workload(config: Config) -> Workload:
    """Of the configuration's network, in its precision and with its levers."""
    trainer, data = config["trainer"], config["datamodule"]
    device, (dtype, autocast) = device_of(trainer), PRECISIONS[trainer["precision"]]
    torch.manual_seed(config["seed"])
    net = trained_network(config)
    pull(net, trainer)
    classifier = build_classifier(config, net.to(device))
    optimizer = classifier.make_optimizer(net)
    shape = (data["batch_size"], data["in_channels"], data["image_size"], data["image_size"])
    images = torch.randn(shape, device=device, dtype=dtype).contiguous(memory_format=memory_format(trainer))
    labels = torch.randint(data["num_classes"], shape[:1], device=device)

    def done() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    def train() -> None:
        net.train()
        with settings(trainer):
            optimizer.zero_grad()
            with torch.autocast(device.type, autocast, enabled=autocast is not None):
                mixed, targets = classifier.mixing(images, labels)
                loss = classifier.objective(classifier(mixed), targets)[0]
            loss.backward()
            add_l1(optimizer)
            optimizer.step()
            done()

    def infer() -> None:
        net.eval()
        with settings(trainer), torch.inference_mode(), torch.autocast(device.type, autocast, enabled=bool(autocast)):
            classifier(images)
            done()

    return Workload(net, len(images), train, infer)


def first_line(error: Exception) -> str:
    """What is said of it in a table."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
