"""Does it work, in French, and how fast; knows `embed` and `index`, never `api`."""
