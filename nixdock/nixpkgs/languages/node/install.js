// Installs a project as npm would globally: its files, as `npm pack` lists them (on standard input), to
// $out/lib/node_modules/NAME. Prints `folder`, and for each program a line `name<tab>file`.
"use strict";
const fs = require("fs");
const path = require("path");

const [source, out] = process.argv.slice(2);
const project = JSON.parse(fs.readFileSync(path.join(source, "package.json"), "utf8"));
const listed = JSON.parse(fs.readFileSync(0, "utf8"));
const name = project.name || path.basename(path.resolve(source));
const folder = path.join(out, "lib", "node_modules", name);

fs.mkdirSync(folder, { recursive: true });
for (const file of listed[0].files.map((one) => one.path)) {
  const target = path.join(folder, file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(path.join(source, file), target);
}

let programs = project.bin || {};
if (typeof programs === "string") programs = { [name.split("/").pop()]: programs };
if (!project.bin && project.directories && project.directories.bin) {
  const from = project.directories.bin;
  programs = Object.fromEntries(fs.readdirSync(path.join(source, from)).map((one) => [one, path.join(from, one)]));
}
console.log(folder);
for (const [program, file] of Object.entries(programs)) {
  console.log(`${program}\t${path.join(folder, file)}`);
}
