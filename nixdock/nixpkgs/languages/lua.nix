# Lua and its modules: `lua5_4.withPackages (ps: [ ps.luasocket ])`.
{ lib, debian, pkgs }:

let
  # Modules by their nixpkgs names; all others are lua-<name>.
  called = {
    cjson = "lua-cjson";
    lua-cjson = "lua-cjson";
    luaexpat = "lua-expat";
    luafilesystem = "lua-filesystem";
    luaossl = "lua-luaossl";
    luaposix = "lua-posix";
    luasec = "lua-sec";
    luasocket = "lua-socket";
    luasystem = "lua-system";
    luaunit = "lua-unit";
    lyaml = "lua-yaml";
    luaevent = "lua-event";
    luadbi = "lua-dbi-common";
    luazlib = "lua-zlib";
    lua-zlib = "lua-zlib";
    lpeg = "lua-lpeg";
    penlight = "lua-penlight";
  };
  modules = lib.listToAttrs
    (map (name: lib.nameValuePair (lib.removePrefix "lua-" name) (debian.package name))
      (builtins.filter (lib.hasPrefix "lua-") debian.names))
  // lib.mapAttrs (_: debian.package) (lib.filterAttrs (_: debian.has) called);

  developed = { luajit = "libluajit-5.1-dev"; "lua5.1" = "liblua5.1-0-dev"; };

  make = version: program: name:
    let
      unit = debian.package name;
      environment = chosen: pkgs.runCommandLocal "${name}-${unit.version}-env"
        {
          nativeBuildInputs = [ pkgs.makeWrapper ];
          passthru = { inherit (self) pname version pkgs luaversion; lua = self; };
          meta = self.meta;
        }
        ''
          mkdir -p $out/bin
          path= cpath=
          for package in ${toString (debian.closure (map (module: module.pname) (lib.flatten chosen)))}; do
            folder=$package/share/lua/${version}
            if [ -d $folder ]; then path="$path$folder/?.lua;$folder/?/init.lua;"; fi
            for folder in $package/lib/*-linux-gnu*/lua/${version}; do
              if [ -d $folder ]; then cpath="$cpath$folder/?.so;"; fi
            done
          done
          # Two semicolons stand for the default path.
          for name in lua ${program}; do
            makeWrapper ${unit}/bin/${program} $out/bin/$name --set-default LUA_PATH "$path;" --set-default LUA_CPATH "$cpath;"
          done
        '';
      named = pkgs.runCommandLocal "${name}-${unit.version}" { } ''
        mkdir -p $out/bin
        for program in ${unit}/bin/*; do
          ln -s $program $out/bin/
        done
        if [ ! -e $out/bin/lua ]; then ln -s ${unit}/bin/${program} $out/bin/lua; fi
      '';
      self = named // {
        pname = name;
        inherit (unit) version withFacts;
        # What programs that embed it are built with.
        outputs = [ "bin" "dev" ];
        bin = self;
        dev = debian.package (developed.${name} or "lib${name}-dev");
        lib = debian.libraryOf (developed.${name} or "lib${name}-dev");
        luaversion = version;
        pkgs = modules // { lua = self; };
        withPackages = choose: environment (choose self.pkgs);
        interpreter = "${named}/bin/lua";
        meta = unit.meta // { mainProgram = "lua"; };
      };
    in
    self;
in
rec {
  lua5_1 = make "5.1" "lua5.1" "lua5.1";
  lua5_2 = make "5.2" "lua5.2" "lua5.2";
  lua5_3 = make "5.3" "lua5.3" "lua5.3";
  lua5_4 = make "5.4" "lua5.4" "lua5.4";
  luajit = make "5.1" "luajit" "luajit";
  lua = lua5_4;
  lua5 = lua5_4;
  luaPackages = lua.pkgs;
  lua51Packages = lua5_1.pkgs;
  lua52Packages = lua5_2.pkgs;
  lua53Packages = lua5_3.pkgs;
  lua54Packages = lua5_4.pkgs;
  luajitPackages = luajit.pkgs;
}
