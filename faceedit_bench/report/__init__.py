"""Several runs of one suite as one page that needs nothing else: numbers, plots, pictures, manifests."""
