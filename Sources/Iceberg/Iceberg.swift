// Iceberg: story to be written by its author.
