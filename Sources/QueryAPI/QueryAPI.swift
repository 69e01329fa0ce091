// QueryAPI: story to be written by its author.
