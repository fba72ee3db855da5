/** Many connections to a web server that are kept busy with next to nothing. */
import { type Socket, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../random.ts';

interface Orders {
  readonly kind: 'headers' | 'body' | 'chunks' | 'trickle' | 'read';
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Between two new connections. */
  readonly rampMs: number;
  /** Between two scraps on one connection. */
  readonly everyMs: number;
  readonly seed: number;
}

// the orders are made by the range itself
const orders = JSON.parse(process.argv[2] ?? '{}') as Orders;
const random = new Random(orders.seed);

function begin(socket: Socket): void {
  const post = `POST /app/search HTTP/1.1\r\nHost: ${orders.host}\r\n`;
  if (orders.kind === 'headers') socket.write(`GET /?${random.integer(1, 9999)} HTTP/1.1\r\nHost: ${orders.host}\r\n`);
  else if (orders.kind === 'body') socket.write(`${post}Content-Length: ${random.integer(3000, 90_000)}\r\n\r\n`);
  else if (orders.kind === 'chunks') socket.write(`${post}Transfer-Encoding: chunked\r\n\r\n`);
  else if (orders.kind === 'trickle') socket.write('G');
  else socket.write(`GET /snapshot.jpg HTTP/1.1\r\nHost: ${orders.host}\r\n\r\n`.repeat(4));
}

function scrap(socket: Socket): void {
  if (orders.kind === 'headers') socket.write(`X-${random.word(4)}: ${random.word(random.integer(2, 20))}\r\n`);
  else if (orders.kind === 'body') socket.write(random.word(random.integer(1, 8)));
  else if (orders.kind === 'chunks') socket.write('1\r\na\r\n');
  else if (orders.kind === 'trickle') socket.write('E');
  else {
    socket.resume();
    setTimeout(() => socket.pause(), 20);
  }
}

async function hold(): Promise<never> {
  for (;;) {
    const socket = connect(orders.port, orders.host);
    socket.on('error', () => socket.destroy());
    if (orders.kind === 'read') socket.pause();
    else socket.resume();
    begin(socket);
    while (!socket.destroyed) {
      await pause(orders.everyMs * random.between(0.7, 1.3));
      if (socket.writable) scrap(socket);
      else socket.destroy();
    }
    await pause(orders.rampMs);
  }
}

for (let count = 0; count < orders.connections; count++) {
  void hold();
  await pause(random.exponential(orders.rampMs));
}
