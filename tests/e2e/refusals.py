"""The words by which clients tell their user why a registry said no."""

WRONG_PASSWORD = r"unauthorized|401|incorrect|authentication required|invalid username"
NOT_ALLOWED = r"denied|forbidden|403"
UNKNOWN = r"not found|unknown|404"
