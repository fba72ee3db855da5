/** How far away the world is and how wide the way: kinds of access lines, and the radio of a site. */
import type { Line } from '../line.ts';
import type { Random } from '../random.ts';
import type { Part } from './site-plan.ts';

interface Access {
  readonly name: string;
  readonly up: readonly [number, number];
  readonly down: readonly [number, number];
  /** One way, ms: the nearest and the farthest host outside. */
  readonly near: readonly [number, number];
  readonly far: readonly [number, number];
  readonly jitter: readonly [number, number];
  readonly loss: readonly [number, number];
  readonly parts: readonly Part[];
}

const everywhere: readonly Part[] = ['train', 'validation', 'test', 'demo'];
const accesses: readonly Access[] = [
  {
    name: 'fibre',
    up: [20, 80],
    down: [40, 90],
    near: [1, 4],
    far: [30, 150],
    jitter: [0.05, 0.5],
    loss: [0, 0.0005],
    parts: everywhere,
  },
  {
    name: 'cable',
    up: [5, 20],
    down: [30, 80],
    near: [5, 12],
    far: [40, 160],
    jitter: [0.5, 3],
    loss: [0, 0.001],
    parts: everywhere,
  },
  {
    name: 'dsl',
    up: [1, 8],
    down: [6, 40],
    near: [8, 20],
    far: [40, 160],
    jitter: [0.2, 2],
    loss: [0, 0.002],
    parts: ['train', 'test'],
  },
  {
    name: 'mobile',
    up: [2, 15],
    down: [8, 50],
    near: [18, 40],
    far: [60, 220],
    jitter: [3, 12],
    loss: [0.0005, 0.008],
    parts: ['train', 'validation', 'test'],
  },
  {
    name: 'satellite',
    up: [2, 6],
    down: [10, 40],
    near: [240, 280],
    far: [290, 340],
    jitter: [4, 15],
    loss: [0.001, 0.01],
    parts: ['test'],
  },
  {
    name: 'enterprise',
    up: [50, 95],
    down: [50, 95],
    near: [0.1, 1],
    far: [2, 30],
    jitter: [0.02, 0.2],
    loss: [0, 0],
    parts: ['train', 'validation', 'test'],
  },
];

export function planLine(part: Part, random: Random): { line: Line; access: string } {
  const access = random.pick(accesses.filter(({ parts }) => parts.includes(part)));
  const between = ([low, high]: readonly [number, number]): number => random.between(low, high);
  return {
    access: access.name,
    line: {
      up: between(access.up),
      down: between(access.down),
      delay_ms: [between(access.near), between(access.far)],
      jitter_ms: between(access.jitter),
      loss: between(access.loss),
      queue_ms: random.pick([40, 80, 200, 500]),
      seed: random.integer(1, 2 ** 31),
    },
  };
}

/** Milliseconds to tens of them, and different for each device: some sleep between beacons. */
export function planRadio(part: Part, random: Random): Line {
  return {
    up: random.between(8, 60),
    down: random.between(8, 60),
    delay_ms: [random.between(0.3, 2), random.between(3, part === 'test' ? 60 : 40)],
    jitter_ms: random.between(0.2, 4),
    loss: random.pick([0, 0, 0.0005, 0.003]),
    queue_ms: random.pick([60, 150]),
    seed: random.integer(1, 2 ** 31),
  };
}
