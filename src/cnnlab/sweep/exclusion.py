"""Which cells a design leaves out."""

from collections.abc import Sequence

from simpleeval import EvalWithCompoundTypes, InvalidExpression

from cnnlab.errors import UserError
from cnnlab.sweep.cells import Cell


def is_excluded(cell: Cell, expressions: Sequence[str]) -> bool:
    """Whether one of the expressions holds: "model.name == 'lenet5' and optim.lr > 0.1", of the cell's values.

    Raises:
        UserError: an expression cannot be evaluated.
    """
    if not isinstance(expressions, list) or not all(isinstance(expression, str) for expression in expressions):
        raise UserError(f'ablation.exclude={expressions}: it must be a list of expressions, as ["seed > 3"]')
    for expression in expressions:
        try:
            if EvalWithCompoundTypes(names=cell.config, functions={}).eval(expression):
                return True
        except (InvalidExpression, SyntaxError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            example = "model.name == 'lenet5' and regularizer.dropout > 0"
            raise UserError(f'ablation.exclude: "{expression}": {error}. It can be, say, "{example}"') from error
    return False
