"""How a network is written as a file of each kind, and read again."""

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from cnnlab.errors import UserError

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Format:
    """write(net, two images, file), load(file, net): the file as a function of images. usage: Python that runs it."""

    ending: str
    write: Callable[[nn.Module, Tensor, Path], None]
    load: Callable[[Path, nn.Module], Run]
    usage: str


def _write_onnx(net: nn.Module, images: Tensor, file: Path) -> None:
    _require("onnx", "onnxscript", "onnxruntime")
    for talkative in ("onnxscript", "torch.onnx"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter speaks of itself
        torch.onnx.export(
            net,
            (images,),
            str(file),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False,
            dynamo=True,
            verbose=False,
        )


def _load_onnx(file: Path, _: nn.Module) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


def _write_exported(net: nn.Module, images: Tensor, file: Path) -> None:
    program = torch.export.export(net, (images,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, file)


def _load_exported(file: Path, _: nn.Module) -> Run:
    run: Run = torch.export.load(file).module()
    return run


def _write_script(net: nn.Module, images: Tensor, file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is no longer developed, but still what some programs read
        with torch.inference_mode():
            traced = torch.jit.trace(net, images, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, str(file))


def _load_script(file: Path, _: nn.Module) -> Run:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run: Run = torch.jit.load(str(file))  # type: ignore[no-untyped-call]
    return run


def _write_tensors(net: nn.Module, _: Tensor, file: Path) -> None:
    _require("safetensors")
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, file)


def _load_tensors(file: Path, net: nn.Module) -> Run:
    """Into the network itself, whose weights they are."""
    from safetensors.torch import load_file

    net.load_state_dict(load_file(file))
    return net


def _require(*packages: str) -> None:
    from importlib.util import find_spec

    if missing := [name for name in packages if find_spec(name) is None]:
        raise UserError(f"export needs {', '.join(missing)}: pip install 'cnnlab[export]'")


FORMATS: Mapping[str, Format] = {
    "onnx": Format(
        ".onnx",
        _write_onnx,
        _load_onnx,
        'session = onnxruntime.InferenceSession("{file}")\nlogits = session.run(None, {{"images": images}})[0]',
    ),
    "torch_export": Format(
        ".pt2", _write_exported, _load_exported, 'logits = torch.export.load("{file}").module()(images)'
    ),
    "torchscript": Format(".pt", _write_script, _load_script, 'logits = torch.jit.load("{file}")(images)'),
    "safetensors": Format(
        ".safetensors", _write_tensors, _load_tensors, 'net.load_state_dict(safetensors.torch.load_file("{file}"))'
    ),
}
