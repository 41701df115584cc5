"""The plans' verbs, in one place. Those that take orders back give their ids: ``services.dispatch.plan_changes``
cancels them in the same transaction, with their offers, bookings and visits.
"""

from services.care_plans.days import cancel_occurrence as cancel_occurrence
from services.care_plans.days import change_occurrence as change_occurrence
from services.care_plans.generating import make_due_orders as make_due_orders
from services.care_plans.making import change_plan as change_plan
from services.care_plans.making import make_plan as make_plan
from services.care_plans.pausing import end_plan as end_plan
from services.care_plans.pausing import pause_plan as pause_plan
from services.care_plans.pausing import resume_plan as resume_plan
from services.care_plans.showing import list_occurrences as list_occurrences
from services.care_plans.showing import list_plans as list_plans
from services.care_plans.showing import preview as preview
from services.care_plans.showing import read_plan as read_plan
