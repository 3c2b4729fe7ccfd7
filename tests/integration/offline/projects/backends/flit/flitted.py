name = "flitted"
