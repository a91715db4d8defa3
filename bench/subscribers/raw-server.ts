import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';

/** The limit: one frame, made once, to everybody over bare sockets. A line on stdin is what is sent. */
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
await new Promise((resolve) => server.once('listening', resolve));
const address = server.address();
console.log(typeof address === 'object' && address !== null ? address.port : 0);
for await (const text of createInterface(process.stdin)) for (const client of server.clients) client.send(JSON.stringify({ raw: text }));
