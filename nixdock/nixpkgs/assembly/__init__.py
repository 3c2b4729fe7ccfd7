"""How the offline package set is put together on this machine; no part of the set itself."""
