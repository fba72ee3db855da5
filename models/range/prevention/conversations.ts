/** Small conversations by hand: is there an answer on this port, does this connection still carry anything? */
import { fileURLToPath } from 'node:url';
import { runOwn } from '../attacks/scan-targets.ts';
import type { Namespace } from '../namespace.ts';
import type { RunningProgram } from '../running-program.ts';

/** Whether a TCP connection opens, within two seconds. */
export async function tryPort(from: Namespace, address: string, port: number): Promise<boolean> {
  const { status } = await from.run(['timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${address}/${port}`]);
  return status === 0;
}

/** How many of so many TCP connections, begun at once, open within two seconds. */
export async function countOpened(from: Namespace, address: string, port: number, attempts: number): Promise<number> {
  const open = `timeout 2 bash -c 'exec 3<>/dev/tcp/${address}/${port}' 2>/dev/null && echo opened`;
  const { stdout } = await from.run(['bash', '-c', `for i in $(seq ${attempts}); do (${open}) & done; wait`]);
  return stdout.split('\n').filter((line) => line === 'opened').length;
}

const asker = fileURLToPath(new URL('../programs/ask-datagram.ts', import.meta.url));

/** Whether a datagram from a port of one's own is answered, within two seconds. */
export async function askByDatagram(from: Namespace, address: string, port: number, ownPort: number): Promise<boolean> {
  return (await from.run(runOwn(asker, address, String(port), String(ownPort)))).status === 0;
}

/** Starts programs that end with it. */
interface Starter {
  start(namespace: Namespace, argv: readonly string[]): RunningProgram;
}

/** A connection to an echo server that says `back` for each answer, and `cut` when there is none for so many seconds. */
export function keepTalking(
  network: Starter,
  from: Namespace,
  address: string,
  port: number,
  seconds = 4,
): RunningProgram {
  const talk = `exec 3<>/dev/tcp/${address}/${port}; while echo word >&3 && read -r -t ${seconds} -u 3; do echo back; sleep 0.2; done; echo cut`;
  return network.start(from, ['bash', '-c', talk]);
}
