/**
 * The small process that holds CAP_NET_ADMIN and CAP_NET_RAW. It starts the agent without any right, serves its
 * requests, and ends with it. What the kernel holds stays, unless the owner's fail policy says otherwise.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { channelVariable } from '../config/privileged-channel.ts';
import { NftablesFirewall } from '../enforcement/nftables-firewall.ts';
import { CaptureDoor } from './capture-door.ts';
import { KernelService, releasePausesMs } from './kernel-service.ts';
import { LineChannel } from './line-channel.ts';
import { maxRequestBytes, type Reply } from './messages.ts';
import { channelDescriptor, HelperTask } from './separate.ts';

const endingGraceMs = 5000;

const task = HelperTask.parse(JSON.parse(process.argv[2] ?? ''));
process.exitCode = await serveAgent(task);

/** The exit code of the agent. */
async function serveAgent({ setpriv, none, agent }: HelperTask): Promise<number> {
  await using resources = new AsyncDisposableStack();
  const door = resources.use(await CaptureDoor.listen());
  const child = spawn(setpriv, [...none, '--', process.execPath, ...agent], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [channelVariable]: String(channelDescriptor) },
    detached: true, // Ctrl-C comes to us, and is passed on once
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<{ code: number; isExpected: boolean }>();
  let isStopping = false;
  child.once('error', (error) => {
    console.error(`picket-agent: the agent cannot be started: ${error.message}`);
    end({ code: 70, isExpected: false });
  });
  child.once('close', (code, signal) => {
    const number = signal === null ? 0 : (constants.signals[signal] ?? 0);
    end({ code: code ?? 128 + number, isExpected: code === 0 || (isStopping && signal !== 'SIGKILL') });
  });
  const send = (reply: Reply): void => channel.send(reply);
  const service = resources.use(
    new KernelService({
      send,
      openFirewall: (facts) =>
        NftablesFirewall.create({
          ...facts,
          onWarning: (text) => send({ event: 'warning', text: text.slice(0, 1000) }),
        }),
    }),
  );
  const channel = LineChannel.open(child.stdio[channelDescriptor] as Duplex, {
    maxLineBytes: maxRequestBytes,
    onValue: (value) => void service.serve(value),
    onBadLine: (reason) => service.refuse(null, reason),
    // An agent that cannot ask for anything any more is no use; one that closed because it ends gets to end.
    onClose: () => void setTimeout(() => child.kill('SIGTERM'), endingGraceMs).unref(),
  });
  resources.use(channel);
  channel.send({ event: 'welcome', capture: { path: door.path, token: door.token } } satisfies Reply);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isStopping) child.kill(signal); // who asks twice means it
      isStopping = true;
      send({ event: 'stop', signal });
    });
  }
  const { code, isExpected } = await ended;
  if (!isExpected && service.failPolicy === 'open') {
    console.error('picket-agent: ended unexpectedly: its restrictions are removed, as fail_policy says');
    await service.release().then(
      (failed) => failed > 0 && console.error(`picket-agent: they were removed after ${failed} attempts that failed`),
      (error: unknown) =>
        console.error(
          `picket-agent: they could not be removed in ${releasePausesMs.length + 1} attempts and hold until their own ends; \`picket-agent fail-open\` tries once more: ${String(error)}`,
        ),
    );
  }
  return code;
}
