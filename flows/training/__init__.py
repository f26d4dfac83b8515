"""`textmill train`: any model of the catalogue, on a published dataset or on a file."""
