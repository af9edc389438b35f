"""Shared by e4e and what builds on it: StyleGAN2 in plain torch, and its checkpoints. Not a method."""
