"""What an item itself adds to the circumstances of its price. Pure; quotes and bills both go through it."""

from dataclasses import replace

from services.catalogue.factors import PriceContext
from services.catalogue.models import ItemFacts, Precondition

TWO_CAREGIVERS, FIRST_ASSESSMENT, VITAL_CHECK = "two_caregivers", "first_assessment", "vital_check"
"""Risk tags that follow from the catalogue: a heavy lift, an item of the home-nursing list, a check before it."""


def of_item(context: PriceContext, item: ItemFacts) -> PriceContext:
    """The circumstances with the licences that the item demands and the risks that its own facts tell."""
    risks = set(context.risks)
    if item.caregivers_required > 1:
        risks.add(TWO_CAREGIVERS)
    if Precondition.INSTITUTION_ASSESSMENT in item.preconditions:
        risks.add(FIRST_ASSESSMENT)
    if Precondition.VITAL_CHECK in item.preconditions:
        risks.add(VITAL_CHECK)
    return replace(context, licences=frozenset(item.required_licences), risks=frozenset(risks))
