"""Kept networks at work: recordings from anywhere, drawn as the image set was, and what the network says of them."""
