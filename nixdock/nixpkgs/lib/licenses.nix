# Licences by the names that nixpkgs gives them.
{ lib }:

let
  spdx = { id, name, free ? true }: {
    spdxId = id;
    fullName = name;
    inherit free;
    redistributable = free;
    deprecated = false;
    url = "https://spdx.org/licenses/${id}.html";
  };
  plain = { name, free ? true, redistributable ? free }: {
    fullName = name;
    inherit free redistributable;
    deprecated = false;
  };

  licenses = {
    agpl3Only = spdx { id = "AGPL-3.0-only"; name = "GNU Affero General Public License v3.0 only"; };
    agpl3Plus = spdx { id = "AGPL-3.0-or-later"; name = "GNU Affero General Public License v3.0 or later"; };
    artistic1 = spdx { id = "Artistic-1.0"; name = "Artistic License 1.0"; };
    artistic2 = spdx { id = "Artistic-2.0"; name = "Artistic License 2.0"; };
    asl20 = spdx { id = "Apache-2.0"; name = "Apache License 2.0"; };
    bsd0 = spdx { id = "0BSD"; name = "BSD Zero Clause License"; };
    bsd1 = spdx { id = "BSD-1-Clause"; name = "BSD 1-Clause License"; };
    bsd2 = spdx { id = "BSD-2-Clause"; name = "BSD 2-clause \"Simplified\" License"; };
    bsd3 = spdx { id = "BSD-3-Clause"; name = "BSD 3-clause \"New\" or \"Revised\" License"; };
    bsdOriginal = spdx { id = "BSD-4-Clause"; name = "BSD 4-clause \"Original\" or \"Old\" License"; };
    boost = spdx { id = "BSL-1.0"; name = "Boost Software License 1.0"; };
    bsl11 = spdx { id = "BUSL-1.1"; name = "Business Source License 1.1"; free = false; };
    bzip2 = spdx { id = "bzip2-1.0.6"; name = "bzip2 and libbzip2 License v1.0.6"; };
    cc0 = spdx { id = "CC0-1.0"; name = "Creative Commons Zero v1.0 Universal"; };
    cc-by-30 = spdx { id = "CC-BY-3.0"; name = "Creative Commons Attribution 3.0"; };
    cc-by-40 = spdx { id = "CC-BY-4.0"; name = "Creative Commons Attribution 4.0"; };
    cc-by-sa-30 = spdx { id = "CC-BY-SA-3.0"; name = "Creative Commons Attribution Share Alike 3.0"; };
    cc-by-sa-40 = spdx { id = "CC-BY-SA-4.0"; name = "Creative Commons Attribution Share Alike 4.0"; };
    cc-by-nc-40 = spdx { id = "CC-BY-NC-4.0"; name = "Creative Commons Attribution Non Commercial 4.0 International"; free = false; };
    cddl = spdx { id = "CDDL-1.0"; name = "Common Development and Distribution License 1.0"; };
    curl = spdx { id = "curl"; name = "curl License"; };
    epl10 = spdx { id = "EPL-1.0"; name = "Eclipse Public License 1.0"; };
    epl20 = spdx { id = "EPL-2.0"; name = "Eclipse Public License 2.0"; };
    eupl12 = spdx { id = "EUPL-1.2"; name = "European Union Public License 1.2"; };
    fdl13Only = spdx { id = "GFDL-1.3-only"; name = "GNU Free Documentation License v1.3 only"; };
    fdl13Plus = spdx { id = "GFDL-1.3-or-later"; name = "GNU Free Documentation License v1.3 or later"; };
    gpl1Only = spdx { id = "GPL-1.0-only"; name = "GNU General Public License v1.0 only"; };
    gpl1Plus = spdx { id = "GPL-1.0-or-later"; name = "GNU General Public License v1.0 or later"; };
    gpl2Only = spdx { id = "GPL-2.0-only"; name = "GNU General Public License v2.0 only"; };
    gpl2Plus = spdx { id = "GPL-2.0-or-later"; name = "GNU General Public License v2.0 or later"; };
    gpl3Only = spdx { id = "GPL-3.0-only"; name = "GNU General Public License v3.0 only"; };
    gpl3Plus = spdx { id = "GPL-3.0-or-later"; name = "GNU General Public License v3.0 or later"; };
    hpnd = spdx { id = "HPND"; name = "Historic Permission Notice and Disclaimer"; };
    ijg = spdx { id = "IJG"; name = "Independent JPEG Group License"; };
    isc = spdx { id = "ISC"; name = "Internet Systems Consortium License"; };
    lgpl2Only = spdx { id = "LGPL-2.0-only"; name = "GNU Library General Public License v2 only"; };
    lgpl2Plus = spdx { id = "LGPL-2.0-or-later"; name = "GNU Library General Public License v2 or later"; };
    lgpl21Only = spdx { id = "LGPL-2.1-only"; name = "GNU Lesser General Public License v2.1 only"; };
    lgpl21Plus = spdx { id = "LGPL-2.1-or-later"; name = "GNU Lesser General Public License v2.1 or later"; };
    lgpl3Only = spdx { id = "LGPL-3.0-only"; name = "GNU Lesser General Public License v3.0 only"; };
    lgpl3Plus = spdx { id = "LGPL-3.0-or-later"; name = "GNU Lesser General Public License v3.0 or later"; };
    libpng2 = spdx { id = "libpng-2.0"; name = "PNG Reference Library version 2"; };
    mit = spdx { id = "MIT"; name = "MIT License"; };
    mit0 = spdx { id = "MIT-0"; name = "MIT No Attribution"; };
    mpl11 = spdx { id = "MPL-1.1"; name = "Mozilla Public License 1.1"; };
    mpl20 = spdx { id = "MPL-2.0"; name = "Mozilla Public License 2.0"; };
    mspl = spdx { id = "MS-PL"; name = "Microsoft Public License"; };
    ncsa = spdx { id = "NCSA"; name = "University of Illinois/NCSA Open Source License"; };
    ofl = spdx { id = "OFL-1.1"; name = "SIL Open Font License 1.1"; };
    openssl = spdx { id = "OpenSSL"; name = "OpenSSL License"; };
    php301 = spdx { id = "PHP-3.01"; name = "PHP License v3.01"; };
    postgresql = spdx { id = "PostgreSQL"; name = "PostgreSQL License"; };
    psfl = spdx { id = "Python-2.0"; name = "Python Software Foundation License version 2"; };
    ruby = spdx { id = "Ruby"; name = "Ruby License"; };
    sspl = spdx { id = "SSPL-1.0"; name = "Server Side Public License"; free = false; };
    tcltk = spdx { id = "TCL"; name = "TCL/TK License"; };
    unicode-30 = spdx { id = "Unicode-3.0"; name = "Unicode License v3"; };
    unlicense = spdx { id = "Unlicense"; name = "The Unlicense"; };
    upl = spdx { id = "UPL-1.0"; name = "Universal Permissive License"; };
    vim = spdx { id = "Vim"; name = "Vim License"; };
    w3c = spdx { id = "W3C"; name = "W3C Software Notice and License"; };
    wtfpl = spdx { id = "WTFPL"; name = "Do What The F*ck You Want To Public License"; };
    x11 = spdx { id = "X11"; name = "X11 License"; };
    zlib = spdx { id = "Zlib"; name = "zlib License"; };
    zpl21 = spdx { id = "ZPL-2.1"; name = "Zope Public License 2.1"; };

    free = plain { name = "Unspecified free software license"; };
    publicDomain = plain { name = "Public Domain"; };
    unfree = plain { name = "Unfree"; free = false; };
    unfreeRedistributable = plain { name = "Unfree redistributable"; free = false; redistributable = true; };
    unfreeRedistributableFirmware =
      plain { name = "Unfree redistributable firmware"; free = false; redistributable = true; };
  };

  # The names from before SPDX told "only" and "or later" apart.
  aliases = {
    agpl3 = licenses.agpl3Only;
    gpl2 = licenses.gpl2Only;
    gpl3 = licenses.gpl3Only;
    lgpl2 = licenses.lgpl2Only;
    lgpl21 = licenses.lgpl21Only;
    lgpl3 = licenses.lgpl3Only;
  };
in
builtins.mapAttrs (shortName: license: license // { inherit shortName; }) (licenses // aliases)
