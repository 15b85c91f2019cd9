"""The doors: HTTP, command line, search page; knows `embed` and `index`."""
