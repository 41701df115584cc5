"""Every domain event, frozen, by topic. What follows each stands in ``services.handlers``.

An event's ``name`` is its tag on the wire (``order.placed``); its fields are ids, kinds and times only.
"""

from services.core.outbox import Event
from services.events import alerts, money, orders, quality, staff, terminals, visits
from services.events.alerts import AidEnded as AidEnded
from services.events.alerts import AidRequested as AidRequested
from services.events.alerts import AlertClassified as AlertClassified
from services.events.alerts import AlertEscalated as AlertEscalated
from services.events.alerts import AlertHandoverMoved as AlertHandoverMoved
from services.events.alerts import AlertMoved as AlertMoved
from services.events.alerts import AlertOpened as AlertOpened
from services.events.alerts import AlertRepeated as AlertRepeated
from services.events.alerts import AlertTakenBack as AlertTakenBack
from services.events.alerts import AlertUnattended as AlertUnattended
from services.events.alerts import EmergencyCalled as EmergencyCalled
from services.events.alerts import ReferralMade as ReferralMade
from services.events.alerts import ReferralMoved as ReferralMoved
from services.events.money import BillAdjusted as BillAdjusted
from services.events.money import OrderSettled as OrderSettled
from services.events.money import PaymentMoved as PaymentMoved
from services.events.orders import CaregiverBooked as CaregiverBooked
from services.events.orders import CaregiverReleased as CaregiverReleased
from services.events.orders import DayPlanMoved as DayPlanMoved
from services.events.orders import DispatchMoved as DispatchMoved
from services.events.orders import OfferAnswered as OfferAnswered
from services.events.orders import OfferSent as OfferSent
from services.events.orders import OrderAidEnded as OrderAidEnded
from services.events.orders import OrderAidRequested as OrderAidRequested
from services.events.orders import OrderAssigned as OrderAssigned
from services.events.orders import OrderCancelled as OrderCancelled
from services.events.orders import OrderChanged as OrderChanged
from services.events.orders import OrderCompleted as OrderCompleted
from services.events.orders import OrderNotServed as OrderNotServed
from services.events.orders import OrderPlaced as OrderPlaced
from services.events.orders import OrderReassigned as OrderReassigned
from services.events.orders import OrderUntaken as OrderUntaken
from services.events.quality import ComplaintMoved as ComplaintMoved
from services.events.quality import OrderRated as OrderRated
from services.events.staff import AbsenceMoved as AbsenceMoved
from services.events.staff import CaregiverAbsent as CaregiverAbsent
from services.events.staff import CredentialExpiring as CredentialExpiring
from services.events.staff import CredentialMoved as CredentialMoved
from services.events.staff import DutySwapMoved as DutySwapMoved
from services.events.staff import InstitutionDue as InstitutionDue
from services.events.staff import InstitutionMoved as InstitutionMoved
from services.events.staff import InstitutionSuspended as InstitutionSuspended
from services.events.staff import NotificationFailed as NotificationFailed
from services.events.staff import RotaPublished as RotaPublished
from services.events.staff import ShiftSwapMoved as ShiftSwapMoved
from services.events.terminals import TerminalCommandMoved as TerminalCommandMoved
from services.events.terminals import TerminalFaultMoved as TerminalFaultMoved
from services.events.terminals import TerminalMoved as TerminalMoved
from services.events.terminals import TerminalStatusChanged as TerminalStatusChanged
from services.events.visits import VisitConflictMoved as VisitConflictMoved
from services.events.visits import VisitCorrected as VisitCorrected
from services.events.visits import VisitCorrectionMoved as VisitCorrectionMoved
from services.events.visits import VisitEnded as VisitEnded
from services.events.visits import VisitIncidentMoved as VisitIncidentMoved
from services.events.visits import VisitIssueMoved as VisitIssueMoved
from services.events.visits import VisitMoved as VisitMoved
from services.events.visits import VisitReadingTaken as VisitReadingTaken
from services.events.visits import VisitReadingVoided as VisitReadingVoided

EVENTS: dict[str, type[Event]] = {
    event.name: event
    for topic in (orders, visits, money, quality, alerts, terminals, staff)
    for event in vars(topic).values()
    if isinstance(event, type) and issubclass(event, Event) and event is not Event
}
"""Every event by its name."""
