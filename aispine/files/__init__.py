"""Files: what is too large for a value of a flow. Nodes carry references to them."""

from aispine.files.reference import FileReference, file_id_of
from aispine.files.sweep import Sweep
from aispine.files.tenant_files import StoredFile, TenantFiles

__all__ = ["FileReference", "StoredFile", "Sweep", "TenantFiles", "file_id_of"]
