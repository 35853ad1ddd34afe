"""The APIs that clients already speak: one file each, its routes and its words for errors."""
