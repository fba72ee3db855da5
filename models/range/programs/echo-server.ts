/** Sends back what it gets, over TCP and UDP, on one port of every address: the other end of whatever is tried. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const port = Number(process.argv[2]);
const datagrams = createSocket('udp4');
datagrams.on('message', (message, { address, port: from }) => datagrams.send(message, from, address));
datagrams.bind(port, () => {
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  }).listen(port, '::', () => console.log('listening'));
});
