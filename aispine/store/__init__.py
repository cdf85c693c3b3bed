"""The system of record: PostgreSQL through SQLAlchemy, one module a table with all of its SQL."""
