"""Models that make texts out of nothing: the sentence VAE and the text GAN."""
