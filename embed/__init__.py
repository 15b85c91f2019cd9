"""From a French text to unit vectors; knows nothing of suppliers, files or HTTP."""
