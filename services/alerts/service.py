"""The alert desk's way in for other rooms: raise, take, respond, close, hand over, read, climb."""

from services.alerts.climbing import climb_due as climb_due
from services.alerts.desk import acknowledge as acknowledge
from services.alerts.desk import acknowledge_page as acknowledge_page
from services.alerts.desk import answer_handover as answer_handover
from services.alerts.desk import arrive as arrive
from services.alerts.desk import cancel as cancel
from services.alerts.desk import classify as classify
from services.alerts.desk import request_handover as request_handover
from services.alerts.desk import resolve as resolve
from services.alerts.desk import respond as respond
from services.alerts.desk import review as review
from services.alerts.desk import set_severity as set_severity
from services.alerts.history import write_log as write_log
from services.alerts.raising import BREACH_PREFIX as BREACH_PREFIX
from services.alerts.raising import AlarmFacts as AlarmFacts
from services.alerts.raising import RaisedAlarm as RaisedAlarm
from services.alerts.raising import note_cancel as note_cancel
from services.alerts.raising import raise_alarm as raise_alarm
from services.alerts.reading import alert_detail as alert_detail
from services.alerts.reading import list_alerts as list_alerts
from services.alerts.reading import public as public
from services.alerts.reading import read_alert as read_alert
