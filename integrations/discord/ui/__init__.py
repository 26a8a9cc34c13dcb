"""Pieces that the modules' cards are made of."""
