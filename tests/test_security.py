"""What the sources never do, since files of others would decide what it does."""

import ast
from pathlib import Path

import pytest

from conftest import REPOSITORY

FILES = sorted((REPOSITORY / "src").rglob("*.py"))
NEVER = {
    *("eval", "exec", "compile", "__import__"),
    *("pickle.load", "pickle.loads", "joblib.load", "marshal.loads", "shelve.open"),
    *("os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "tar.extractall", "tar.extract"),
    *("shutil.unpack_archive", "torch.hub.load", "torch.hub.load_state_dict_from_url", "load_from_checkpoint"),
}


def calls(file: Path) -> list[tuple[str, ast.Call]]:
    """Every call of a file, by the words before its bracket."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return [(ast.unparse(node.func), node) for node in nodes if isinstance(node, ast.Call)]


def keywords(call: ast.Call) -> dict[str | None, str]:
    return {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY / "src")))
def test_nothing_is_evaluated_unpickled_or_unpacked_blindly(file: Path) -> None:
    for name, call in calls(file):
        assert name not in NEVER
        assert keywords(call).get("shell", "False") == "False", name
        assert keywords(call).get("allow_pickle", "False") == "False", name
        if name == "torch.load":
            assert keywords(call).get("weights_only") == "True"
