/** A capture that another process starts for us, because only that one has the right to. */
import { connect, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { CaptureError } from './capture-error.ts';
import type { CaptureChild, CaptureRequest } from './tcpdump-child.ts';

export interface CaptureDoorAddress {
  readonly path: string;
  readonly token: string;
}

/** For `TcpdumpPacketSource`. The first connection asks, hears what tcpdump says and ends it; the second brings packets. */
export function startThroughDoor(door: CaptureDoorAddress, request: CaptureRequest): CaptureChild {
  const control = connect(door.path);
  const packets = new Socket();
  const stderr = new PassThrough();
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => undefined);
  let packetsToken = '';
  const refuse = (): void => {
    reject(new CaptureError('capture-failed', 'the process that holds the right to capture does not answer'));
    packets.destroy();
  };
  const greet = (data: Buffer): void => {
    packetsToken += data.toString('latin1');
    const end = packetsToken.indexOf('\n');
    if (end === -1) return;
    control.off('data', greet);
    control.pipe(stderr);
    packets.connect(door.path);
    packets.write(`${JSON.stringify({ ask: 'packets', token: packetsToken.slice(0, end) })}\n`);
  };
  control.on('data', greet);
  control.once('error', refuse);
  packets.once('error', () => control.destroy());
  control.once('close', () => {
    if (!packetsToken.includes('\n')) refuse();
    stderr.end();
  });
  stderr.once('end', resolve); // when all that tcpdump said has been read
  control.write(
    `${JSON.stringify({
      ask: 'capture',
      token: door.token,
      interface: request.interface,
      snap_length: request.snapLength ?? 192,
      ring_kib: request.ringKib ?? 65_536,
      filter: request.filter ?? '',
    })}\n`,
  );
  return {
    stdout: packets,
    stderr,
    ended,
    count: () => void control.write('c'),
    stop: () => void control.destroy(),
  };
}
