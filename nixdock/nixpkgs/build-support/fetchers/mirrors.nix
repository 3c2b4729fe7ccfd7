# Where the sites of mirror://SITE/PLACE are; public addresses of the projects themselves, the first that answers counts.
{
  alsa = [ "https://www.alsa-project.org/files/pub/" ];
  apache = [ "https://dlcdn.apache.org/" "https://archive.apache.org/dist/" ];
  cpan = [ "https://cpan.metacpan.org/" "https://www.cpan.org/" ];
  cran = [ "https://cran.r-project.org/src/contrib/" ];
  gcc = [ "https://gcc.gnu.org/pub/gcc/" "https://ftp.gnu.org/gnu/gcc/" ];
  gentoo = [ "https://distfiles.gentoo.org/" ];
  gnome = [ "https://download.gnome.org/" ];
  gnu = [ "https://ftpmirror.gnu.org/" "https://ftp.gnu.org/pub/gnu/" ];
  gnupg = [ "https://gnupg.org/ftp/gcrypt/" ];
  hackage = [ "https://hackage.haskell.org/package/" ];
  imagemagick = [ "https://imagemagick.org/archive/releases/" ];
  kde = [ "https://download.kde.org/" ];
  kernel = [ "https://cdn.kernel.org/pub/" ];
  luarocks = [ "https://luarocks.org/" ];
  maven = [ "https://repo1.maven.org/maven2/" ];
  mozilla = [ "https://download.cdn.mozilla.net/pub/mozilla.org/" "https://archive.mozilla.org/pub/" ];
  mysql = [ "https://cdn.mysql.com/Downloads/" ];
  openbsd = [ "https://ftp.openbsd.org/pub/OpenBSD/" ];
  postgresql = [ "https://ftp.postgresql.org/pub/" ];
  pypi = [ "https://files.pythonhosted.org/packages/source/" ];
  qt = [ "https://download.qt.io/" ];
  samba = [ "https://www.samba.org/ftp/" ];
  savannah = [ "https://download.savannah.nongnu.org/releases/" ];
  sourceforge = [ "https://downloads.sourceforge.net/" ];
  steamrt = [ "https://repo.steampowered.com/steamrt/" ];
  ubuntu = [ "https://archive.ubuntu.com/ubuntu/" "https://old-releases.ubuntu.com/ubuntu/" ];
  xfce = [ "https://archive.xfce.org/" ];
  xorg = [ "https://xorg.freedesktop.org/releases/" ];
}
