const http = require("http");

http
  .createServer((request, response) => response.end(JSON.stringify({ path: request.url })))
  .listen(process.env.PORT || 3000);
process.on("SIGTERM", () => process.exit(0));
