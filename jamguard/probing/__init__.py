"""Ask a site for what must not be had, and say what an attacker would have got."""
