"""Reports on paper: a document in parts, and the same parts as a PDF."""

from ops_portal.paper.document import Document, Part, Table
from ops_portal.paper.pdf import make_pdf

__all__ = ["Document", "Part", "Table", "make_pdf"]
