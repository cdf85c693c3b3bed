"""The fields of a schema out of what people write: found, normalised, validated, and asked for again."""

from aispine.form.filling import Filled, Form, fill

__all__ = ["Filled", "Form", "fill"]
