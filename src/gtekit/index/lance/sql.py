"""Filters as SQL that LanceDB answers right, also where a value is missing."""

from gtekit.index.predicates import (
    And,
    Comparison,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Predicate,
    literal_sql,
    quote_name,
)

CONTRARY = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def where_sql(predicate: Predicate, *, is_false: bool = False) -> str:
    """Write that a predicate is true, or that it is false.

    No NOT stands before parentheses. LanceDB 0.40 answers `NOT (n IN (0) AND NOT n IN (0))` with the rows that have no
    n: its planner takes what is in the parentheses for false, where it is neither. Whether such a part is false or
    neither makes no difference where nothing turns it around.
    """
    match predicate:
        case Not(part):
            return where_sql(part, is_false=not is_false)
        case And(parts) | Or(parts):
            word = " AND " if isinstance(predicate, And) != is_false else " OR "
            return word.join(f"({where_sql(part, is_false=is_false)})" for part in parts)
        case IsNull(name):
            return f"{quote_name(name)} IS {'NOT ' if is_false else ''}NULL"
        case Comparison(name, symbol, value):
            test = f"{quote_name(name)} {CONTRARY[symbol] if is_false else symbol} {literal_sql(value)}"
        case In(name, values):
            test = f"{quote_name(name)} {'NOT ' if is_false else ''}IN ({', '.join(map(literal_sql, values))})"
        case Like(name, pattern):
            test = f"{quote_name(name)} {'NOT ' if is_false else ''}LIKE {literal_sql(pattern)}"
    # two NOT INs without a value in common may be taken for all rows, those without a value too
    return f"{quote_name(predicate.name)} IS NOT NULL AND {test}" if is_false else test
