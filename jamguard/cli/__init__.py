"""The commands. They talk to an operator's terminal; nothing of a running site imports them."""
