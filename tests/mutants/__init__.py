"""Errors to plant, each of which must turn a test red; see ``__main__.py``."""

from mutants._edits import ROOT, Edit, Mutant
from mutants.around import AROUND
from mutants.drift import DRIFT
from mutants.items import ITEMS
from mutants.models import MODELS
from mutants.plans import PLANS
from mutants.rounds import ROUNDS
from mutants.sampled import SAMPLED
from mutants.stability import STABILITIES
from mutants.together import TOGETHER
from mutants.tuning import TUNING

__all__ = ["MUTANTS", "ROOT", "Edit", "Mutant"]

MUTANTS = [*SAMPLED, *MODELS, *AROUND, *TOGETHER, *ROUNDS, *DRIFT, *STABILITIES, *ITEMS, *PLANS, *TUNING]
