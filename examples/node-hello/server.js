// A web app in Node.js alone: says hello, and which release said it.
const http = require('node:http');

const VERSION = '1';
const { PORT = '8000', RELEASE = '0' } = process.env;

const server = http.createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`Hello! This is version ${VERSION}, release ${RELEASE}.\n`);
});

server.listen(Number(PORT), '127.0.0.1', () => console.log(`version ${VERSION} listens on port ${PORT}`));

// Pushrod stops a release with SIGTERM, after its last request.
process.on('SIGTERM', () => {
  server.close(() => console.log('stopped'));
  server.closeIdleConnections();
});
