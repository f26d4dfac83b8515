"""What datasets exist, what each promises, and the lake that keeps them."""
