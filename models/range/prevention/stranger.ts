/** Whom a device that was taken over reports to: a host outside with the servers of `programs/life.ts`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOwn } from '../attacks/scan-targets.ts';
import type { Namespace } from '../namespace.ts';
import type { LifePlan, Serving } from '../programs/conversation.ts';
import { eventually } from '../running-program.ts';
import { tryPort } from './conversations.ts';
import type { GuardedNetwork } from './guarded-network.ts';
import type { Host } from './hosts.ts';

const life = fileURLToPath(new URL('../programs/life.ts', import.meta.url));

/** `silence` takes all that it is sent; `names` knows every name. It answers when this resolves. */
export async function startStranger(
  network: GuardedNetwork,
  { namespace, address }: Host,
  kind: Extract<Serving['kind'], 'silence' | 'names'>,
  port: number,
): Promise<void> {
  const plan: LifePlan = {
    servers: [{ kind, address, port, isTls: false }],
    conversations: [],
    storms: [],
    certificate: '',
    key: '',
  };
  const file = join(network.folder, `stranger-${address}-${port}.json`);
  await writeFile(file, JSON.stringify(plan));
  network.start(namespace, runOwn(life, file));
  const answers = (): Promise<boolean> =>
    kind === 'names' ? asksName(namespace, address) : tryPort(namespace, address, port);
  await eventually(answers, Boolean, 60_000);
}

/** Whether a server of names answers, within five seconds. */
export async function asksName(from: Namespace, server: string): Promise<boolean> {
  const { status } = await from.run(['timeout', '5', 'busybox', 'nslookup', '-type=a', 'made-up.example', server]);
  return status === 0;
}
