"""Everything assessments keep."""

from assessments.models.assumptions import AssumptionSet
from assessments.models.board import Board, Code, Reaction, Statement
from assessments.models.catalogue import Edition
from assessments.models.checklist import Answer, Assessment, SealedFinding, Value
from assessments.models.decisions import Decision, ShareLink
from assessments.models.panel import Confidence, Expert, Rating, Round, Stance, Weights
from assessments.models.scope import ScopeProfile

__all__ = [
    "Answer",
    "Assessment",
    "AssumptionSet",
    "Board",
    "Code",
    "Confidence",
    "Decision",
    "Edition",
    "Expert",
    "Rating",
    "Reaction",
    "Round",
    "ScopeProfile",
    "SealedFinding",
    "ShareLink",
    "Stance",
    "Statement",
    "Value",
    "Weights",
]
