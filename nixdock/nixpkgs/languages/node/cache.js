// Makes the cache of npm with what a lock file names:
//   list LOCK FILE          writes what to fetch, as a configuration of curl
//   make LOCK FOLDER OUT    of what curl fetched to FOLDER
//   gather LOCK FILES OUT   of files that a JSON file names by address
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");

const [command, lockFile, given, out] = process.argv.slice(2);
const lock = JSON.parse(fs.readFileSync(lockFile, "utf8"));

function fail(sentence) {
  process.stderr.write(`error: ${sentence}\n`);
  process.exit(1);
}

// The packages of a lock file, those of version 1 being in each other.
function entries() {
  const found = [];
  if (lock.packages) {
    for (const [place, one] of Object.entries(lock.packages)) {
      if (!one.link) found.push({ place, address: one.resolved, integrity: one.integrity });
    }
    return found;
  }
  const visit = (dependencies) => {
    for (const [place, one] of Object.entries(dependencies || {})) {
      const address = one.resolved || (/^(https?|git)/.test(one.version) ? one.version : undefined);
      if (!one.bundled) found.push({ place, address, integrity: one.integrity });
      visit(one.dependencies);
    }
  };
  visit(lock.dependencies);
  return found;
}

// Each address once, with the hash that the lock file has of it.
function remotes() {
  const found = new Map();
  for (const { place, address, integrity } of entries()) {
    if (typeof address !== "string" || address.startsWith("file:")) continue;
    if (!/^https?:/.test(address)) {
      fail(`${place} of package-lock.json is a git repository (${address}), which the offline package set does not fetch for npm; `
        + "depend on an archive of it");
    }
    found.set(address, integrity || found.get(address));
  }
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1));
}

function store(root, address, integrity, data) {
  let [algorithm, digest] = ["sha512", undefined];
  if (integrity) {
    integrity = integrity.trim().split(/\s+/).pop();
    algorithm = integrity.slice(0, integrity.indexOf("-"));
    digest = Buffer.from(integrity.slice(algorithm.length + 1), "base64").toString("hex");
  }
  const real = crypto.createHash(algorithm).update(data).digest();
  if (digest !== undefined && digest !== real.toString("hex")) {
    fail(`${address} has the hash ${algorithm}-${real.toString("base64")}, and package-lock.json says ${integrity}`);
  }
  integrity = integrity || `${algorithm}-${real.toString("base64")}`;
  const place = (name, kind, hex) => path.join(root, "_cacache", name, kind, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
  write(place("content-v2", algorithm, real.toString("hex")), data);
  const key = `make-fetch-happen:request-cache:${address}`;
  const entry = JSON.stringify({
    key, integrity, time: 0, size: data.length, metadata: { url: address, options: { compress: true } },
  });
  const hash = crypto.createHash("sha1").update(entry).digest("hex");
  write(place("index-v5", "", crypto.createHash("sha256").update(key).digest("hex")), `${hash}\t${entry}`);
}

function write(file, data) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, data);
}

function make(fileOf) {
  const all = remotes();
  if (!all.length && command === "make" && !process.env.forceEmptyCache) {
    fail("package-lock.json names no packages to fetch: leave out npmDepsHash, or set forceEmptyCache = true");
  }
  for (const name of ["content-v2", "index-v5"]) fs.mkdirSync(path.join(out, "_cacache", name), { recursive: true });
  for (const [index, [address, integrity]] of all.entries()) {
    store(out, address, integrity, fs.readFileSync(fileOf(index, address)));
  }
  fs.copyFileSync(lockFile, path.join(out, "package-lock.json"));
}

if (command === "list") {
  fs.writeFileSync(given, remotes().map(([address], index) =>
    `url = ${JSON.stringify(address)}\noutput = "downloads/${index}"\n`).join(""));
} else if (command === "make") {
  make((index) => path.join(given, String(index)));
} else {
  const files = JSON.parse(fs.readFileSync(given, "utf8"));
  make((_index, address) => files[address]);
}
