"""What the released programs compute, written a second time, for comparison with our networks.

Nothing here uses our networks: every graph is a pure function of a dictionary of variables, named and laid
out as in the released program's own checkpoints, and of plain tensor operations.

    tensorflow   AttGAN (both generations), STGAN and LSTU-Net in TensorFlow 1 with slim; images NHWC inside
    attgan_port  AttGAN's PyTorch port
    stargan      StarGAN
    variables    weights of the right names and shapes, random or along a sine
"""
