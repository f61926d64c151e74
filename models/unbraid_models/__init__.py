"""Offline tools which build the model packages that the services load."""
