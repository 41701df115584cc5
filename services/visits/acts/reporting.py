"""An incident that is reported while it happens, or right after."""

from uuid import UUID

from services.core.database import Work
from services.visits.acts.scene import open_scene
from services.visits.incidents.models import IncidentPublic, IncidentReport
from services.visits.incidents.service import report


async def report_live(work: Work, visit_id: UUID, said: IncidentReport) -> IncidentPublic:
    """Whatever has become of the visit: what happened is written down. Raises ``NotFound``."""
    scene = await open_scene(work, visit_id)
    row = report(work, scene.visit, said, scene.moment(said.device_at, said.sent_at))
    await work.session.flush()
    return IncidentPublic.model_validate(row)
