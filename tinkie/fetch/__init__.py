"""Bounded downloads."""
