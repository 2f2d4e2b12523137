"""Model-as-service: the reader behind HTTP, in our own format, the clouds' and the standard's."""
