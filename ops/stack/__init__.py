"""The embedded stack: PostgreSQL, Redis and an MQTT broker as processes of their own; how processes are run."""
