"""One file a format: bytes to text with its title, sections and pages."""
