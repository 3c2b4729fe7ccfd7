"""What both suites of tests use: real and hostile engines, archives, Nix machines, the program itself."""
