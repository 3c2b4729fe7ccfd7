# The public interface of flake-parts, for flakes on machines that cannot fetch it.
{
  description = "What flakes use of flake-parts";

  outputs = { self }: {
    lib = import ./lib.nix;
  };
}
