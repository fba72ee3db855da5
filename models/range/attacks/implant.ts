/** What a device that was taken over does on behalf of somebody else: errands, which beacon.ts and exfiltration.ts fill. */
import type { Conversation, Range, Serving } from '../programs/conversation.ts';
import { fileURLToPath } from 'node:url';
import { conversation } from '../plan/neighbourhood.ts';
import { addressOf } from '../plan/site-plan.ts';
import { type EpisodePlan, type Family, type Stage, between, episode, spread } from './episode.ts';
import { runOwn } from './scan-targets.ts';

const life = fileURLToPath(new URL('../programs/life.ts', import.meta.url));
export const ports = {
  http: [80, 8080, 8000, 4444],
  https: [443, 8443, 4443],
  framed: [4444, 1337, 6667, 48_101, 23],
  names: [53],
  datagrams: [53, 123, 5683, 9999],
} as const;

interface Errand {
  readonly tool: string;
  readonly step: string;
  readonly argv: string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly servings: readonly Serving[];
}
export type Make = (stage: Stage, from: string, control: string, seconds: number) => Errand;

export const errand =
  (
    label: Extract<EpisodePlan['class'], 'botnet_beacon' | 'data_exfiltration'>,
    secondsOf: (stage: Stage) => number,
    choose: (stage: Stage) => Make,
  ): Family =>
  (stage) => {
    const infected = stage.random.pick(stage.site.devices);
    const control = stage.freshAddress();
    const seconds = secondsOf(stage);
    const from = addressOf(stage.site, infected);
    const { tool, step, argv, files = {}, servings } = choose(stage)(stage, from, control, seconds);
    return episode({
      class: label,
      tool,
      step,
      seconds,
      origin: infected,
      argv,
      files,
      servings,
      control,
      truth: [between(from, control)],
      to: control,
    });
  };

export const serving = (kind: Serving['kind'], address: string, port: number, isTls = false): Serving => ({
  kind,
  address,
  port,
  isTls,
});

/** One conversation of an implant, run like any honest one: only whom it talks to is different. */
export function implant(
  stage: Stage,
  from: string,
  control: string,
  kind: Conversation['kind'],
  server: Serving,
  everyMs: number,
  more: Partial<Conversation>,
  jitter: number,
): Errand {
  const { random } = stage;
  const talk = conversation(
    { random, from, from6: null },
    kind,
    control,
    server.port,
    { kind: 'clock', everyMs, jitter },
    { isTls: server.isTls, ...more },
  );
  const plan = { servers: [], conversations: [talk], storms: [], certificate: '', key: '' };
  const sizes = `${talk.sends.join('-')} B out, ${talk.asks.join('-')} B in, ${talk.per.join('-')} at a time`;
  return {
    tool: `own ${kind}`,
    step: `own ${kind}${server.isTls ? ' TLS' : ''} every ${everyMs.toFixed(0)} ms ±${(jitter * 100).toFixed(0)} %, ${sizes}`,
    argv: runOwn(life, '{folder}/plan'),
    files: { plan: JSON.stringify(plan) },
    servings: [server],
  };
}

export const about = (stage: Stage, low: number, high: number): Range => {
  const size = Math.round(spread(stage.random, low, high));
  return stage.random.next() < 0.5 ? [size, size] : [Math.round(size * 0.7), Math.round(size * 1.5)];
};

export const loop = (
  tool: string,
  what: string,
  everyMs: number,
  jitter: number,
  command: string,
  servings: readonly Serving[],
  seed: number,
): Errand => ({
  tool,
  step: `${tool} ${what} every ${everyMs.toFixed(0)} ms ±${(jitter * 100).toFixed(0)} %`,
  argv: [
    'bash',
    '-c',
    `RANDOM=${seed % 32_768}; while :; do ${command}; sleep "$(awk -v r=$RANDOM 'BEGIN{printf "%.3f", ${(everyMs / 1000).toFixed(3)}*(1+${jitter}*(r/16384-1))}')"; done`,
  ],
  servings,
});
