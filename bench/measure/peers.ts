/** The programs a user would pick instead, as they read a capture: what each does is in BENCHMARKS.md. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';

export const peerNames = ['tcpdump', 'argus', 'softflowd'] as const;
export type PeerName = (typeof peerNames)[number];

/** A UDP port that takes NetFlow and forgets it. Close it with `await using`. */
export class NetflowSink implements AsyncDisposable {
  readonly #socket: Socket;
  readonly port: number;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
  }

  static async open(): Promise<NetflowSink> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NetflowSink(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** The command of a peer that reads `pcap`; `folder` is for what it insists on writing. */
export function peerCommand(peer: PeerName, pcap: string, sink: NetflowSink, folder: string): readonly string[] {
  switch (peer) {
    case 'tcpdump':
      return ['tcpdump', '-r', pcap, '-w', '/dev/null'];
    case 'argus':
      return ['argus', '-X', '-r', pcap, '-w', '/dev/null'];
    case 'softflowd':
      // Without `-c none` it may wait for somebody at its control socket for ever.
      return `softflowd -d -v 9 -n 127.0.0.1:${sink.port} -c none`
        .split(' ')
        .concat('-p', join(folder, 'pid'), '-r', pcap);
  }
}
