// Bytes: story to be written by its author.
