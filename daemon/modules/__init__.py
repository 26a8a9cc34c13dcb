"""Features, each a folder with a `manifest.toml`; they do not know one another."""
