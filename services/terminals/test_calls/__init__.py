"""Test calls: that a terminal reaches the centre is shown once a month, or somebody goes and looks."""

from services.terminals.test_calls.service import note_test as note_test
