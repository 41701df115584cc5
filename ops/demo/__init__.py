"""The demo county: 长沙县 with its real towns and entirely invented people."""
