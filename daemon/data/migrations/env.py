from alembic import context

from daemon.data import tables
from daemon.data.columns import metadata
from daemon.data.version import VERSION_TABLE

assert tables  # importing it is what fills `metadata`

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite's are too, once the driver does not begin transactions by itself
    render_as_batch=True,
)
# No begin_transaction(): the caller commits, so that all migrations happen or none.
context.run_migrations()
