"""The catalogue of MLOps principles for online machine learning, as versioned data."""

from assessments.principles.catalogue import (
    Benefit,
    Catalogue,
    Citation,
    Days,
    Defaults,
    EvidenceCheck,
    LightLevel,
    Practice,
    Principle,
    Source,
    Stage,
    Statement,
)
from assessments.principles.reader import CatalogueError, load_catalogue, load_document, read_document

__all__ = [
    "Benefit",
    "Catalogue",
    "CatalogueError",
    "Citation",
    "Days",
    "Defaults",
    "EvidenceCheck",
    "LightLevel",
    "Practice",
    "Principle",
    "Source",
    "Stage",
    "Statement",
    "load_catalogue",
    "load_document",
    "read_document",
]
