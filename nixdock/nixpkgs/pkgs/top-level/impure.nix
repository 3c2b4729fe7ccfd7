# As nixpkgs names it.
import ../../.
