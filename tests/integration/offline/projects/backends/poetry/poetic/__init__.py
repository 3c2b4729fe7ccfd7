name = "poetic"
