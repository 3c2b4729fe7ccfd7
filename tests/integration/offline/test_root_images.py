"""Commands that think they are root, and the owners that they give to files."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integration.offline.conftest import Images


def test_a_service_has_a_user_and_a_folder_of_its_own(images: Images) -> None:
    reference = images.example("redis")

    assert "Redis server v=" in images.run(reference, "/bin/redis-server", "--version")
    owner = images.run(reference, "/bin/stat", "-c", "%u:%g", "/data")
    assert owner.split(":")[0] not in {"0", ""}
    config = images.inspect(reference)["Config"]
    assert (config["User"], config["WorkingDir"], config["Volumes"]) == ("redis", "/data", {"/data": {}})


def test_files_of_both_kinds_of_commands_are_there_whatever_their_names(images: Images) -> None:
    assert images.run_example("runAsRootExtraCommands") == (
        "(extraCommand)\n(runAsRoot)\ndouble \" and single'\n"
    )


def test_the_layers_below_are_there_in_their_order_when_the_commands_run(images: Images) -> None:
    assert images.run_example("layersUnpackOrder") == "abc"


def test_each_layer_s_own_file_is_seen_and_the_last_of_the_same_name(images: Images) -> None:
    assert images.run_example("layersOrder") == "layer1\nlayer2\nlayer3\n3\n"


def test_what_the_commands_remove_from_the_base_is_not_seen(images: Images) -> None:
    reference = images.example("removed")

    assert images.run(reference).split() == ["last", "layer1", "layer3", "new"]
    assert images.run(reference, "/bin/stat", "-c", "%a", "/tmp/new") == "700\n"


def test_a_base_may_have_a_layer_more_than_once(images: Images) -> None:
    assert images.run_example("repeatedLayers") == "repeated\n"


def test_a_fake_root_gives_files_away(images: Images) -> None:
    assert images.run_example("fakeRootCommands") == "1000\n"


def test_what_a_fake_root_s_files_refer_to_is_in_the_image(images: Images) -> None:
    assert images.run_example("fakeRootReferences") == "special\n"


def test_the_image_can_be_the_root_of_the_commands(images: Images) -> None:
    assert images.run_example("fakechroot") == "Hello, world!\n"
    assert images.run_example("fakechrootOwner") == "12345:12345\n"


def test_users_are_made_by_the_programs_for_it(images: Images) -> None:
    assert images.run_example("shadow") == "uid=500(ann) gid=500(staff) groups=500(staff)\nann\n"


def test_a_static_program_cannot_give_files_away(images: Images) -> None:
    """The limit that the manual states: the library that remembers owners is not loaded by it."""
    refused = images.refuse(
        """
        dockerTools.buildLayeredImage {
          name = "static";
          fakeRootCommands = "touch file; ${pkgs.busybox}/bin/busybox chown 4321 file";
        }
        """,
    )

    assert "chown" in refused


def test_special_permissions_and_devices_are_kept(images: Images) -> None:
    file = images.write(
        """
        dockerTools.streamLayeredImage {
          name = "special";
          tag = "1";
          contents = [ pkgs.coreutils ];
          enableFakechroot = true;
          fakeRootCommands = ''
            touch /setuid; chown 5:6 /setuid; chmod 4755 /setuid
            mkdir /shared; chmod 3777 /shared
            mknod /null c 1 3
            ln /setuid /linked
          '';
          config.Cmd = [ "/bin/stat" "-c" "%n %a %u:%g %F" "/setuid" "/linked" "/shared" "/null" ];
        }
        """,
    )
    [reference] = images.load(file)

    assert images.run(reference).splitlines() == [
        "/setuid 4755 5:6 regular empty file",
        "/linked 4755 5:6 regular empty file",
        "/shared 3777 0:0 directory",
        "/null 644 0:0 character special file",
    ]


def test_nothing_of_the_namespace_is_in_the_image(images: Images) -> None:
    path = images.build(images.examples(), "-A", "fakechrootOwner.conf")
    listed = subprocess.run(
        ["bash", "-c", f"tar tf $(jq -r .customisation_layer {path})/layer.tar"],
        capture_output=True,
        text=True,
        check=True,
    )

    top = {line.split("/")[1] for line in listed.stdout.splitlines()}
    assert not top & {"dev", "proc", "sys", "build"}
    assert not [line for line in listed.stdout.splitlines() if line.startswith("./nix/store/")]


def test_the_systems_directories_are_the_images_own(images: Images) -> None:
    """Packages bring none, and what commands make is not there before; a local directory may bring them."""
    (images.folder / "root/etc").mkdir(parents=True)
    (images.folder / "root/etc/motd").write_text("welcome\n")
    images.write(
        """
        let
          packages = [ pkgs.bash pkgs.coreutils pkgs.python3 pkgs.nginx pkgs.redis ];
          env = pkgs.buildEnv { name = "env"; paths = [ pkgs.coreutils ./root ]; };
          look = [ "/bin/stat" "-c" "%a %n" "/etc" "/tmp" "/var" ];
        in
        {
          layered = dockerTools.buildLayeredImage {
            name = "own-layered";
            tag = "1";
            contents = packages;
            extraCommands = "mkdir etc var && mkdir -m 1777 tmp";
            config.Cmd = look;
          };
          root = dockerTools.buildImage {
            name = "own-root";
            tag = "1";
            copyToRoot = packages;
            runAsRoot = "mkdir /etc /var; mkdir /tmp; chmod 700 /tmp";
            config.Cmd = look;
          };
          beside = dockerTools.buildImage {
            name = "own-beside";
            tag = "1";
            copyToRoot = env;
            config.Cmd = [ "/bin/cat" "/etc/motd" ];
          };
        }
        """,
        "own.nix",
    )
    assert images.load(images.folder / "own.nix") == ["own-beside:1", "own-layered:1", "own-root:1"]
    assert images.run("own-layered:1") == "755 /etc\n1777 /tmp\n755 /var\n"
    assert images.run("own-root:1") == "755 /etc\n700 /tmp\n755 /var\n"
    assert images.run("own-beside:1") == "welcome\n"
