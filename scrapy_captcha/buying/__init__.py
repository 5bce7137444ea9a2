"""Decides on purchases, makes them, and keeps account of them."""
