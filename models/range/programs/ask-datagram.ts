/** One datagram from a port of one's own, as DHCP and NTP clients send them: ends with 0 when it is answered in time. */
import { createSocket } from 'node:dgram';

const [host = '', port = '0', from = '0'] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.bind(Number(from), () => socket.send('what is there?', Number(port), host));
socket.on('message', () => process.exit(0));
setTimeout(() => process.exit(1), 2000);
