final: prev: {
  greet = final.callPackage ./greet.nix { };
  greetImage = final.callPackage ./image.nix { };
}
