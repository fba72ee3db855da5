/** What the network is shown of a window, in plain loops: what the graphs' preparation is held against. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextWidth } from '@picket/shared/features/flow-context';
import { inputWidth } from '../network-parameters.ts';
import { clipLimit } from '../prepare-windows.ts';
import type { Scaler } from '../prepare-windows.ts';
import type { Rows } from './plain-matrices.ts';

/** What the network sees of one window: present flows only, oldest first. */
export function inputsOf(window: Float32Array, context: Float32Array, flows: number, scaler: Scaler): Rows {
  const first = windowLength - flows;
  return Array.from({ length: flows }, (_, index) => {
    const at = (first + index) * featureCount;
    const row = new Float64Array(inputWidth);
    for (let column = 1; column < featureCount; column++) {
      const value = window[at + column]!;
      const usable = value >= 0 && value <= 3.4e38 ? value : 0;
      const scaled = (Math.log(usable + 1) - scaler.mean[column]!) * scaler.scale[column]!;
      row[column] = Math.max(-clipLimit, Math.min(clipLimit, scaler.ceiling[column]!, scaled));
    }
    let same = 0;
    for (let other = 0; other < flows; other++) {
      if (window[(first + other) * featureCount] === window[at]) same += 1;
    }
    row[0] = (2 * same) / flows - 1;
    row[featureCount] = 1;
    row.set(beside(context, first, index, flows), featureCount + 1);
    return row;
  });
}

/** Age, whether it is known, pause since the flow before, share of the peer, pause since that peer's last, recent flows, how long the peer is known and how long after the device it came, direction. */
function beside(context: Float32Array, first: number, index: number, flows: number): number[] {
  const of = (flow: number, column: number): number => context[(first + flow) * flowContextWidth + column]!;
  const scaled = (seconds: number): number => (Math.log(seconds + 0.05) - 1) / 3;
  const age = of(index, 0);
  const before = index === 0 ? -1 : of(index - 1, 0);
  const peer = of(index, 1);
  const familiar = (seconds: number): number => (Math.log(seconds + 1) - 3.2) / 3.2;
  const [peerFor, deviceFor] = [of(index, 5), of(index, 6)];
  const known = Array.from({ length: flows }, (_, flow) => of(flow, 1)).filter((other) => other >= 0);
  const pauses = Array.from({ length: flows }, (_, flow) => flow)
    .filter((flow) => flow !== index && of(flow, 1) === peer && of(flow, 0) >= age)
    .map((flow) => of(flow, 0) - age);
  return [
    age < 0 ? 0 : scaled(age),
    age < 0 ? 0 : 1,
    age < 0 || before < 0 ? 0 : scaled(Math.abs(before - age)),
    peer < 0 ? 0 : (2 * known.filter((other) => other === peer).length) / known.length - 1,
    age < 0 || peer < 0 ? 0 : scaled(Math.min(7200, ...pauses)),
    ...[3, 4].map((column) => (of(index, column) < 0 ? 0 : (Math.log(of(index, column) + 1) - 2) / 2)),
    peerFor < 0 ? 0 : familiar(Math.min(600, peerFor)),
    peerFor < 0 || deviceFor < 0 ? 0 : familiar(Math.min(120, Math.max(0, deviceFor - peerFor))),
    ...[0, 1, 2].map((way) => (of(index, 2) === way ? 1 : 0)),
  ];
}
