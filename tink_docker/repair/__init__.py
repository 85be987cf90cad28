"""Repair what a dockerd that was killed or failed leaves behind."""
