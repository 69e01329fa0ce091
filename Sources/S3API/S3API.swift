// S3API: story to be written by its author.
