"""What people are shown while work goes on: bars, lines, or JSON."""
