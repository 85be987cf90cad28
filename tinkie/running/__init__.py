"""Keep a program running and observable: log, state file, retries, signals."""
