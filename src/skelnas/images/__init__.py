"""From recordings to image sets: encodings, resizing, split rules, normalisation constants, the HDF5 file."""
