"""The builders of trees of links and of what is known of closures; they run in Nix's sandbox."""
