"""Backups: one file that holds everything, made while the daemon runs, read back before it counts.

`making` and `restoring` are imported by who makes and restores: what they need should not weigh on a running daemon.
"""

from daemon.services.backup.backups import Backups
from daemon.services.backup.errors import ArchiveDamaged, BackupError
from daemon.services.backup.place import Archive, Place, Report, list_archives, retire

__all__ = ["Archive", "ArchiveDamaged", "BackupError", "Backups", "Place", "Report", "list_archives", "retire"]
