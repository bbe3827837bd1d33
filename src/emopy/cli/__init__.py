"""The command line: each verb parses, calls and presents; the work is done elsewhere."""
