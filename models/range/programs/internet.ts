/**
 * Runs inside the internet's namespace: a web and cloud server on 80 and 8080 (pages, firmware, uploads), time on
 * udp/123, names on udp/53, and a plain TCP listener on 4444. Attackers' servers answer here too, under other addresses.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';

const filler = Buffer.alloc(4_000_000, 'x');

function answerWeb(port: number): void {
  createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    const size = Math.min(Number(url.searchParams.get('size') ?? 500), filler.length);
    request.on('error', () => response.destroy());
    request.on('end', () => response.end(filler.subarray(0, size)));
    request.resume();
  }).listen(port, '0.0.0.0', 512);
}

function answerTime(): void {
  const socket = createSocket('udp4');
  socket.on('message', (_, peer) => socket.send(Buffer.alloc(48, 0x24), peer.port, peer.address));
  socket.bind(123);
}

/** Any question gets one address, or, asked for a text, 60 bytes of it: enough of RFC 1035 for a stub resolver. */
function answerNames(): void {
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    if (query.length < 17) return;
    const isText = query.readUInt16BE(query.length - 4) === 16;
    const data = isText ? Buffer.concat([Buffer.from([60]), Buffer.alloc(60, 'a')]) : Buffer.from([198, 51, 100, 10]);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(1, 6);
    const record = Buffer.from([0xc0, 12, 0, isText ? 16 : 1, 0, 1, 0, 0, 0, 60, 0, data.length]);
    socket.send(Buffer.concat([header, query.subarray(12), record, data]), peer.port, peer.address);
  });
  socket.bind(53);
}

function answerPlain(): void {
  createTcpServer((socket) => {
    socket.on('data', (bytes) => socket.write(bytes.subarray(0, 24)));
    socket.on('error', () => socket.destroy());
  }).listen(4444, '0.0.0.0');
}

answerTime();
answerNames();
answerPlain();
answerWeb(8080);
answerWeb(80);
