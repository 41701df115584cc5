"""The kernel's memory: one block of whole numbers, in which everything is known by its address.

``w`` (int64) holds scalars, then nodes, lanes, caregivers and lists; ``w[v + START]`` is the start of the node at
``v``. ``t`` (int32) holds travel tables and what each caregiver costs at each visit. Two plain arrays and nothing
else: compiled code pays for every array that it passes on.

A node is a visit, the head (home, before) or the tail (home, after) of a lane.
"""

from typing import Any

Array = Any
Number = Any

NONE = -1
FAIL = -(1 << 60)
NEVER = 1 << 40
FORBIDDEN = 1 << 30

# Nodes: visits, then heads, then tails.
PREV, NEXT, LANE, START, DONE, PAID, QUEUED, DURATION = range(8)
PLACE, ROW, LOW, HIGH, SOFT, GROUP, PIN, COSTS = range(8, 16)
MORE, MORE_END, TOLD, TOLD_BY, UNASSIGNED, UNIT, FOLLOWED, AT_LEAST = range(16, 24)
AT_MOST, OTHER, FIRST, POOLED, NEAR, DRAFT, DRAFT_DONE, FLOOR = range(24, 32)
BEST_LANE, BEST_PREV, BEST_NEXT, LISTED = range(32, 36)
NODE = 36

# Lanes.
L_START, L_END, L_HARD, L_TRAVEL, L_CAREGIVER, L_BREAK, L_BREAK_END, L_HEAD, L_TAIL = range(9)
LANE_SIZE = 9

# Caregivers.
C_NUMBER, C_LOAD, C_SHARE, C_LIMIT = range(4)
CAREGIVER_SIZE = 4

# Breaks, further windows.
B_EARLIEST, B_LATEST, B_LENGTH = range(3)
BREAK_SIZE = 3
WINDOW_SIZE = 2

# Groups: where the addresses of the members begin and end.
G_BEGIN, G_END = range(2)
GROUP_SIZE = 2

# Rows of the log of times and of the log of links.
LOG_SIZE = 4
LINK_SIZE = 4

# Scalars, at the beginning of the block. K_…_AT are addresses.
(
    K_VISITS,
    K_LANES,
    K_NODES_AT,
    K_HEADS_AT,
    K_NODES_END,
    K_LANES_AT,
    K_NEAR,
    K_LOG_AT,
    K_LINKS_AT,
    K_QUEUE_AT,
    K_QUEUE_SIZE,
    K_POOL_AT,
    K_STEP_LIMIT,
    K_TOLERANCE,
    W_TRAVEL,
    W_LATE,
    W_WORST,
    W_OVERTIME,
    W_UNFAIR,
    W_CHANGE,
    K_COST,
    K_STATIC,
    K_PAID,
    K_WORST,
    K_SAVED_WORST,
    K_RESCAN,
    K_QUEUE,
    K_LOG,
    K_LINKS,
    K_POOL,
    K_BEST,
    K_STEPS,
    K_MOVES,
    K_ACCEPTED,
    K_RANDOM,
    K_CAP,
    K_MARGIN,
    K_BEST_STATIC,
) = range(38)
SCALARS = 40
