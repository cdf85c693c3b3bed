"""What is kept encrypted and opened only where it is used."""

from aispine.secrets.opened import NONE, Opened
from aispine.secrets.vault import Rotated, delete, open_for, page, put, rotate

__all__ = ["NONE", "Opened", "Rotated", "delete", "open_for", "page", "put", "rotate"]
