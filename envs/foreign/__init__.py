"""Adapters between our contract and other libraries'."""
