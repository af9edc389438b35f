"""Shared by all methods that are told labels: how labels become numbers, and what training asks for."""
