# Well-known names of nixpkgs that Debian has no package for: what a sentence says of each (README.md in this folder
# has them too; a test holds both to be the same).
{
  # No release of Debian has it: what to use instead, or why it is not there.
  never = {
    bazel = "it builds from the network; pkgs.gnumake, pkgs.cmake and pkgs.meson are there";
    cachix = "it serves nixpkgs' own packages";
    cassandra = "it is built from Maven's registry";
    clickhouse = "pkgs.postgresql and pkgs.sqlite answer questions in SQL";
    cockroachdb = "its license is not free; pkgs.postgresql speaks its protocol";
    consul = "its license is not free; pkgs.etcd keeps and watches keys";
    corefonts = "their license is not free; pkgs.liberation_ttf has the same widths";
    couchdb = "pkgs.postgresql keeps documents as jsonb";
    dive = "`docker history` and `nixdock lint` say what is in layers";
    dotnet-runtime = "it is built from Microsoft's registry";
    dotnet-sdk = "it is built from Microsoft's registry";
    duckdb = "pkgs.sqlite is there";
    elasticsearch = "its license is not free; pkgs.postgresql searches texts";
    eudev = "pkgs.udev is systemd's";
    fluent-bit = "pkgs.rsyslog and pkgs.syslog-ng forward logs";
    gitea = "pkgs.debian.gitolite3 and pkgs.debian.cgit serve repositories";
    google-chrome = "its license is not free; pkgs.chromium is there";
    google-cloud-sdk = "pkgs.rclone and pkgs.awscli speak to clouds";
    grafana = "it is built from the network; pkgs.prometheus draws what it gathers";
    grype = "pkgs.debian.debsecan knows Debian's own vulnerabilities";
    hadolint = "pkgs.shellcheck looks at scripts";
    helix = "pkgs.kakoune and pkgs.neovim are there";
    jellyfin = "pkgs.debian.minidlna serves media";
    k9s = "pkgs.kubectl is there";
    keycloak = "it is built from Maven's registry";
    keydb = "pkgs.redis speaks its protocol";
    kibana = "its license is not free";
    kubernetes-helm = "pkgs.kubectl is there";
    libressl = "Debian's programs are built with pkgs.openssl";
    loki = "pkgs.rsyslog and pkgs.syslog-ng gather logs";
    mailpit = "pkgs.debian.python3-aiosmtpd is a server that prints what is sent to it";
    meilisearch = "pkgs.postgresql searches texts";
    minio = "it is built from the network; pkgs.rclone serves a folder as S3 (rclone serve s3) from Debian 13 on";
    minio-client = "pkgs.rclone and pkgs.s3cmd speak to S3";
    mongodb = "its license is not free; pkgs.postgresql keeps documents as jsonb";
    mongosh = "it is built from npm's registry";
    mysql57 = "pkgs.mariadb speaks its protocol";
    mysql80 = "pkgs.mariadb speaks its protocol";
    mysql84 = "pkgs.mariadb speaks its protocol";
    nerdctl = "pkgs.podman and pkgs.docker-client are there";
    nextcloud = "pkgs.debian.davfs2 and pkgs.rclone speak to one";
    nix-prefetch-git = "nix-prefetch-url, of pkgs.nix, is there";
    nomad = "its license is not free";
    nushell = "pkgs.fish and pkgs.zsh are there";
    opentofu = "it is built from the network; pkgs.ansible is there";
    percona-server = "pkgs.mariadb speaks its protocol";
    pnpm = "it is built from npm's registry; `npm` is there";
    pulumi = "it is built from the network; pkgs.ansible is there";
    ruff = "pkgs.black and pkgs.debian.flake8 are there";
    sops = "pkgs.age and pkgs.gnupg encrypt files";
    steam = "its license is not free";
    step-cli = "pkgs.openssl and pkgs.certbot make and get certificates";
    su-exec = "pkgs.gosu does the same";
    surrealdb = "pkgs.postgresql keeps documents as jsonb";
    syft = "`nix-store --query --requisites` lists what an image is made of";
    telegraf = "pkgs.collectd and pkgs.prometheus-node-exporter gather measurements";
    terraform = "its license is not free; pkgs.ansible is there";
    traefik = "pkgs.caddy and pkgs.haproxy do the same";
    trivy = "pkgs.debian.debsecan knows Debian's own vulnerabilities";
    unrar = "its license is not free; pkgs.debian.unar reads its archives";
    uv = "pkgs.debian.pipx and pkgs.virtualenv are there";
    vault = "its license is not free; pkgs.pass and pkgs.age keep secrets";
    vector = "pkgs.rsyslog and pkgs.syslog-ng forward logs";
    vegeta = "pkgs.wrk and pkgs.hey ask a server often";
    vscode = "its license is not free; pkgs.neovim and pkgs.emacs are there";
    yq-go = "pkgs.yq is the one in Python, which takes jq's words";
    zig = "pkgs.gcc is there";
    zola = "pkgs.hugo makes sites";
  };

  # A later release of Debian has it: since which, its package and main program there, what to use until then.
  later = {
    atuin = { since = 13; package = "atuin"; instead = "pkgs.fzf searches a shell's history"; };
    broot = { since = 13; package = "broot"; instead = "pkgs.ranger and pkgs.nnn are there"; };
    cosign = { since = 13; package = "cosign"; instead = "pkgs.gnupg and pkgs.openssl sign files"; };
    delta = { since = 13; package = "git-delta"; program = "delta"; instead = "pkgs.colordiff is there"; };
    docker-buildx = { since = 13; package = "docker-buildx"; instead = "pkgs.buildah builds images"; };
    eza = { since = 13; package = "eza"; instead = "pkgs.lsd is there"; };
    fastfetch = { since = 13; package = "fastfetch"; instead = "pkgs.inxi is there"; };
    gdu = { since = 13; package = "gdu"; instead = "pkgs.ncdu is there"; };
    gitleaks = { since = 13; package = "gitleaks"; instead = "pkgs.git and pkgs.ripgrep find words in a history"; };
    glab = { since = 13; package = "glab"; instead = "pkgs.git is there"; };
    just = { since = 13; package = "just"; instead = "pkgs.gnumake is there"; };
    kustomize = { since = 13; package = "kustomize"; instead = "`kubectl kustomize` does the same"; };
    lazygit = { since = 13; package = "lazygit"; instead = "pkgs.tig is there"; };
    procs = { since = 13; package = "procs"; instead = "pkgs.htop and pkgs.procps are there"; };
    sccache = { since = 13; package = "sccache"; instead = "pkgs.debian.ccache is there"; };
    sd = { since = 13; package = "sd"; instead = "pkgs.gnused is there"; };
    starship = { since = 13; package = "starship"; instead = "pkgs.fish and pkgs.zsh have prompts of their own"; };
    tokei = { since = 13; package = "tokei"; instead = "pkgs.cloc counts lines"; };
    valkey = { since = 13; package = "valkey-server"; instead = "pkgs.redis is what it was made from"; };
    xh = { since = 13; package = "xh"; instead = "pkgs.httpie and pkgs.curl are there"; };
  };
}
