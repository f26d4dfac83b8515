"""What runs in the interpreter of the peers (peers.txt): no module here imports textmill."""
