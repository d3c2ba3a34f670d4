// The server that `editor-bootstrap.sh` starts: answers over HTTP on a port and on a Unix socket.
const { createServer } = require("node:http");

const answer = (request, response) => response.end(`editor ${request.url}`);
createServer(answer).listen(process.argv[2]);
const server = createServer(answer).listen(0, "127.0.0.1", () => {
  process.stdout.write(`listening on ${server.address().port}\n`);
});
