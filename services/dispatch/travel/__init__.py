"""Travel times: ``travel_matrix`` for a day, ``ways_around`` for one order, ``travel_seconds`` straight."""

from services.dispatch.travel.cells import Ways as Ways
from services.dispatch.travel.service import known_ways as known_ways
from services.dispatch.travel.service import travel_figures as travel_figures
from services.dispatch.travel.service import travel_matrix as travel_matrix
from services.dispatch.travel.service import ways_around as ways_around
from services.dispatch.travel.straight import Pace as Pace
from services.dispatch.travel.straight import Paces as Paces
from services.dispatch.travel.straight import paces as paces
from services.dispatch.travel.straight import travel_seconds as travel_seconds
