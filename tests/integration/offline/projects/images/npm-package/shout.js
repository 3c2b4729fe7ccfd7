#!/usr/bin/env node
const { end } = require("./words.json");
console.log(process.argv.slice(2).join(" ").toUpperCase() + end);
