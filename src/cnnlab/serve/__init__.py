"""`cnnlab serve`: a page where a trained network is tried out."""
