"""Trains a network, runs it and keeps it. Knows nothing of any task."""
