"""What the lesson on optimization draws and puts side by side: rungs, layers, deadlines, caches, prices."""
