"""All that jamguard knows of Jam.py. Guards read it through the `Request`."""
