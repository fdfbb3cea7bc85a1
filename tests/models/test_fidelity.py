"""The networks are the papers': parameters, shapes, operations, and outputs for given weights."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks import GIANTS, as_in_paper, layers, light_first, meta_network, network
from torch import Tensor, nn

from cnnlab import weights
from cnnlab.cost import flops, parameters
from cnnlab.models.googlenet import inception
from cnnlab.models.meta import forward_on_meta
from cnnlab.models.parts.auxiliary import WithAuxiliary
from conftest import compose_config, stems

# Trainable parameters at the paper's shape. "counted": from the paper's figure, layer by layer.
GOLDEN = {
    "lenet5": 61_706,  # counted
    "alexnet": 61_100_840,  # torchvision
    "zfnet": 62_357_608,  # counted
    "nin": 966_986,  # counted
    "nin_imagenet": 7_595_176,  # counted
    "vgg11": 132_863_336,  # torchvision, as the next two and vgg19
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_lrn": 132_863_336,  # its normalization has none
    "vgg16_c": 133_638_952,  # counted: D without eight ninths of three convolutions
    "googlenet": 13_378_280,  # counted, with both auxiliary heads
    "inception_v1": 13_378_280,
    "googlenet_torchvision": 13_004_888,  # torchvision
    "bn_inception": 11_194_984,  # counted
    "inception_v2": 29_280_176,  # counted
    "inception_v3": 27_161_264,  # torchvision
    "inception_v4": 42_679_816,  # the authors' released network
    "inception_resnet_v2": 55_843_464,  # the authors' released network
    "resnet18": 11_689_512,  # torchvision, as the next four
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnet20": 269_722,  # counted, as the next five; paper: 0.27 0.46 0.66 0.85 1.7 19.4 M
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
    "resnet1202": 19_421_274,
    "preact_resnet18": 11_687_720,  # counted, as all of these; paper for 164 and 1001: 1.7 10.2 M
    "preact_resnet34": 21_795_880,
    "preact_resnet50": 25_549_352,
    "preact_resnet101": 44_541_480,
    "preact_resnet152": 60_185_128,
    "preact_resnet20": 272_282,
    "preact_resnet32": 466_714,
    "preact_resnet44": 661_146,
    "preact_resnet56": 855_578,
    "preact_resnet110": 1_730_522,
    "preact_resnet164": 1_703_258,
    "preact_resnet1001": 10_327_706,
    "wide_resnet16_8": 10_961_370,  # counted, as the next two; paper: 11.0 36.5 8.9 M
    "wide_resnet28_10": 36_479_194,
    "wide_resnet40_4": 8_949_210,
    "wide_resnet50_2": 68_883_240,  # torchvision
    "resnext50": 25_028_904,  # torchvision
    "se_resnet50": 25_557_032 + 2_530_992,  # ResNet-50 and sixteen squeezes and excitations
    "densenet121": 7_978_856,  # torchvision, as the next three
    "densenet161": 28_681_000,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
    "densenet40_12": 1_019_722,  # counted, as the next three; paper: 1.0 0.8 15.3 25.6 M
    "densenet_bc_100_12": 769_162,
    "densenet_bc_250_24": 15_324_406,
    "densenet_bc_190_40": 25_624_430,
    "highway": 2_262_714,  # counted; paper: 2.3 M
    "squeezenet": 1_248_424,  # torchvision
    "squeezenet1_1": 1_235_496,  # torchvision
    "mobilenet_v1": 4_231_976,  # counted; paper: 4.2 M
    "mobilenet_v2": 3_504_872,  # torchvision
    "xception": 22_855_952,  # the author's released network
    "shufflenet_v2": 2_278_604,  # torchvision
    "resnet9": 6_573_130,  # counted; its author's has no output bias, and 10 fewer
}
# multiply-accumulates of one image, as torchvision's networks have them
MACS = {
    "alexnet": 714_188_480,
    "vgg11": 7_609_090_048,
    "vgg13": 11_308_466_176,
    "vgg16": 15_470_264_320,
    "vgg19": 19_632_062_464,
    "googlenet_torchvision": 1_498_376_192,
    "inception_v3": 5_713_216_096,
    "resnet18": 1_814_073_344,
    "resnet34": 3_663_761_408,
    "resnet50": 4_089_184_256,
    "resnet101": 7_801_405_440,
    "resnet152": 11_513_626_624,
    "wide_resnet50_2": 11_398_021_120,
    "resnext50": 4_230_479_872,
    "densenet121": 2_834_161_664,
    "densenet161": 7_727_907_072,
    "densenet169": 3_359_843_328,
    "densenet201": 4_291_365_888,
    "squeezenet": 818_924_576,
    "squeezenet1_1": 349_151_936,
    "mobilenet_v2": 300_774_272,
    "shufflenet_v2": 144_907_992,
}
SLOWLY_BUILT = [pytest.param(name, marks=pytest.mark.slow) if name in GIANTS else name for name in stems("model")]


def test_every_model_has_a_golden_count() -> None:
    assert set(GOLDEN) == set(stems("model"))


# Their papers count depth otherwise: Inception v2's 42 is not explained, wide ResNets count two shortcuts, SE-ResNet-50
# is named after ResNet-50.
COUNTED_OTHERWISE = {"inception_v2", "wide_resnet16_8", "wide_resnet28_10", "wide_resnet40_4", "se_resnet50"}


@pytest.mark.parametrize("model", SLOWLY_BUILT)
def test_parameters_are_the_papers_and_the_cards(model: str) -> None:
    card = compose_config(f"model={model}")["model"]["card"]
    assert parameters(as_in_paper(model)) == card["parameters"] == GOLDEN[model]


@pytest.mark.parametrize("model", light_first(stems("model")))
def test_operations_and_depth_are_torchvisions_and_the_cards(model: str) -> None:
    net, card = as_in_paper(model), compose_config(f"model={model}")["model"]["card"]
    channels, size, _ = card["image"]
    assert flops(net, channels, size) == card["flops"] == 2 * MACS.get(model, card["flops"] // 2)
    output = net.eval()(torch.empty(1, channels, size, size, device="meta", requires_grad=True))
    assert longest_path(output) == card["depth"] or model in COUNTED_OTHERWISE


@pytest.mark.parametrize(
    ("overrides", "count"),
    [
        (["model=lenet5", "model.form=paper", "datamodule=digits"], 60_000),  # the paper's own figure
        (["model=alexnet", "model.form=paper", "datamodule.image_size=227"], 60_965_224),  # counted
        (["model=alexnet", "model.form=single", "datamodule.image_size=227"], 62_378_344),  # counted
        (["model=googlenet", "model.auxiliary=false", "datamodule.image_size=224"], 6_998_552),  # counted
    ],
)
def test_forms_count_as_the_papers(overrides: list[str], count: int) -> None:
    data = [] if "datamodule=digits" in overrides else ["datamodule=synthetic", "datamodule.num_classes=1000"]
    assert parameters(meta_network(*overrides, *data)) == count


@pytest.mark.parametrize("model", ["vgg11", "vgg13", "vgg16", "vgg19"])
def test_vgg_with_batch_norm_counts_as_torchvisions(model: str) -> None:
    golden = {"vgg11": 132_868_840, "vgg13": 133_053_736, "vgg16": 138_365_992, "vgg19": 143_678_248}
    # torchvision keeps the convolutions' biases, which a norm makes useless
    net = as_in_paper(model, "regularizer=[batch_norm]")
    channels = sum(m.out_channels for m in net.modules() if isinstance(m, nn.Conv2d))
    assert parameters(net) + channels == golden[model]


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_projection_shortcuts_cost_2752_parameters(depth: int) -> None:
    a, b = (meta_network(f"model=resnet{depth}", "datamodule=cifar10", f"model.shortcut={s}") for s in "AB")
    assert parameters(b) - parameters(a) == 2_752


def longest_path(output: Tensor) -> int:
    """Convolutions and linear layers on the longest way back from a result, by its autograd graph."""
    lengths: dict[Any, int] = {}
    waiting = [output.grad_fn]
    while waiting:
        node = waiting[-1]
        assert node is not None
        before = [other for other, _ in node.next_functions if other is not None]
        unknown = [other for other in before if other not in lengths]
        if unknown:
            waiting += unknown
            continue
        weighted = any(word in node.name() for word in ("Convolution", "Addmm"))
        lengths[waiting.pop()] = weighted + max((lengths[other] for other in before), default=0)
    return lengths[output.grad_fn]


def test_a_bottleneck_costs_a_tenth() -> None:
    """The textbook's example, as GoogLeNet's (3a) has it: 28x28x192 -> 28x28x32 by 5x5, with and without 1x1."""
    direct, reduced = (
        flops(inception(layers(), 192, "3a", "paper", 5, bottleneck)[2], 192, 28) // 2 for bottleneck in (False, True)
    )
    assert (direct, reduced) == (120_422_400, 2_408_448 + 10_035_200)


def stage_shapes(net: nn.Module, channels: int, size: int) -> list[tuple[int, ...]]:
    """(maps, height, width) after each part of net.features whose output has another shape than the one before."""
    shapes: list[tuple[int, ...]] = []

    def note(_: nn.Module, __: Any, output: Tensor) -> None:
        if not shapes or shapes[-1] != tuple(output.shape[1:]):
            shapes.append(tuple(output.shape[1:]))

    for stage in net.features.children():  # type: ignore[union-attr]
        stage.register_forward_hook(note)
    forward_on_meta(net, channels, size)
    return shapes


@pytest.mark.parametrize("form", ["modern", "paper"])
def test_lenet5_walks_as_its_figure(form: str) -> None:
    shapes = stage_shapes(meta_network(f"model.form={form}", "datamodule=digits"), 1, 32)
    assert shapes[:4] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]


WALKS = {
    "alexnet": [(96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13), (384, 13, 13), (256, 13, 13), (256, 6, 6)],
    "zfnet": [(96, 110, 110), (96, 55, 55), (256, 26, 26), (256, 13, 13), (384, 13, 13), (256, 13, 13), (256, 6, 6)],
    "nin_imagenet": [
        (96, 54, 54),
        (96, 27, 27),
        (256, 27, 27),
        (256, 13, 13),
        (384, 13, 13),
        (384, 6, 6),
        (1024, 6, 6),
    ],
    "vgg16": [
        *((64, 224, 224), (64, 112, 112), (128, 112, 112), (128, 56, 56), (256, 56, 56), (256, 28, 28)),
        *((512, 28, 28), (512, 14, 14), (512, 7, 7)),
    ],
    "googlenet": [
        *((64, 112, 112), (64, 56, 56), (192, 56, 56), (192, 28, 28), (256, 28, 28), (480, 28, 28), (480, 14, 14)),
        *((512, 14, 14), (528, 14, 14), (832, 14, 14), (832, 7, 7), (1024, 7, 7)),
    ],
    "bn_inception": [
        *((64, 112, 112), (64, 56, 56), (192, 56, 56), (192, 28, 28), (256, 28, 28), (320, 28, 28), (576, 14, 14)),
        (1024, 7, 7),
    ],
    "inception_v2": [
        *((32, 149, 149), (32, 147, 147), (64, 147, 147), (64, 73, 73), (80, 71, 71), (192, 35, 35), (288, 35, 35)),
        *((768, 17, 17), (1280, 8, 8), (2048, 8, 8)),
    ],
    "inception_v3": [
        *((32, 149, 149), (32, 147, 147), (64, 147, 147), (64, 73, 73), (80, 73, 73), (192, 71, 71), (192, 35, 35)),
        *((256, 35, 35), (288, 35, 35), (768, 17, 17), (1280, 8, 8), (2048, 8, 8)),
    ],
    "inception_v4": [
        *((32, 149, 149), (32, 147, 147), (64, 147, 147), (160, 73, 73), (192, 71, 71), (384, 35, 35)),
        *((1024, 17, 17), (1536, 8, 8)),
    ],
    "resnet50": [(64, 112, 112), (64, 56, 56), (256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)],
    "resnet20": [(16, 32, 32), (32, 16, 16), (64, 8, 8)],
    "resnet9": [
        *((64, 32, 32), (128, 32, 32), (128, 16, 16), (256, 16, 16), (256, 8, 8), (512, 8, 8), (512, 4, 4)),
        (512, 1, 1),
    ],
    "mobilenet_v1": [(32, 112, 112), (64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (1024, 7, 7)],
    "shufflenet_v2": [(24, 112, 112), (24, 56, 56), (116, 28, 28), (232, 14, 14), (464, 7, 7), (1024, 7, 7)],
}


@pytest.mark.parametrize("model", WALKS)
def test_images_walk_through_the_network_as_its_table_says(model: str) -> None:
    paper = ["model.form=paper", "datamodule.image_size=227"] if model == "alexnet" else []
    net = as_in_paper(model, *paper)
    _, size, _ = compose_config(f"model={model}")["model"]["card"]["image"]
    assert stage_shapes(net, 3, 227 if paper else size) == WALKS[model]


def test_alexnet_flattens_to_9216() -> None:
    net = as_in_paper("alexnet", "model.form=paper", "datamodule.image_size=227")
    assert next(m.in_features for m in net.modules() if isinstance(m, nn.Linear)) == 9_216


# What torchvision's networks make of weights and an image that are drawn as below; computed once, in double precision,
# with torchvision's own code, which needs no build that this machine may not have.
REFERENCE = json.loads(Path(__file__).with_name("torchvision_logits.json").read_text())
OURS = {
    "googlenet": "googlenet_torchvision",
    "resnext50_32x4d": "resnext50",
    "squeezenet1_0": "squeezenet",
    "shufflenet_v2_x1_0": "shufflenet_v2",
}
QUICK = {"resnet18", "squeezenet1_1", "shufflenet_v2_x1_0", "mobilenet_v2", "googlenet", "googlenet_transform_input"}


def torchvisions_order(net: nn.Module, idle_biases: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names that end as torchvision's do, and shapes, of its state dict for the same network."""
    tensors = [(n, tuple(t.shape)) for n, t in net.state_dict().items() if not n.endswith("num_batches_tracked")]
    if isinstance(net, WithAuxiliary) and len(net.taps) == 1:  # Inception v3 has its head where it taps
        tapped = max(i for i, (n, _) in enumerate(tensors) if n.startswith(f"features.{net.taps[0]}.")) + 1
        head = [named for named in tensors if named[0].startswith("auxiliary")]
        rest = [named for named in tensors if not named[0].startswith("auxiliary")]
        tensors = rest[:tapped] + head + rest[tapped:]
    for name, shape in tensors:
        yield name, shape
        if idle_biases and len(shape) == 4:
            yield name.replace("weight", "bias"), shape[:1]


def drawn(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Values of a sensible size for each kind of tensor."""
    z = rng.standard_normal(size=shape)
    leaf = name.rsplit(".", 1)[-1]
    if len(shape) > 1:
        z = z / np.sqrt(np.prod(shape[1:])) * np.sqrt(2)
    else:
        z = {"running_var": 1 + 0.5 * np.abs(z), "weight": 1 + 0.1 * z}.get(leaf, 0.1 * z)
    return torch.from_numpy(z.astype(np.float32))


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in REFERENCE["logits"]]
)
def test_computes_what_torchvision_computes(name: str, tmp_path: Path) -> None:
    base, transform = name.removesuffix("_transform_input"), name.endswith("_transform_input")
    model, batch_norm = base.removesuffix("_bn"), base.endswith("_bn")
    more = ["regularizer.norm=batch"] * batch_norm + ["model.transform_input=true"] * transform
    size = 299 if model == "inception_v3" else 224
    shape = ["datamodule=synthetic", "datamodule.num_classes=1000", f"datamodule.image_size={size}"]
    net = network(f"model={OURS.get(model, model)}", *shape, *more)
    rng = np.random.default_rng(0)
    torch.save({n: drawn(n, s, rng) for n, s in torchvisions_order(net, batch_norm)}, tmp_path / "weights.pth")
    weights.load(net, str(tmp_path / "weights.pth"), {}, "none")
    image = torch.from_numpy(np.random.default_rng(1).standard_normal(size=(1, 3, size, size)).astype(np.float32))
    with torch.no_grad():
        logits = net.eval()(image)[0, :8].numpy()
    np.testing.assert_allclose(logits, REFERENCE["logits"][name], rtol=0, atol=1e-5 * REFERENCE["largest"][name])
