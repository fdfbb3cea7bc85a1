"""The model card of an exported network (after Mitchell et al.: Model cards for model reporting, 2019)."""

from typing import Any

from cnnlab.inference.formats import Format
from cnnlab.inference.trained import Trained
from cnnlab.run import Run

LICENCES = {
    "digits": "UCI optical recognition of handwritten digits: CC BY 4.0",
    "mnist": "MNIST: CC BY-SA 3.0",
    "fashion_mnist": "Fashion-MNIST: MIT",
    "cifar10": "CIFAR-10: no licence is stated by its authors",
    "cifar100": "CIFAR-100: no licence is stated by its authors",
    "imagenet": "ImageNet: for non-commercial research and education only",
}


def card(trained: Trained, file: str, made: Format, preprocess: bool, apart: float, images: int) -> str:
    """Markdown: what it is, how it is used, how good it is, what made it, what it is not for."""
    config, result = trained.config, Run(trained.folder).result()
    model, data, optim = config["model"], config["datamodule"], config["optim"]
    size = f"{model['in_channels']} x {model['image_size']} x {model['image_size']}"
    scale = "in 0..1" if preprocess else f"((pixels / 255) - {data['mean']}) / {data['std']}, channel by channel"
    on = [f"{key} {value}" for key, value in config["regularizer"].items() if value not in (0, "none")]
    environment = result.get("environment", {})
    tested = result.get("data", {}).get("images", {}).get("test")
    names = trained.classes
    epochs = config["trainer"]["max_epochs"]
    lines = [
        f"# {model['name']} on {data['name']}",
        "",
        f"`{file}`: float32 images [N, {size.replace(' x ', ', ')}], {scale}; logits [N, {model['num_classes']}].",
        f"Its outputs differ by at most {apart:.2g} from the network's on {images} test images.",
        "",
        "```python",
        made.usage.format(file=file),
        "```",
        "",
        f"Classes, in the order of the outputs: {', '.join(names) if names else 'not told by a test'}.",
        "",
        "## How good it is",
        "",
        f"One training (n = 1, seed {config['seed']}), {tested or 'unknown'} test images:",
        "",
        *_metrics(result.get("metrics", {})),
        "",
        "Other seeds give other figures; a study of several says by how much (`cnnlab report`).",
        "",
        "## What made it",
        "",
        f"- data: {data['name']}; {LICENCES.get(data['name'], 'the licence of your images holds')}",
        f"- recipe: {optim['_target_'].rpartition('.')[2]}, lr {optim['lr']}, "
        f"{epochs} epochs, batch size {data['batch_size']}, {', '.join(on) or 'no regularizer'}",
        f"- cost: {_cost(result.get('cost', {}))}",
        f"- code: commit {environment.get('commit', 'unknown')}, torch {environment.get('torch', 'unknown')}",
        "",
        "## What it is not for",
        "",
        f"It knows images like those of {data['name']} and its {model['num_classes']} classes only, and takes anything "
        "else for one of them. Its probabilities are not calibrated. It was not examined for fairness or attacks.",
        "",
    ]
    return "\n".join(lines)


def _metrics(metrics: dict[str, Any]) -> list[str]:
    rows = [(name, value) for name, value in metrics.items() if name.startswith(("test/", "val/"))]
    return ["| metric | value |", "|---|---|", *(f"| {name} | {value:.4f} |" for name, value in rows)]


def _cost(cost: dict[str, Any]) -> str:
    return ", ".join(f"{key} {cost[key]:,.0f}" for key in ("parameters", "flops", "fit_seconds") if key in cost)
