/** Sends back what it gets, on one port of every address: the other end of a connection that is kept. */
import { createServer } from 'node:net';

createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
}).listen(Number(process.argv[2]), '::', () => console.log('listening'));
