"""How a message leaves the house: one module a channel, and the registry that names them all."""
