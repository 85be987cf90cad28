"""Repair what a killed dockerd leaves behind, and restart one as planned."""
