"""Dispatch's verbs, in one place: suggesting, asking, answering, deciding, taking back."""

from services.dispatch.assigning import assign as assign
from services.dispatch.assigning import cancel_order as cancel_order
from services.dispatch.assigning import reassign as reassign
from services.dispatch.assigning import release as release
from services.dispatch.changing import change_order_wishes as change_order_wishes
from services.dispatch.changing import reschedule_order as reschedule_order
from services.dispatch.offering import accept as accept
from services.dispatch.offering import decline as decline
from services.dispatch.offering import expire_offers as expire_offers
from services.dispatch.offering import list_offers as list_offers
from services.dispatch.offering import send_offers as send_offers
from services.dispatch.suggesting import suggest as suggest
