"""Options of a dict, checked: a frozen dataclass per kind of dict, its field types say everything about the values.

``types`` has the types and markers, ``convert`` brings a value into a type, ``text`` reads a text of a config as one,
``messages`` says what is wrong, ``reader`` reads a whole dict and reports every problem at once.
"""

from returnn_ir.options.convert import fits
from returnn_ir.options.messages import described, shown, wrong_value
from returnn_ir.options.reader import (
    Place,
    check_options,
    checked,
    option_fields,
    option_hints,
    read_keys,
    read_options,
)
from returnn_ir.options.text import from_text
from returnn_ir.options.types import (
    MAX_AXES,
    MAX_SIZE,
    UNSET,
    Alias,
    Count,
    Described,
    DType,
    Finite,
    Form,
    Key,
    LikeField,
    NonNegative,
    Positive,
    Probability,
    Range,
    Share,
    Size,
    Unset,
    ZeroOrMore,
    option_class,
)

__all__ = [
    "MAX_AXES",
    "MAX_SIZE",
    "UNSET",
    "Alias",
    "Count",
    "DType",
    "Described",
    "Finite",
    "Form",
    "Key",
    "LikeField",
    "NonNegative",
    "Place",
    "Positive",
    "Probability",
    "Range",
    "Share",
    "Size",
    "Unset",
    "ZeroOrMore",
    "check_options",
    "checked",
    "described",
    "fits",
    "from_text",
    "option_class",
    "option_fields",
    "option_hints",
    "read_keys",
    "read_options",
    "shown",
    "wrong_value",
]
