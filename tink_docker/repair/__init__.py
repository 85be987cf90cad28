"""Repair what a killed or confused dockerd leaves behind."""
