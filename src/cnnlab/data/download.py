"""Files of a data set: those that are there already, else downloaded and checked against a known hash."""

from pathlib import Path

from cnnlab.errors import UserError


def find(name: str, folders: list[Path]) -> Path | None:
    """The first existing file of that name in the folders, also without its .gz ending."""
    candidates = (folder / n for folder in folders for n in (name, name.removesuffix(".gz")))
    return next((path for path in candidates if path.is_file()), None)


def download(name: str, known_hash: str, urls: list[str], folder: Path, hint: str) -> Path:
    """Fetches a file into the folder from the first address that answers.

    Raises:
        UserError: no address answers, or the file is not the one with that hash (pooch's form, "md5:...").
    """
    import pooch
    from requests import RequestException

    problems = []
    for url in urls:
        try:
            return Path(pooch.retrieve(url, known_hash, fname=name, path=folder, progressbar=True))
        except (RequestException, OSError, ValueError) as error:  # ValueError: pooch's word for a wrong hash
            problems.append(f"{url} ({type(error).__name__})")
    raise UserError(f"cannot download {name} from {' or '.join(problems)}. Put the file into {folder}{hint}.")
