"""Minds: deciding and learning."""
