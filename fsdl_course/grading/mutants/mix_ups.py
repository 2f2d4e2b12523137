"""What is taken for what: operators, functions, patterns, SQL and errors that are easily mixed up"""

import ast

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.Mult, ast.FloorDiv),
    ast.Pow: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
MIXED_UP = {
    **{"min": "max", "max": "min", "any": "all", "all": "any", "sum": "max", "sorted": "list"},
    **{"ceil": "floor", "floor": "ceil", "round": "int", "set": "list", "pop": "get", "append": "extend"},
    **{"partition": "rpartition", "rpartition": "partition", "startswith": "endswith"},
    **{"endswith": "startswith", "fullmatch": "match", "match": "search", "search": "match"},
    **{
        "isdigit": "isalnum",
        "isascii": "isalnum",
        "isdecimal": "isdigit",
        "lower": "upper",
        "split": "rsplit",
    },
    **{"strip": "lstrip", "rstrip": "lstrip", "lstrip": "rstrip", "removeprefix": "lstrip"},
    **{"removesuffix": "rstrip", "find": "rfind", "rfind": "find", "index": "rindex", "items": "keys"},
    **{
        "union": "intersection",
        "intersection": "union",
        "update": "setdefault",
        "bisect_left": "bisect_right",
    },
    **{"bisect_right": "bisect_left", "bisect": "bisect_left", "permutations": "combinations"},
    **{"combinations": "permutations", "extend": "append", "ljust": "rjust", "zfill": "ljust"},
}
NOT_NEEDED = {"sorted", "set", "list", "tuple", "reversed", "round", "int", "float", "dict", "str", "abs"}
NOT_NEEDED |= {"ceil", "floor", "min", "max", "bool"}
CLEANING = {"strip", "lstrip", "rstrip", "replace", "lower", "upper", "casefold", "removeprefix"}
CLEANING |= {"removesuffix", "copy", "get"}
PATTERNS = (("[0-9]", r"\\d"), ("+", "*"), ("+", ""), ("*", "+"), ("^", ""), ("$", ""))
STATEMENTS_OF_SQL = (
    (" NOT NULL", ""),
    (" ON CONFLICT DO NOTHING", ""),
    ("DO NOTHING", "DO UPDATE SET digits = excluded.digits"),
    ("INSERT INTO", "INSERT OR IGNORE INTO"),
    ("INSERT INTO", "INSERT OR REPLACE INTO"),
    ("customer, month, model_version)", "customer, month)"),
    ("customer, month, model_version)", "customer, model_version)"),
    ("customer, month, model_version)", "month, model_version)"),
)
ERRORS = {
    "ValueError": "KeyError",
    "KeyError": "ValueError",
    "TypeError": "ValueError",
    "Exception": "KeyError",
}
