// ConsoleAPI: story to be written by its author.
