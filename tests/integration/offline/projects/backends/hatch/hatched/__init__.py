name = "hatched"
