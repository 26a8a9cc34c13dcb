"""The HTTP edge: health for machines and people, and metrics."""
