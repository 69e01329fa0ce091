// TableCatalog: story to be written by its author.
