"""Shared by AttGAN, STGAN, LSTU-Net and CooGAN: one U-Net, its selective units, its critic. Not a method."""
