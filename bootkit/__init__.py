"""The service `bootkit`: which machine this is, and its worker."""
