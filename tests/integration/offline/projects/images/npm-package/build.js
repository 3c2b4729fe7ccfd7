require("fs").writeFileSync("words.json", JSON.stringify({ end: "!" }));
