"""What a dataclass field means, in the words under or beside it in the source."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap


@functools.cache
def descriptions(cls: type) -> dict[str, str]:
    """Field name -> the text under the field, else the comment on its line; those without are
    left out, as is everything for a class without source."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        return {}
    lines, out = source.splitlines(), {}
    body = ast.parse(source).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for statement, after in zip(statements, [*statements[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = _under(after) or _beside(lines[(statement.end_lineno or 1) - 1], statement)
            if text:
                out[statement.target.id] = text
    return out


def first_sentence(cls: type) -> str:
    """The docstring's first paragraph on one line; "" for a dataclass without its own."""
    text = inspect.getdoc(cls) or ""
    return "" if text.startswith(f"{cls.__name__}(") else " ".join(text.split("\n\n")[0].split())


def _under(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return " ".join(str(statement.value.value).split())
    return ""


def _beside(line: str, statement: ast.AnnAssign) -> str:
    rest = line.encode()[statement.end_col_offset or 0 :].decode()
    return rest.partition("#")[2].strip()
