"""How fast and how small AI Spine is on this machine, beside bare Celery on the same broker."""
