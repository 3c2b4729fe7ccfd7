"""What an image is: pure values, no engine and no Nix."""
