# The public interface of flake-utils, for flakes on machines that cannot fetch it.
{
  description = "What flakes use of flake-utils";

  outputs = { self }: {
    lib = import ./lib.nix;
  };
}
