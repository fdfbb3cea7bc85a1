"""Words of a command line that a command does not know."""

from collections.abc import Collection

from cnnlab.errors import UserError, did_you_mean

# options of Hydra's that mean something here
HYDRAS = (
    *("-m", "--multirun", "-c", "--cfg", "--resolve", "-p", "--package", "-cd", "--config-dir", "-cn", "--config-name"),
    *("-i", "--info", "--hydra-help", "--experimental-rerun"),
)


def require_options(command: str, arguments: list[str], known: Collection[str]) -> None:
    """Raises a UserError that names the first option that is not known; Hydra would show its own."""
    for argument in arguments:
        if argument.startswith("-") and (option := argument.partition("=")[0]) not in known:
            near = did_you_mean(option, (*known, "--quiet"))
            raise UserError(f"{command} {option}: there is no such option.{near} Try cnnlab {command} --help")


def require_overrides(arguments: list[str]) -> None:
    """Raises a UserError that names the first argument that is no group=choice or key=value."""
    if odd := [argument for argument in arguments if "=" not in argument or argument.startswith("-")]:
        raise UserError(f"{odd[0]}: it is neither group=choice nor key=value")
