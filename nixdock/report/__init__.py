"""What people and machines are shown: narration while work goes on, and reports of checks."""
