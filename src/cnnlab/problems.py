"""What pydantic finds wrong, in the words of the configuration."""

from typing import Any

from cnnlab.errors import refusal

PATTERNS = {
    "logger.wandb.project": "must not be empty, nor contain any of / \\ # ? % :",
    "logger.wandb.entity": "names a user or a team, without spaces and slashes",
    "logger.mlflow.tracking_uri": "must begin with http://, https://, sqlite:///, mysql://, postgresql://, mssql://, "
    "file: or databricks, or be a folder",
}


def explained(problem: Any) -> str:
    """A line about one of them, which names the key, its value, and what is allowed."""
    # unions and list positions are pydantic's affair, not the user's
    loc = [str(part) for part in problem["loc"] if isinstance(part, str) and part.isidentifier()]
    key, value, message = ".".join(loc), problem["input"], problem["msg"]
    if problem["type"] == "missing":
        whole = problem["loc"][-1] == loc[-1]
        return f"{key} is missing" if whole else f"{key}={value}: it has too few values"
    if problem["type"] == "literal_error":
        allowed = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return refusal(key, value, allowed)
    if problem["type"] == "string_pattern_mismatch":
        return f"{key}={value}: it {PATTERNS.get(key, 'names a folder and must not contain slashes')}"
    message = (
        message.replace("Input should be", "must be")
        .replace("a valid integer", "a whole number")
        .replace("a valid", "a")
    )
    return f"{key}={value}: it {message}"
