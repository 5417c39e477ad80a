"""Lodestone: a disruption simulator for the rare-earth magnet supply chain."""

__version__ = "0.1.0"
