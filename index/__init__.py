"""Suppliers, their vectors, nearest neighbours, ranking; knows `embed`."""
