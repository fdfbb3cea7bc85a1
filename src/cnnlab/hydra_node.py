"""Hydra's own part of a configuration: what of it a YAML file may not say, since Hydra or a cluster would run it."""

import re
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnlab.allowed import packages
from cnnlab.errors import UserError
from cnnlab.secrets import NAMES, leaves

PLUGINS = ("hydra_plugins.", "hydra._internal.core_plugins.")  # Hydra itself makes sure that it knows them
LOGGING = (
    *("logging.StreamHandler", "logging.FileHandler", "logging.NullHandler", "logging.Formatter"),
    *("colorlog.ColoredFormatter", "ext://sys.stdout", "ext://sys.stderr"),
)
CALLS = ("()", ".", "class", "stream", "filename", "listener", "queue")  # keys of logging that name what is called
LOG_FILE = re.compile(r"\$\{hydra\.runtime\.output_dir\}/(\$\{hydra\.job\.name\}|[\w-]+)\.log")
# variables that a file may set: threads, devices, memory, what is said; others may decide what is loaded, or sent where
VARIABLES = re.compile(
    r"(OMP|MKL|KMP|CUBLAS|MALLOC)_\w+|CUDA_(VISIBLE_DEVICES|DEVICE_ORDER|LAUNCH_BLOCKING)|PYTORCH_(CUDA_)?ALLOC_CONF"
    r"|NCCL_(DEBUG|IB_DISABLE|P2P_DISABLE|SHM_DISABLE|SOCKET_IFNAME)|GLOO_SOCKET_IFNAME|TORCH_LOGS|WANDB_(MODE|SILENT)"
    r"|CNNLAB_(DATA|CACHE)|TMPDIR"
)
SBATCH = ("partition", "account", "qos", "constraint", "reservation")  # others run things, or come from nobody knows
typed: set[str] = set()  # keys of the command line


def guard(arguments: Sequence[str]) -> None:
    """Lets Hydra compose nothing that `require_harmless` refuses, of which these words of a command line say more.

    What it composes it acts upon at once (callbacks, logging), so that a look at the result would come too late.
    """
    typed.clear()
    typed.update(argument.lstrip("+~").partition("=")[0] for argument in arguments)
    load = ConfigLoaderImpl.load_configuration
    if load.__name__ == "guarded":
        return

    def guarded(self: ConfigLoaderImpl, *args: Any, **more: Any) -> DictConfig:
        cfg = load(self, *args, **more)
        if "hydra" in cfg:
            require_harmless(cfg.hydra)
        return cfg

    ConfigLoaderImpl.load_configuration = guarded  # type: ignore[method-assign]


def require_harmless(node: DictConfig) -> None:
    """Raises a UserError that names what would run, or load, other code than ours."""
    for part in ("launcher", "sweeper", "callbacks", "job_logging", "hydra_logging"):
        _require_plain(node, part, f"hydra.{part}", resolves=not part.endswith("logging"))
    _require_plain(node.job, "env_set", "hydra.job.env_set", resolves=True)
    hydra: dict[str, Any] = OmegaConf.to_container(node, resolve=False)  # type: ignore[assignment]
    for part in ("launcher", "sweeper", "callbacks"):
        for path, value in leaves(hydra.get(part) or {}, part):
            _require_plugin(path, value)
    for part in ("job_logging", "hydra_logging"):
        for path, value in leaves(hydra.get(part) or {}, part):
            key = path.rpartition(".")[2] if not path.endswith(".") else "."
            odd = key in CALLS and (value not in LOGGING or key == ".")
            if odd and not (key == "filename" and LOG_FILE.fullmatch(str(value))):
                raise UserError(f"hydra.{path}={value} is not done: logs go to the console and to the run's folder")
            if str(value).startswith(("ext://", "cfg://")) and value not in LOGGING:
                raise UserError(f"hydra.{path}={value} is not done: it can be ext://sys.stdout or ext://sys.stderr")
    job, launcher = hydra["job"], hydra.get("launcher") or {}
    if re.search(r"[/\\\x00-\x1f]|\.\.", str(job.get("name"))):
        raise UserError(f"hydra.job.name={job['name']!r}: it names a file and must not contain slashes")
    for name in job.get("env_set") or {}:
        if NAMES.search(str(name)):
            raise UserError(f"hydra.job.env_set.{name}: no keys or passwords in a configuration; export it yourself")
        if not VARIABLES.fullmatch(str(name)):
            _require_typed(f"hydra.job.env_set.{name}", job["env_set"][name])
    for key in ("setup", "address"):
        if launcher.get(key):
            _require_typed(f"hydra.launcher.{key}", launcher[key])
    sbatch: dict[Any, Any] = launcher.get("sbatch") or {}
    for key, value in sbatch.items():
        if re.search(r"[\x00-\x1f]", str(key) + str(value)):
            raise UserError(f"hydra.launcher.sbatch.{str(key)!r}={value!r}: it must be one line")
        if value is not None and key not in SBATCH:
            _require_typed("hydra.launcher.sbatch." + str(key), value)


def _require_plain(parent: Any, key: Any, path: str, resolves: bool) -> None:
    """No interpolation hides what is there; resolves: those that give a number or a text are none such."""
    if key in parent and OmegaConf.is_interpolation(parent, key):
        text = OmegaConf.to_container(parent, resolve=False)[key]  # type: ignore[index]
        if LOG_FILE.fullmatch(str(text)):
            return
        try:
            hides = not resolves or OmegaConf.is_config(parent[key])
        except OmegaConfBaseException as error:
            raise UserError(f"{path}={text} cannot be resolved: {str(error).splitlines()[0]}") from error
        if hides:
            raise UserError(f"{path}={text}: it must be plain, so that one sees what it is")
        return
    child = parent[key] if key in parent and not OmegaConf.is_missing(parent, key) else None
    items: list[Any] = list(child) if isinstance(child, DictConfig) else []
    for item in range(len(child)) if isinstance(child, ListConfig) else items:
        _require_plain(child, item, f"{path}.{item}", resolves)


def _require_plugin(path: str, value: Any) -> None:
    """A launcher or sweeper is one that Hydra knows, and nothing below it is made of a name."""
    if path.endswith("_target_"):
        plugin = path in ("launcher._target_", "sweeper._target_") and str(value).startswith(PLUGINS)
        if not plugin and str(value).partition(".")[0] not in packages():
            raise UserError(f"hydra.{path}={value} is not run: only Hydra's launchers and sweepers are")


def _require_typed(key: str, value: Any) -> None:
    """What decides what a machine runs counts from the command line alone."""
    if key not in typed and key.rpartition(".")[0] not in typed:
        raise UserError(f"{key}={value}: it decides what is run, and counts on the command line only, not in a file")
