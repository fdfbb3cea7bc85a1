"""A bench's own arguments, beside those of `cnnlab train`."""

from collections.abc import Collection

from cnnlab.errors import UserError


def parted(arguments: list[str], keys: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """The values of the bench's own keys, and all other words; the last of several values holds."""
    own = dict(argument.split("=", 1) for argument in arguments if argument.split("=")[0] in keys)
    return own, [argument for argument in arguments if argument.split("=")[0] not in keys]


def whole_number(key: str, value: str, least: int = 1) -> int:
    """The value, which must be one, of at least so much."""
    if not value.isdecimal() or int(value) < least:
        raise UserError(f"{key}={value}: it must be a whole number of at least {least}")
    return int(value)


def whole_numbers(key: str, value: str) -> list[int]:
    """The values between commas, in ascending order, each once."""
    parts = value.split(",")
    if not all(part.isdecimal() and int(part) for part in parts):
        raise UserError(f"{key}={value}: it must be whole numbers of at least 1 with commas between them, as {key}=1,2")
    return sorted({int(part) for part in parts})


def positive_numbers(key: str, value: str) -> list[float]:
    """The values between commas, in their order."""
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        numbers = []
    if not numbers or not all(0 < number < float("inf") for number in numbers):
        raise UserError(f"{key}={value}: it must be a number of more than 0, or several with commas between them")
    return numbers


def positive_number(key: str, value: str) -> float:
    """The same for a single one."""
    if "," in value:
        raise UserError(f"{key}={value}: it must be one number of more than 0")
    return positive_numbers(key, value)[0]
