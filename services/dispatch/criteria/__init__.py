"""The criteria of matching. A new one is one entry in one list:

- what rules somebody out whatever the hour (a skill, a licence, a pair kept apart): ``blocking.STANDING``;
- what rules somebody out at a certain hour (a shift, another visit, the way): ``blocking.AT_AN_HOUR``;
- what makes somebody better or worse: ``scored.SCORED``, with its weight in ``data/matching.json``.

An entry holds its code, its words in both languages and a pure function over the facts. A fact that is not there
yet is a field of ``facts.Candidate`` or ``facts.Need``, read in ``loading``.
"""
