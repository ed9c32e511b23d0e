"""Simulators with known truth: what the sky sends, before anybody looks."""
