"""The local stack: embedded PostgreSQL and Redis, the processes of the Procfile, and what watches over them."""
